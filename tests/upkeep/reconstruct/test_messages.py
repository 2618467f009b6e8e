"""Messages of a folder: names, flags, what is no message."""

import gzip
import os

import pytest

from sievemda.policy.quota import Limits
from sievemda.store import rootlist
from sievemda.upkeep.reconstruct.hands import Hands
from tests.upkeep.reconstruct.conftest import MESSAGE, kinds, names

SIZE, WIRE = len(MESSAGE), len(MESSAGE) + MESSAGE.count(b"\n")
GOOD = f"1700000000.M1P1Q1.host,S={SIZE},W={WIRE}"
DAYS = 5 * 86400


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("cur/1700000000.M1P1Q1.host,S=5,W=6:2,FS", f"{GOOD}:2,FS"),
        ("cur/1700000000.M1P1Q1.host,S=99999:2,a", f"{GOOD}:2,a"),
        ("cur/1700000000.M1P1Q1.host:2,S", f"{GOOD}:2,S"),
        (f"cur/{GOOD}", f"{GOOD}:2,"),
        (f"new/{GOOD}:2,S", f"{GOOD}:2,S"),
    ],
)
def test_a_name_is_put_right(mailbox, put, mend, name, wanted):
    inbox = mailbox("user/alice")
    put(inbox, name)
    mend()
    assert names(inbox) == [wanted]
    assert mend.work.code == 0
    assert kinds(mend()) == []


def test_a_message_in_new_stays_new(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, "new/1700000000.M1P1Q1.host,S=1")
    mend()
    assert names(inbox, "new") == [GOOD]


def test_the_time_of_arrival_stays(mailbox, put, mend):
    inbox = mailbox("user/alice")
    before = put(inbox, "cur/1700000000.M1P1Q1.host,S=1:2,", age=DAYS).stat().st_mtime_ns
    mend()
    assert (inbox.path / "cur" / f"{GOOD}:2,").stat().st_mtime_ns == before


def test_a_message_that_a_reader_has_numbered_gets_no_size_for_it_would_get_another_number(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, "cur/1700000000.M1P1Q1.host:2,S")
    put(inbox, "dovecot-uidlist", b"3 V1 N2 Gabc\n1 :1700000000.M1P1Q1.host\n")
    mend()
    assert names(inbox) == ["1700000000.M1P1Q1.host:2,S"]


def test_a_wrong_size_of_a_line_count_is_found_by_reading(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, f"cur/1700000000.M1P1Q1.host,S={SIZE},W=9:2,S")
    assert kinds(mend()) == []
    mend(check_sizes=True)
    assert names(inbox) == [f"{GOOD}:2,S"]


def test_a_message_that_was_cut_short_is_told(mailbox, put, mend):
    put(mailbox("user/alice"), f"cur/1700000000.M1P1Q1.host,S={SIZE + 100}:2,S")
    assert "cut short" in mend()[0].what


@pytest.mark.parametrize("flags", ["S", "SZ"])
def test_what_a_reader_has_compressed_keeps_its_size(mailbox, put, mend, flags):
    inbox = mailbox("user/alice")
    put(inbox, f"cur/1700000000.M1P1Q1.host,S={SIZE}:2,{flags}", gzip.compress(MESSAGE))
    mend()
    assert names(inbox) == [f"1700000000.M1P1Q1.host,S={SIZE}:2,{flags}"]


def test_two_messages_with_one_name_are_two(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, f"cur/{GOOD}:2,S")
    put(inbox, "cur/1700000000.M1P1Q1.host,S=4,W=5:2,F", b"a\nb\n")
    assert "doubled" in kinds(mend())
    first, second = names(inbox)
    assert first.partition(",")[0] != second.partition(",")[0]
    assert {first.partition(":")[2], second.partition(":")[2]} == {"2,S", "2,F"}


def test_two_names_of_one_file_become_one(mailbox, put, mend):
    inbox = mailbox("user/alice")
    os.link(put(inbox, f"new/{GOOD}"), inbox.path / "cur" / f"{GOOD}:2,S")
    mend()
    assert (names(inbox), names(inbox, "new")) == ([f"{GOOD}:2,S"], [])


