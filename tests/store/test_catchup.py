"""What is done in a folder while it is copied to another disk is so in the copy."""

import json

import pytest

from sievemda.store import aside, copied, crossing, journey, leftovers, messages
from tests.store.contents import contents, file_of, put


def test_flags_that_change_while_a_message_is_copied_follow(moving, mailbox):
    def meanwhile(inbox, folder):
        messages.set_flags(inbox, file_of(inbox, "x"), ("\\Seen", "work"))
        messages.set_flags(folder, file_of(folder, "y"), ("\\Flagged",))

    assert contents(moving(meanwhile)) == {"x": {"\\Seen", "work"}, "y": set(), "z": set()}
    assert contents(mailbox("user/alice/a")) == {"x": set(), "y": {"\\Flagged"}, "z": set()}


def test_a_message_that_is_expunged_while_it_is_copied_does_not_come_back(moving, mailbox):
    moving(lambda inbox, folder: (file_of(inbox, "x").unlink(), file_of(folder, "z").unlink()))
    assert set(contents(mailbox("user/alice"))) == {"y", "z"}
    assert set(contents(mailbox("user/alice/a"))) == {"x", "y"}


def test_a_folder_that_is_renamed_while_it_is_copied_is_there_once(moving, store, mailbox):
    moving(lambda inbox, folder: folder.path.rename(inbox.path / ".b"))
    assert [store.namespace.format_admin(box.name) for box in store.list()] == ["user/alice", "user/alice/b"]
    assert set(contents(mailbox("user/alice/b"))) == {"x", "y", "z"}


def test_a_script_that_is_replaced_while_it_is_copied_is_the_new_one(moving, store):
    home = store.home("alice")
    (home / "sieve").mkdir()
    for name in ("a", "b", "c"):
        (home / "sieve" / f"{name}.sieve").write_text("keep;")
    (home / ".dovecot.sieve").symlink_to("sieve/a.sieve")

    def meanwhile(_inbox, _folder):
        (home / "sieve/b.sieve").write_text("stop;")
        (home / "sieve/c.sieve").unlink()
        (home / ".dovecot.sieve").unlink()
        (home / ".dovecot.sieve").symlink_to("sieve/b.sieve")

    moved = moving(meanwhile).path.parent
    assert {path.name for path in (moved / "sieve").iterdir()} == {"a.sieve", "b.sieve"}
    assert (moved / ".dovecot.sieve").read_text() == "stop;"


def test_what_a_reader_has_changed_in_the_copy_counts(moving, store, mailbox, monkeypatch):
    real = leftovers.leave

    def leave(store, source, place, **options):
        box = mailbox("user/alice/a")  # of the original, which is found first
        copy = place / "Maildir/.a"
        name = file_of(box, "x").name
        (copy / "new" / name).rename(copy / "cur" / f"{name}:2,F")
        messages.set_flags(box, file_of(box, "x"), ("\\Seen",))
        (copy / "new" / file_of(box, "y").name).unlink()
        real(store, source, place, **options)

    monkeypatch.setattr(crossing.leftovers, "leave", leave)
    moving(lambda *_: None)
    assert contents(mailbox("user/alice/a")) == {"x": {"\\Flagged"}, "z": set()}


def test_what_was_changed_follows_also_when_the_one_who_moved_has_crashed(moving, store, mailbox, monkeypatch):
    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(leftovers, "_follow_all", crash)
    monkeypatch.setattr(journey, "_say", lambda *_: None)
    monkeypatch.setattr(journey, "_go_back", lambda *_: None)

    def meanwhile(inbox, folder):
        messages.set_flags(inbox, file_of(inbox, "x"), ("\\Seen",))
        file_of(folder, "z").unlink()
        put(store, folder, "late")

    with pytest.raises(KeyboardInterrupt):
        moving(meanwhile)
    file_of(mailbox("user/alice"), "y").unlink()  # by a reader of the copy, before anybody goes on
    leftovers.follow(store)
    assert contents(mailbox("user/alice")) == {"x": {"\\Seen"}, "z": set()}
    assert set(contents(mailbox("user/alice/a"))) == {"x", "y", "late"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[[]]",
        b'[{"../../bob/Maildir": {"m": ["cur", "m"]}}, {}, "1"]',
        b'[{"/etc": {"m": ["cur", "m"]}}, {}, "1"]',
        b'[{"Maildir": {"m": ["cur", "../m"]}}, {}, "1"]',
        b'[{"Maildir": {}}, {"../x": 1}, "1"]',
        b'[{"Maildir": {}}, {}]',
        b'[{"Maildir": {}}, {}, {}]',
        b"[" * 100_000,
    ],
)
def test_a_list_that_is_none_of_ours_says_nothing(tmp_path, content):
    (tmp_path / copied.LIST).write_bytes(content)
    assert copied.noted(tmp_path) == (copied.Copied(), True)


def test_a_disk_that_is_too_full_for_the_list_does_not_keep_what_is_to_leave_it(moving, store, monkeypatch):
    real = copied.write_new

    def full(path, *arguments):
        if path.name == copied.LIST:
            raise OSError(28, "No space left on device")
        real(path, *arguments)

    monkeypatch.setattr(copied, "write_new", full)
    assert set(contents(moving(lambda *_: None))) == {"x", "y", "z"}
    assert all(json.loads((entry.path / "entry").read_text())["to"] for entry in aside.entries(store))


def as_dovecot_makes_it(store):
    """A home on the partition `two` for who was logged in before he moved."""
    maildir = store.layout.home("alice", "two") / "Maildir"
    for part in ("cur", "new", "tmp"):
        (maildir / part).mkdir(parents=True)
    (maildir / "dovecot.index.log").write_text("x")
    return maildir


def test_an_empty_home_that_an_imap_server_makes_meanwhile_is_not_in_the_way(moving, store):
    assert set(contents(moving(lambda *_: as_dovecot_makes_it(store)))) == {"x", "y", "z"}


@pytest.mark.parametrize("there", [(), ("w",)])
def test_what_stands_where_the_copy_was_to_be_is_not_taken_for_it(moving, store, mailbox, monkeypatch, there):
    """The one who moved was killed when the copy had been made, and not been put in its place."""

    real = journey._say

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(crossing, "_put_in_place", killed)
        dying.setattr(crossing.shutil, "rmtree", lambda *_, **__: None)
        dying.setattr(crossing.copied, "forget", lambda *_: None)
        dying.setattr(journey, "_say", lambda fd, what: killed() if what == journey._BACK else real(fd, what))
        dying.setattr(journey.Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            moving(lambda *_: None)
    maildir = as_dovecot_makes_it(store)
    for text in there:
        (maildir / "new" / "1700000000.M1P1.x").write_text(f"Subject: {text}\n\n")
    store.recover()
    assert set(contents(mailbox("user/alice"))) == {"x", "y", "z", *there}
    assert set(contents(mailbox("user/alice/a"))) == {"x", "y", "z"}
    assert mailbox("user/alice").partition == "two"
