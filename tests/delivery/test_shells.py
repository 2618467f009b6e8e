"""Users with shells own what lies in their homes, and may put anything there: links, pipes, directories, junk.

Whatever they do, nothing outside of their home is written or read, nothing hangs, no other user is hurt, and a message
is where it can be found or the sender comes again.
"""

import errno
import fcntl
import os
import shutil

import pytest

from sievemda.errors import TemporaryTrouble
from sievemda.mail.result import Result
from sievemda.policy.quota import Limits
from sievemda.store import messages
from sievemda.store.scripts import ScriptStore
from tests.delivery.world import message

FILED = 'require ["fileinto", "imap4flags"]; fileinto :flags ["\\\\Seen", "work"] "A";'
AGAIN = {Result.TROUBLE, Result.MAILBOX_BROKEN, Result.MEMORY_TROUBLE, Result.NO_SUCH_USER}


@pytest.fixture
def outside(tmp_path):
    """Somebody else's folder, which must stay as it is."""
    place = tmp_path / "outside"
    for part in ("cur", "new", "tmp"):
        (place / part).mkdir(parents=True)
    (place / "cur" / "1.secret,S=3,W=3:2,S").write_text("x\ny")
    for name in ("dovecot-acl", "dovecot-keywords", "maildirsize", "subscriptions", "sievemda-mailbox"):
        (place / name).write_text("anyone lrswipkxtea\n" if name == "dovecot-acl" else "0 stolen\n")
    return place


def picture(place):
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(place.rglob("*"))}


def link_to_directory(path, outside):
    path.symlink_to(outside / path.name if (outside / path.name).exists() else outside)


def link_to_nothing(path, outside):
    path.symlink_to(outside / "nothing" / path.name)


def link_to_itself(path, outside):
    path.symlink_to(path.name)


def link_upwards(path, outside):
    path.symlink_to("../../../../../../../../../../etc")


def pipe(path, outside):
    os.mkfifo(path)


def directory(path, outside):
    path.mkdir()
    (path / "x").mkdir()


def file(path, outside):
    path.write_bytes(b"\0junk\xff" * 100)


THINGS = [link_to_directory, link_to_nothing, link_to_itself, link_upwards, pipe, directory, file]
PARTS = ["cur", "new", "tmp"]
CONTROL = ["dovecot-acl", "dovecot-keywords", "sievemda-mailbox", "maildirsize", "subscriptions", "dovecot-uidlist"]


def replaced(path, thing, outside):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    thing(path, outside)


def contents(folder):
    """The messages of a folder that are where they belong."""
    parts = [folder / part for part in ("cur", "new") if not folder.is_symlink()]
    found = [path for part in parts if part.is_dir() and not part.is_symlink() for path in part.iterdir()]
    return [path.read_bytes() for path in found if path.is_file() and not path.is_symlink()]


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("part", [*PARTS, *CONTROL, "."])
def test_whatever_stands_in_a_folder_the_message_arrives(world, outside, thing, part):
    world.user("alice", "A", acl=("alice", "lrswipkxtea"), script=FILED)
    world.user("bob")
    world.store.make_root(world.store.find(world.store.namespace.parse_admin("user/alice/A"))).set_limits(
        Limits(storage=1 << 20)
    )
    folder = world.folder("user/alice/A")
    replaced(folder if part == "." else folder / part, thing, outside)
    before = picture(outside)
    assert world.deliver(["alice@x", "bob@x"], message()) == [Result.DELIVERED] * 2
    assert picture(outside) == before
    assert b"<1@example.net>" in b"".join([*contents(folder), *contents(world.folder("user/alice"))])
    assert len(world.files("user/bob")) == 1


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("part", [*PARTS, *CONTROL])
def test_whatever_stands_in_an_inbox_the_message_arrives_or_the_sender_comes_again(world, outside, thing, part):
    world.user("alice")
    world.user("bob")
    world.quota("user/alice", storage=1 << 20)
    inbox = world.folder("user/alice")
    replaced(inbox / part, thing, outside)
    before = picture(outside)
    mine, others = world.deliver(["alice@x", "bob@x"], message())
    assert others is Result.DELIVERED
    assert picture(outside) == before
    assert mine is Result.DELIVERED or mine in AGAIN
    if mine is Result.DELIVERED:
        assert b"<1@example.net>" in b"".join(contents(inbox))
    if mine is Result.NO_SUCH_USER:
        assert part == "cur"  # without it there is no INBOX


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("part", PARTS)
def test_copies_do_not_leave_the_home_either(make_world, outside, thing, part):
    world = make_world(singleinstancestore=False)
    world.user("alice")
    world.user("bob")
    replaced(world.folder("user/alice") / part, thing, outside)
    before = picture(outside)
    assert world.deliver(["alice@x", "bob@x"], message())[1] is Result.DELIVERED
    assert picture(outside) == before


@pytest.mark.parametrize("part", ["cur", "new"])
def test_no_message_is_taken_from_a_directory_elsewhere(world, outside, part):
    world.user("alice", "A")
    shutil.copy(outside / "cur" / "1.secret,S=3,W=3:2,S", outside / "new")
    box = world.store.find(world.store.namespace.parse_admin("user/alice/A"))
    assert messages.locate(box, "1.secret") is None
    replaced(box.path / part, link_to_directory, outside)
    assert messages.locate(box, "1.secret") is None


