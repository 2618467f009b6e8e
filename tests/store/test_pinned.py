"""A user puts a link in the place of a directory after his mailbox was found and before it is written to."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from sievemda.errors import SievemdaError
from sievemda.policy.quota import Limits
from sievemda.store.files import Dotlock, write_atomically
from sievemda.store.pinned import open_pinned


@pytest.fixture
def outside(tmp_path):
    """What looks like a mailbox with a folder, and is somebody else's."""
    place = tmp_path / "outside"
    for folder in (place, place / ".Lists"):
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True)
        (folder / "maildirsize").write_text("5000S\n0 0\n")
    return place


def content(place):
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in place.rglob("*")}


def deliver(store, box):
    staged = store.stage("default", [b"Subject: x\n\nx\n"])
    try:
        staged.deliver(box, ("\\Seen", "$Junk"))
    finally:
        staged.discard()


WRITING = {
    "delivery": deliver,
    "acl": lambda _, box: box.change_acl(lambda acl: acl.changed("bob", "lrs", "c")),
    "special use": lambda _, box: box.set_special_use("\\Junk"),
    "id": lambda _, box: box.id,
    "quota": lambda _, box: box.quota_root().set_limits(Limits(storage=1000)),
    "count": lambda _, box: box.quota_root().recount(),
}


@pytest.mark.parametrize("what", WRITING)
@pytest.mark.parametrize("swapped", ["Maildir", "Maildir/.Lists"])
def test_nothing_is_written_where_the_link_leads(store, mailbox, outside, swapped, what):
    inbox, box = mailbox("user/alice"), mailbox("user/alice/Lists")
    for each in (inbox, box):
        store.files.roots.at(each.name, each.tree).set_limits(Limits(storage=500_000))
    before = content(outside)
    target = inbox.path.parent / swapped
    target.rename(target.with_name("held"))
    target.symlink_to(outside / ".Lists" if swapped.endswith(".Lists") else outside)
    with suppress(OSError, SievemdaError, AttributeError):
        WRITING[what](store, box)
    assert content(outside) == before


@pytest.mark.parametrize("link", ["home/Maildir", "home/Maildir/.Lists", "home/Maildir/.Lists/new"])
def test_no_step_from_the_maildir_on_is_a_link(tmp_path, link):
    (tmp_path / "home/Maildir/.Lists/new").mkdir(parents=True)
    place = tmp_path / link
    place.rename(tmp_path / "held")
    place.symlink_to(tmp_path / "held")
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        open_pinned(str(tmp_path / "home/Maildir/.Lists/new"))


def test_what_is_above_a_home_may_be_a_link(tmp_path):
    (tmp_path / "disk/home/Maildir/.Lists").mkdir(parents=True)
    (tmp_path / "mail").symlink_to(tmp_path / "disk")
    fd = open_pinned(str(tmp_path / "mail/home/Maildir/.Lists"))
    try:
        assert os.path.samestat(os.fstat(fd), (tmp_path / "disk/home/Maildir/.Lists").stat())
    finally:
        os.close(fd)


def test_no_descriptor_stays_open(tmp_path):
    (tmp_path / "home/Maildir/.Lists").mkdir(parents=True)
    for name in (".Lists", ".None"):
        with suppress(OSError):
            write_atomically(tmp_path / "home/Maildir" / name / "file", b"x", 0o600)
        with suppress(OSError), Dotlock(tmp_path / "home/Maildir" / name / "file", 0o600) as lock:
            lock.replace(b"y")
        with suppress(OSError), Dotlock(tmp_path / "home/Maildir" / name / "file", 0o600):
            pass
    assert [path for path in _open_files() if path.is_relative_to(tmp_path)] == []
    assert [path.name for path in (tmp_path / "home/Maildir/.Lists").iterdir()] == ["file"]


def _open_files():
    """What this process has open."""
    found = []
    for name in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the descriptor of this very listing
            found.append(name.readlink())
    return found