def test_a_name_that_a_reader_has_just_changed_is_not_taken_for_a_second_one(mailbox, put):
    """It looks like one where the file has another name in another folder, too."""
    inbox = mailbox("user/alice")
    os.link(put(inbox, f"cur/{GOOD}:2,"), inbox.path / "elsewhere")
    with Hands(inbox) as hands, pytest.raises(FileNotFoundError):
        hands.unlink(("cur", f"{GOOD}:2,"), ("cur", f"{GOOD}:2,S"))
    (name,) = names(inbox)
    assert (inbox.path / "cur" / name).read_bytes() == MESSAGE


def test_a_name_that_no_list_can_hold_is_replaced(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, "cur/bad\nname:2,S")
    mend()
    (name,) = names(inbox)
    assert "\n" not in name
    assert name.endswith(f",S={SIZE},W={WIRE}:2,S")


def test_links_directories_and_pipes_among_messages_are_told_and_left(mailbox, mend, tmp_path):
    cur = mailbox("user/alice").path / "cur"
    secret = tmp_path / "secret"
    secret.write_text("From: x\n\n")
    (cur / "link:2,S").symlink_to(secret)
    (cur / "directory").mkdir()
    os.mkfifo(cur / "pipe")
    found = mend()
    assert sorted(kinds(found, "left")) == ["directory", "link", "special"]
    assert mend.work.code == os.EX_DATAERR
    assert secret.read_text() == "From: x\n\n"
    assert len(list(cur.iterdir())) == 3


def test_a_message_behind_a_dot_is_seen_again(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, "cur/.hidden", age=DAYS)
    put(inbox, "cur/.nfs0001", age=DAYS)
    mend()
    assert sum(not name.startswith(".") for name in names(inbox)) == 1
    assert ".nfs0001" in names(inbox)


def test_a_message_that_its_owner_may_not_read_can_be_read(mailbox, put, mend):
    path = put(mailbox("user/alice"), f"cur/{GOOD}:2,S")
    path.chmod(0)
    assert kinds(mend()) == ["mode"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_dry_run_changes_nothing_at_all(mailbox, put, mend):
    inbox = mailbox("user/alice")
    put(inbox, "cur/1700000000.M1P1Q1.host,S=5:2,")
    put(inbox, "tmp/old", age=DAYS)
    (inbox.path / "new").rmdir()
    before = {path: path.lstat().st_ctime_ns for path in inbox.path.parent.rglob("*")}
    found = mend(dry_run=True)
    assert kinds(found, "would mend") == ["parts", "unfinished", "size"]
    assert {path: path.lstat().st_ctime_ns for path in inbox.path.parent.rglob("*")} == before
    assert mend.work.code == 0


@pytest.mark.parametrize("size", [43, 44])
def test_a_message_behind_a_dot_keeps_its_flags(mailbox, put, mend, size):
    inbox = mailbox("user/alice")
    put(inbox, f"cur/.1700000000.M1P1Q1.host,S={size},W=47:2,FS", age=DAYS)
    mend()
    (name,) = names(inbox)
    assert name.endswith(",S=43,W=47:2,FS")
    assert name.startswith("1700000000.") is (size == 43)


def test_a_dry_run_tells_what_the_run_then_finds(store, mailbox, put, mend):
    inbox, lists = mailbox("user/alice"), mailbox("user/alice/Lists")
    for number in range(6):
        put(inbox, f"cur/1700000000.M{number}P1Q1.host,S=43,W=47:2,S")
        put(lists, f"cur/1700000001.M{number}P1Q1.host,S=43,W=47:2,S")
    rootlist.set_limits(store, inbox.name, Limits(storage=100000))
    first, second, third, fourth, *_ = sorted((inbox.path / "cur").iterdir())
    first.rename(first.with_name(first.name.replace("S=43", "S=430")))
    second.rename(inbox.path / second.name)
    third.rename(third.with_name(f".{third.name}"))
    os.utime(third.with_name(f".{third.name}"), (0, 0))
    os.link(fourth, inbox.path / "new" / fourth.name.partition(":")[0])
    lists.path.rename(inbox.path / "cur" / ".Lists")
    dry = mend(dry_run=True)
    assert kinds(dry, "would mend") == kinds(mend())
    assert "quota" not in kinds(dry, "would mend")
    assert kinds(mend()) == []