def test_no_message_is_moved_to_a_directory_elsewhere(world, outside):
    world.user("alice", "A")
    world.deliver("alice@x", message())
    find = world.store.find
    inbox, box = (
        find(world.store.namespace.parse_admin("user/alice")),
        find(world.store.namespace.parse_admin("user/alice/A")),
    )
    replaced(box.path / "new", link_to_directory, outside)
    before = picture(outside)
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        messages.move(world.store, inbox, world.files("user/alice")[0], box, ())
    replaced(inbox.path / "cur", link_to_directory, outside)
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        messages.set_flags(inbox, next((inbox.path / "new").iterdir()), ("\\Seen",))
    assert picture(outside) == before


@pytest.mark.parametrize(
    "where", ["../bob/Maildir", "../bob", "../../shared", "../../stage.", "../../deleted.", "../.."]
)
def test_a_maildir_that_is_a_link_to_what_is_not_his_makes_no_user(world, where):
    world.user("alice")
    world.user("bob", "A")
    world.mailbox("board")
    home = world.store.home("alice")
    for name in ("stage.", "deleted."):
        for part in PARTS:
            (home.parent.parent / name / part).mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        (home.parent.parent / "shared" / part).mkdir(parents=True, exist_ok=True)
        (home.parent / "bob" / part).mkdir(parents=True, exist_ok=True)
        (home.parent.parent / part).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(home / "Maildir")
    (home / "Maildir").symlink_to(where)
    assert world.result("alice@x") is Result.MAILBOX_BROKEN
    assert world.files("user/bob") == []


def test_a_maildir_may_be_a_link_to_his_own_place_elsewhere(make_world, tmp_path):
    world = make_world(partitions={"default": tmp_path / "one", "two": tmp_path / "two"})
    world.user("alice")
    home = world.store.home("alice")
    (tmp_path / "two/user/alice").mkdir(parents=True)
    (home / "Maildir").rename(tmp_path / "two/user/alice/Maildir")
    (home / "Maildir").symlink_to(tmp_path / "two/user/alice/Maildir")
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice")) == 1


def test_a_user_who_locks_his_folder_keeps_a_delivery_waiting_for_so_long_only(world, monkeypatch, caplog):
    world.user("alice")
    world.quota("user/alice", storage=1 << 20)
    monkeypatch.setattr("sievemda.store.rootlock._PATIENCE", 0.02)
    fd = os.open(world.folder("user/alice"), os.O_RDONLY)
    root = world.store.quota_root(world.store.namespace.parse_admin("user/alice"))
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        assert world.deliver("alice@x", message()) == [Result.DELIVERED]
        assert root.recount().messages == 1
    finally:
        os.close(fd)
    assert "is locked by another program" in caplog.text
    assert root.usage(fresh=True).messages == 1


def test_a_user_who_locks_his_scripts_is_told_so_when_he_changes_them(world, monkeypatch):
    world.user("alice")
    scripts = ScriptStore(world.store.home("alice"))
    scripts.put("main", b"keep;")
    monkeypatch.setattr("sievemda.store.scripts.LOCK_PATIENCE", 0.02)
    fd = os.open(world.store.home("alice") / "sieve", os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        with pytest.raises(TemporaryTrouble):
            scripts.put("other", b"keep;")
    finally:
        os.close(fd)
    scripts.put("other", b"keep;")


# -- what cannot be seen now -------------------------------------------------------------------------------------------


@pytest.fixture
def unseen(monkeypatch):
    """Has the system fail to look at what lies below a path."""

    def fail(number, below):
        for name in ("lstat", "stat"):
            real = getattr(os, name)

            def look(path, *arguments, real=real, **more):
                if isinstance(path, str | os.PathLike) and str(path).startswith(str(below)):
                    raise OSError(number, os.strerror(number), str(path))
                return real(path, *arguments, **more)

            monkeypatch.setattr(os, name, look)

    return fail


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE, errno.ENOMEM])
@pytest.mark.parametrize("part", ["", "Maildir", "Maildir/cur"])
def test_a_user_whose_home_cannot_be_seen_is_not_unknown(world, unseen, number, part):
    world.user("alice")
    world.user("bob")
    unseen(number, world.store.home("alice") / part)
    assert world.result("alice@x") is Result.TROUBLE
    assert world.result("bob@x") is Result.ACCEPTED
    assert world.result("nobody@x") is Result.NO_SUCH_USER


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_folder_that_cannot_be_seen_sends_the_message_to_the_inbox(world, unseen, number, caplog):
    world.user("alice", "A")
    world.user("bob", "A", script='require "fileinto"; fileinto "A";')
    folders = [world.folder(f"user/{name}/A") for name in ("alice", "bob")]
    for folder in folders:
        unseen(number, folder)
    assert world.deliver(["alice+A@x", "bob@x"], message()) == [Result.DELIVERED] * 2
    assert len(world.files("user/alice")) == len(world.files("user/bob")) == 1


def test_a_home_that_cannot_be_seen_is_no_reason_not_to_list_the_others(world, unseen, caplog):
    world.user("alice", "A")
    world.user("bob", "A")
    unseen(errno.EIO, world.folder("user/bob/A"))
    assert len(list(world.store.list())) == 3
    unseen(errno.EIO, world.store.home("alice"))
    assert [world.store.namespace.format_admin(found.name) for found in world.store.list()] == ["user/bob"]
    assert "cannot" in caplog.text
