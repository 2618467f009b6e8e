"""What lies in a folder and is of no use there."""

import fcntl
import os

import pytest

from sievemda.store.files import unique_name
from tests.upkeep.reconstruct.conftest import MESSAGE, kinds, names

DAYS = 5 * 86400


@pytest.mark.parametrize("name", ["1700000000.M1P1Q2.elsewhere.example", "old", "filling.5"])
def test_what_was_never_finished_is_removed(mailbox, put, mend, name):
    inbox = mailbox("user/alice")
    age = DAYS
    path = put(inbox, f"tmp/{name}", age=age)
    gone = name != "1700000000.M1P1Q2.elsewhere.example"  # another host may be at it: its file has just been changed
    mend()
    assert path.exists() is not gone


def test_what_was_begun_lately_stays(mailbox, put, mend):
    path = put(mailbox("user/alice"), "tmp/young")
    assert mend() == []
    assert path.exists()


def test_a_file_of_a_living_process_stays_however_old_it_looks(mailbox, put, mend):
    path = put(mailbox("user/alice"), f"tmp/{unique_name()}", age=DAYS)
    assert mend() == []
    assert path.exists()


def test_nothing_is_removed_from_a_folder_that_is_being_filled(mailbox, put, mend):
    inbox = mailbox("user/alice")
    path = put(inbox, "tmp/filling.5", age=DAYS)
    fd = os.open(inbox.path / "tmp", os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        mend()
    finally:
        os.close(fd)
    assert path.exists()


@pytest.mark.parametrize(
    ("name", "part"), [("1700000000.M1P1.h:2,S", "cur"), ("17", "new"), ("1700000000.M1P1.h,S=3", "new")]
)
def test_a_message_beside_the_others_comes_to_them(mailbox, put, mend, name, part):
    inbox = mailbox("user/alice/Lists")
    before = put(inbox, name, age=DAYS).stat().st_mtime_ns
    assert kinds(mend()) == ["misplaced"]
    (found,) = names(inbox, part)
    path = inbox.path / part / found
    assert path.read_bytes() == MESSAGE
    assert path.stat().st_mtime_ns == before
    assert f",S={len(MESSAGE)}" in found
    assert kinds(mend()) == []


@pytest.mark.parametrize("content", [b"", b"just a note\n", b"From: half a header\n", b"\x00\xff"])
def test_what_is_no_message_stays_where_it_is(mailbox, put, mend, content):
    path = put(mailbox("user/alice"), "notes", content)
    assert mend() == []
    assert path.read_bytes() == content


def test_a_lock_that_nobody_holds_goes(mailbox, put, mend):
    inbox = mailbox("user/alice")
    old = put(inbox, "dovecot-uidlist.lock", b"", age=300)
    held = put(inbox, "dovecot-acl.lock", f"{os.getpid()}:{os.uname().nodename}".encode())
    mend()
    assert (old.exists(), held.exists()) == (False, True)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to("nowhere")])
def test_what_is_no_lock_and_locks_everybody_out_is_taken_away(mailbox, mend, make):
    inbox = mailbox("user/alice")
    make(inbox.path / "dovecot-acl.lock")
    assert kinds(mend()) == ["lock"]
    assert not os.path.lexists(inbox.path / "dovecot-acl.lock")
    assert mend() == []
