"""Whatever a directory shows at a bad moment, and whoever is at it: a move to another disk removes no message."""

import errno
import os
import time
from pathlib import Path

import pytest

from sievemda.errors import StoreTrouble
from sievemda.store import (
    aside,
    catchup,
    copied,
    crossing,
    emptying,
    gone,
    journey,
    leftovers,
    lost,
    messages,
    record,
    withdrawn,
)
from sievemda.store.files import locked_within, open_directory
from tests.store.contents import contents, file_of, put

ALL = {"x", "y", "z"}


@pytest.fixture
def crashed(moving, store, monkeypatch):
    """As `moving`, but the one who moves dies when the original is out of sight; the leftover."""

    def move(meanwhile=lambda *_: None):
        def crash(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as dying:
            dying.setattr(leftovers, "_follow_now", crash)
            dying.setattr(journey, "_say", lambda *_: None)
            dying.setattr(journey, "_go_back", lambda *_: None)
            with pytest.raises(KeyboardInterrupt):
                moving(meanwhile)
        (entry,) = [entry for entry in aside.entries(store) if entry.to]
        return Path(entry.parts[0][0])

    return move


def kept(store, box):
    """What can be brought back, by subject."""
    return {entry.subject: (entry.mailbox, entry.why) for entry in withdrawn.entries(box.tree)}


def restored(store, box):
    for entry in [*withdrawn.entries(box.tree)]:
        withdrawn.restore(store, box.tree, entry)
    return contents(box)


# -- what has gone from the original -----------------------------------------------------------------------------------


def test_what_was_expunged_while_it_was_copied_can_be_brought_back(moving, store, mailbox):
    def meanwhile(inbox, folder):
        messages.set_flags(folder, file_of(folder, "z"), ("\\Seen", "work"))
        file_of(inbox, "x").unlink()

    inbox = moving(meanwhile)
    assert kept(store, inbox) == {"x": ("user/alice", "move")}
    assert restored(store, inbox) == {"x": set(), "y": set(), "z": set()}


def test_it_is_pruned_as_what_has_expired(moving, store, monkeypatch):
    inbox = moving(lambda inbox, _: file_of(inbox, "x").unlink())
    now = time.time() + (store.settings.store.discard_days + 1) * 86400
    monkeypatch.setattr(time, "time", lambda: now)
    store.forget_deleted()
    assert kept(store, inbox) == {}
    assert set(contents(inbox)) == {"y", "z"}


def test_a_folder_that_a_reader_empties_stays_empty_and_can_be_filled_again(moving, store, mailbox):
    moving(lambda _, folder: [file_of(folder, text).unlink() for text in ALL])
    folder = mailbox("user/alice/a")
    assert contents(folder) == {}
    assert set(restored(store, folder)) == ALL


def test_an_original_that_somebody_empties_just_then_takes_nothing_from_the_copy(moving, mailbox, monkeypatch):
    real = catchup.settled

    def settled(folder):
        for file in [*(folder / "new").iterdir()]:
            file.unlink()
        found = real(folder)
        copied.is_followed(
            folder.parent if folder.name == "Maildir" else folder.parent.parent
        )  # as who removes it says
        return found

    monkeypatch.setattr(catchup, "settled", settled)
    assert set(contents(moving(lambda *_: None))) == ALL
    assert set(contents(mailbox("user/alice/a"))) == ALL


def test_an_original_in_whose_place_there_is_another_takes_nothing_from_the_copy(moving, mailbox, monkeypatch):
    real = catchup.settled

    def settled(folder):
        left = folder.parent
        left.rename(left.with_name("9"))
        left.mkdir()
        (left / copied.LIST).write_bytes((left.with_name("9") / copied.LIST).read_bytes())
        monkeypatch.setattr(catchup, "settled", real)
        return real(folder)

    monkeypatch.setattr(catchup, "settled", settled)
    assert set(contents(moving(lambda *_: None))) == ALL


def test_a_look_that_misses_a_message_is_not_believed(moving, mailbox, store, monkeypatch):
    real, looks = catchup.messages_in, []

    def messages_in(folder):
        looks.append(folder)
        found = real(folder)
        return found if looks.count(folder) > 1 else dict(list(found.items())[1:])

    monkeypatch.setattr(catchup, "messages_in", messages_in)
    inbox = moving(lambda *_: None)
    assert set(contents(inbox)) == ALL
    assert kept(store, inbox) == {}


def test_a_folder_that_changes_all_the_time_is_left_for_later(tmp_path, monkeypatch):
    (tmp_path / "cur").mkdir()
    numbers = iter(range(100))
    monkeypatch.setattr(catchup, "messages_in", lambda _: {"x": ("cur", str(next(numbers)))})
    with pytest.raises(Exception, match="changes all the time"):
        catchup.settled(tmp_path)


def test_a_damaged_original_takes_nothing_from_the_copy(moving, mailbox):
    def damage(_, folder):
        for file in (folder.path / "cur").iterdir():
            file.unlink()
        (folder.path / "cur").rmdir()
        for file in (folder.path / "new").iterdir():
            file.unlink()

    moving(damage)
    assert set(contents(mailbox("user/alice/a"))) == ALL


def test_where_there_is_no_room_for_what_has_gone_it_stays(moving, mailbox, store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as now:
        now.setattr(gone, "Gathering", full)
        inbox = moving(lambda inbox, _: file_of(inbox, "x").unlink())
        assert set(contents(inbox)) == ALL
    leftovers.follow(store)
    assert set(contents(inbox)) == {"y", "z"}
    assert set(kept(store, inbox)) == {"x"}


def test_a_script_that_is_removed_while_it_is_copied_is_kept(moving, store, mailbox):
    (store.home("alice") / "sieve").mkdir()
    (store.home("alice") / "sieve/a.sieve").write_text("stop;")
    mailbox("user/alice")
    box = moving(lambda *_: (store.home("alice") / "sieve/a.sieve").unlink())
    (file,) = lost.area(box.tree).iterdir()
    assert file.read_text() == "stop;"


def test_what_has_been_put_away_stays_so(moving, store, mailbox):
    box = mailbox("user/alice")
    staged = store.stage(box.partition, [b"Subject: w\n\n"])
    entry = withdrawn.Withdrawn.now("user/alice", "discard", subject="w")
    withdrawn.put(box, staged, entry, last=True)
    moved = moving(lambda inbox, _: [path.unlink() for path in withdrawn.area(inbox.tree).iterdir()])
    assert kept(store, moved) == {"w": ("user/alice", "discard")}


# -- what has gone from the copy ---------------------------------------------------------------------------------------


def test_what_a_reader_takes_from_the_copy_can_be_brought_back(crashed, store, mailbox):
    crashed()
    box = mailbox("user/alice/a")
    file_of(box, "y").unlink()
    leftovers.follow(store)
    assert set(contents(box)) == {"x", "z"}
    assert kept(store, box) == {"y": ("user/alice/a", "move")}


def test_what_has_gone_from_the_original_goes_though_a_reader_has_seen_it_in_the_copy(crashed, store, mailbox):
    """Whoever looks at a folder brings what is new to `cur`: a message that was moved elsewhere was there twice."""
    crashed(lambda _, folder: file_of(folder, "x").unlink())
    box = mailbox("user/alice/a")
    for file in [*(box.path / "new").iterdir()]:
        file.rename(box.path / "cur" / f"{file.name}:2,")
    leftovers.follow(store)
    assert contents(box) == {"y": set(), "z": set()}
    assert set(kept(store, box)) == {"x"}


def test_flags_follow_to_what_a_reader_has_seen_in_the_copy(crashed, store, mailbox):
    crashed(lambda _, folder: messages.set_flags(folder, file_of(folder, "x"), ("\\Flagged",)))
    box = mailbox("user/alice/a")
    for file in [*(box.path / "new").iterdir()]:
        file.rename(box.path / "cur" / f"{file.name}:2,")
    leftovers.follow(store)
    assert contents(box) == {"x": {"\\Flagged"}, "y": set(), "z": set()}


def test_a_folder_that_a_reader_renames_in_the_copy_is_there_once(crashed, store, mailbox):
    crashed(lambda _, folder: put(store, folder, "late"))
    box = mailbox("user/alice/a")
    box.path.rename(box.path.with_name(".b"))
    leftovers.follow(store)
    assert [store.namespace.format_admin(found.name) for found in store.list()] == ["user/alice", "user/alice/b"]
    assert set(contents(mailbox("user/alice/b"))) == ALL | {"late"}


def test_a_folder_to_which_a_repair_has_given_another_id_gets_its_mail(crashed, store, mailbox):
    crashed(lambda _, folder: put(store, folder, "late"))
    box = mailbox("user/alice/a")
    box.store.records.change(box.path, id=record.new_id())
    leftovers.follow(store)
    assert set(contents(box)) == ALL | {"late"}


def test_a_folder_with_the_same_id_that_is_not_the_copy_gets_everything(crashed, store, mailbox):
    crashed()
    box = mailbox("user/alice/a")
    for text in ALL:
        file_of(box, text).unlink()  # made anew by somebody, with nothing in it
    (box.path.parent.parent / copied.MARK).unlink()
    leftovers.follow(store)
    assert set(contents(box)) == ALL


# -- several messages of one name --------------------------------------------------------------------------------------


def doubles(box):
    """Two messages whose names begin alike, as of programs that do not write what Maildir asks for."""
    for number in (1, 2):
        (box.path / "cur" / f"m,{number}:2,").write_text(f"Subject: d{number}\n\n")


@pytest.mark.parametrize("number", [1, 2])
def test_of_two_messages_of_one_name_none_replaces_the_other(moving, mailbox, number):
    doubles(mailbox("user/alice/a"))

    def meanwhile(_, folder):
        file_of(folder, f"d{number}").rename(folder.path / "cur" / f"m,{number}:2,F")

    moving(meanwhile)
    assert set(contents(mailbox("user/alice/a"))) == ALL | {"d1", "d2"}


@pytest.mark.parametrize("number", [1, 2])
def test_of_two_messages_of_one_name_that_stays_which_was_not_removed(moving, mailbox, number):
    doubles(mailbox("user/alice/a"))
    moving(lambda _, folder: file_of(folder, f"d{number}").unlink())
    assert set(contents(mailbox("user/alice/a"))) >= ALL | {f"d{3 - number}"}


def test_of_two_messages_of_one_name_the_one_that_came_late_comes_too(moving, mailbox):
    (mailbox("user/alice/a").path / "cur" / "m,1:2,").write_text("Subject: d1\n\n")
    moving(lambda _, folder: (folder.path / "cur" / "m,2:2,").write_text("Subject: d2\n\n"))
    assert set(contents(mailbox("user/alice/a"))) == ALL | {"d1", "d2"}


# -- copies that are not to be -----------------------------------------------------------------------------------------


def in_both(store, place, text):
    """A delivery into the copy, which is in its place beside the original."""
    (place / "Maildir/.a/new" / f"1700000000.M1P1.{text}").write_text(f"Subject: {text}\n\n")


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_what_came_to_a_copy_that_is_taken_back_is_in_the_original(moving, store, mailbox, monkeypatch, error):
    real = aside.set_aside

    def set_aside(store, name, partition, parts, **options):
        if parts[0] == store.layout.home("alice", "default"):
            in_both(store, options["to"], "late")
            file_of(mailbox("user/alice"), "x").unlink()
            raise error
        return real(store, name, partition, parts, **options)

    monkeypatch.setattr(aside, "set_aside", set_aside)
    with pytest.raises((StoreTrouble, KeyboardInterrupt)):
        moving(lambda *_: None)
    assert mailbox("user/alice").partition == "default"
    assert set(contents(mailbox("user/alice"))) == {"y", "z"}
    assert set(kept(store, mailbox("user/alice"))) == {"x"}
    assert set(contents(mailbox("user/alice/a"))) == ALL | {"late"}
    assert not store.layout.home("alice", "two").exists()


def test_what_came_to_the_copy_of_a_folder_that_a_reader_renamed_follows_it(store, mailbox, monkeypatch):
    monkeypatch.setattr(journey, "transfer", crossing.copy)
    box, real = mailbox("user/alice/a"), leftovers.leave
    put(store, box, "x")

    def leave(store, source, place, **options):
        source.rename(source.with_name(".b"))
        (place / "new" / "1700000000.M1P1.late").write_text("Subject: late\n\n")
        real(store, source, place, **options)

    monkeypatch.setattr(crossing.leftovers, "leave", leave)
    with pytest.raises(StoreTrouble):
        store.rename(box.name, box.name, partition="two")
    leftovers.follow(store)
    assert set(contents(mailbox("user/alice/b"))) == {"x", "late"}


def test_who_is_interrupted_when_the_copy_is_in_its_place_leaves_one_of_the_two(moving, store, mailbox, monkeypatch):
    real = crossing._put_in_place

    def put_in_place(*arguments):
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(crossing, "_put_in_place", put_in_place)
    with pytest.raises(KeyboardInterrupt):
        moving(lambda *_: None)
    homes = [store.layout.home("alice", partition).exists() for partition in ("default", "two")]
    assert homes == [True, False]
    assert set(contents(mailbox("user/alice"))) == ALL


def test_a_second_one_who_finds_the_original_gone_leaves_the_copy(moving, store, mailbox):
    """On a file system without locks two may finish the same move."""
    source = store.layout.home("alice", "default")
    moved = moving(lambda *_: None)
    with pytest.raises(FileNotFoundError):
        leftovers.leave(store, source, moved.path.parent)
    assert set(contents(mailbox("user/alice"))) == ALL


# -- folders that a link shows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["two", "default"])
def test_a_folder_is_never_missing_while_it_moves(store, mailbox, monkeypatch, way):
    """Dovecot takes a message for expunged that is not where it was."""
    monkeypatch.setattr(journey, "transfer", crossing.copy)
    box = mailbox("user/alice/a")
    put(store, box, "x")
    if way == "default":
        store.rename(box.name, box.name, partition="two")
    seen, missing = box.tree.folder(box.name.path), []

    look = os.stat

    def watch(name, real):
        def watched(*arguments, **options):
            found = real(*arguments, **options)
            try:
                look(seen / "cur")
            except FileNotFoundError:
                missing.append(name)
            return found

        monkeypatch.setattr(os, name, watched)

    for name in ("rename", "unlink", "symlink", "mkdir", "rmdir", "open", "stat", "lstat"):
        watch(name, getattr(os, name))
    store.rename(box.name, box.name, partition=way)
    assert missing == []
    assert mailbox("user/alice/a").partition == way


@pytest.mark.parametrize("way", ["two", "default"])
def test_where_names_cannot_be_swapped_a_folder_moves_all_the_same(store, mailbox, monkeypatch, way):
    monkeypatch.setattr(journey, "transfer", crossing.copy)
    for module in (aside, crossing):
        monkeypatch.setattr(module, "exchange_paths", lambda *_: False)
    box = mailbox("user/alice/a")
    put(store, box, "x")
    for partition in ("two", way):
        store.rename(box.name, box.name, partition=partition)
    found = mailbox("user/alice/a")
    assert (found.partition, set(contents(found))) == (way, {"x"})


# -- leftovers ---------------------------------------------------------------------------------------------------------


def long_after(store, monkeypatch):
    now = time.time() + (store.settings.store.delete_days + 1) * 86400
    monkeypatch.setattr(time, "time", lambda: now)


def test_a_message_that_cannot_follow_stays_however_long(crashed, store, mailbox, monkeypatch):
    left = crashed(lambda inbox, _: put(store, inbox, "late"))
    long_after(store, monkeypatch)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as now:
        now.setattr(emptying, "copy_file", full)
        store.forget_deleted()
        store.forget_deleted()
        assert left.exists()
    store.forget_deleted()
    assert set(contents(mailbox("user/alice"))) == ALL | {"late"}


def test_what_is_left_of_a_folder_that_is_nowhere_goes_in_the_end(crashed, store, mailbox, monkeypatch):
    left = crashed()
    store.delete(mailbox("user/alice/a").name)
    store.delete(mailbox("user/alice").name)
    for entry in aside.entries(store):
        if entry.mailbox:
            aside.remove(entry)
    leftovers.follow(store)
    assert set(contents(type("Box", (), {"path": left / "Maildir", "store": store.files}))) == ALL
    long_after(store, monkeypatch)
    store.forget_deleted()
    assert not left.exists()


def test_who_removes_a_leftover_waits_for_who_goes_through_it(crashed, store, mailbox, monkeypatch):
    left = crashed()
    leftovers.follow(store)
    monkeypatch.setattr(leftovers, "_PATIENCE", 0)
    monkeypatch.setattr(leftovers, "_LATEST", -10)
    fd = open_directory(left.parent)
    try:
        assert locked_within(fd, 2, 0)
        store.forget_deleted()
        assert left.exists()
    finally:
        os.close(fd)
    store.forget_deleted()
    assert not left.exists()


def test_a_folder_that_leads_to_what_is_left_of_it_keeps_its_mail(crashed, store, mailbox):
    left = crashed() / "Maildir/.a"
    with catchup.opened(left.parent.parent) as original:
        assert emptying.empty(store, original, left, left)
    assert set(contents(type("Box", (), {"path": left, "store": store.files}))) == ALL
