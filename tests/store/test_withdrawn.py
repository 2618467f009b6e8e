import json
import os
import time

import pytest

from sievemda.errors import NotFound
from sievemda.policy.quota import Limits
from sievemda.store import aside, gathered, messages, withdrawn
from sievemda.store.opened import OpenFolder
from sievemda.store.removal import remove
from sievemda.store.withdrawn import Withdrawn

MESSAGE = b"Subject: x\nMessage-ID: <1@x>\n\nbody\n"
DAY = 86400


@pytest.fixture
def inbox(mailbox):
    return mailbox("user/alice")


@pytest.fixture
def discard(store):
    """Withdraws a message that is in no folder."""

    def call(box, content=MESSAGE, *, last=True, **more):
        entry = Withdrawn.now(store.namespace.format_admin(box.name), "discard", **{"message_id": "<1@x>"} | more)
        staged = store.stage(box.partition, [content])
        withdrawn.put(box, staged, entry, last=last)
        staged.discard()
        return entry

    return call


@pytest.fixture
def later(monkeypatch):
    def jump(seconds):
        now = time.time() + seconds
        monkeypatch.setattr(time, "time", lambda: now)

    return jump


def files(box):
    return sorted(path for part in ("new", "cur") for path in (box.path / part).iterdir())


def listing(box):
    return sorted(path.name for path in withdrawn.area(box.tree).iterdir())


def put(store, box, flags=()):
    return store.stage(box.partition, [MESSAGE]).deliver(box, flags, last=True)


def take_out(box):
    """All messages of a folder, as they expire."""
    with OpenFolder(box, time.time()) as folder:
        return remove(folder, list(folder.entries()), lambda _: True, name="user/alice/Lists", keep=True)


# -- putting away ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("links", [True, False])
def test_a_withdrawn_message_lies_beside_the_maildir_for_nobody_else_to_read(site, last, links):
    store = site(store={"singleinstancestore": links})
    box = store.create(store.namespace.parse_admin("user/alice"))
    staged = store.stage(box.partition, [MESSAGE])
    entry = Withdrawn.now("user/alice", "discard", subject="x")
    withdrawn.put(box, staged, entry, last=last)
    area = withdrawn.area(box.tree)
    assert area.parent == box.path.parent
    assert (area / entry.id).read_bytes() == MESSAGE
    assert listing(box) == [entry.id, entry.id + ".entry"]
    assert area.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in area.iterdir()} == {0o600}
    assert staged.path.exists() != last
    assert files(box) == []


def test_a_message_costs_no_second_copy(store, inbox):
    staged = store.stage(inbox.partition, [MESSAGE])
    staged.deliver(inbox)
    entry = Withdrawn.now("user/alice", "discard")
    withdrawn.put(inbox, staged, entry, last=False)
    assert files(inbox)[0].samefile(withdrawn.area(inbox.tree) / entry.id)


def test_where_a_link_is_impossible_the_message_is_copied(inbox, discard, monkeypatch):
    real = os.rename

    def fail(source, target, **more):
        if "stage." in str(source):
            raise OSError(18, "no")
        real(source, target, **more)

    monkeypatch.setattr(os, "rename", fail)
    entry = discard(inbox)
    assert (withdrawn.area(inbox.tree) / entry.id).read_bytes() == MESSAGE
    assert len(listing(inbox)) == 2


def test_a_message_is_taken_out_of_its_folder_with_its_flags(store, mailbox, inbox):
    box = mailbox("user/alice/Lists")
    put(store, box, ("\\Seen", "work"))
    take_out(box)
    assert files(box) == []
    (entry,) = withdrawn.entries(box.tree)
    assert (entry.why, set(entry.flags), entry.size) == ("expire", {"\\Seen", "work"}, len(MESSAGE))
    restored, file = withdrawn.restore(store, box.tree, entry)
    assert restored.name == box.name
    assert set(messages.flags_of(box, file)) == {"\\Seen", "work"}
    assert files(inbox) == []


def test_what_cannot_be_written_leaves_nothing_and_the_message_where_it_is(store, inbox, monkeypatch):
    file = put(store, inbox)

    def fail(*_, **__):
        raise OSError(28, "full")

    monkeypatch.setattr(gathered, "write_new", fail)
    assert "full" in str(take_out(inbox).error)
    assert file.exists()
    assert listing(inbox) == []


def test_texts_of_strangers_are_cut(inbox, discard):
    discard(inbox, subject="x" * 10_000, message_id="<" + "y" * 10_000)
    (entry,) = withdrawn.entries(inbox.tree)
    assert (len(entry.subject), len(entry.message_id)) == (1000, 1000)


# -- bringing back -----------------------------------------------------------------------------------------------------


def test_a_message_comes_back_as_it_was_with_the_time_it_came(store, inbox, discard):
    entry = discard(inbox)
    path = withdrawn.area(inbox.tree) / entry.id
    os.utime(path, (1_000_000_000, 1_000_000_000))
    _, file = withdrawn.restore(store, inbox.tree, next(withdrawn.entries(inbox.tree)))
    assert (file.read_bytes(), file.stat().st_mtime) == (MESSAGE, 1_000_000_000)
    assert files(inbox) == [file]
    assert listing(inbox) == []


def test_it_comes_back_once(store, inbox, discard):
    discard(inbox)
    (entry,) = withdrawn.entries(inbox.tree)
    withdrawn.restore(store, inbox.tree, entry)
    with pytest.raises(NotFound):
        withdrawn.restore(store, inbox.tree, entry)
    assert len(files(inbox)) == 1


def test_only_what_came_back_counts_for_the_quota(store, inbox, discard):
    store.make_root(inbox).set_limits(Limits(storage=1 << 20))
    discard(inbox)
    assert inbox.quota_root().usage(fresh=True).storage == 0
    withdrawn.restore(store, inbox.tree, next(withdrawn.entries(inbox.tree)))
    assert inbox.quota_root().usage().storage == len(MESSAGE)


def test_where_the_folder_is_gone_it_comes_to_the_inbox(store, mailbox, inbox):
    box = mailbox("user/alice/Lists")
    put(store, box)
    take_out(box)
    store.delete(box.name)
    restored, _ = withdrawn.restore(store, inbox.tree, next(withdrawn.entries(inbox.tree)))
    assert restored.name == inbox.name


def test_it_comes_to_another_folder_when_asked_for(store, mailbox, inbox, discard):
    discard(inbox)
    far = store.create(store.namespace.parse_admin("user/alice/far"), partition="two")
    withdrawn.restore(store, inbox.tree, next(withdrawn.entries(inbox.tree)), far)
    assert len(files(far)) == 1


def test_an_entry_that_names_somebody_elses_mailbox_brings_the_message_to_its_own_user(store, mailbox, inbox, discard):
    bob = mailbox("user/bob")
    discard(inbox)
    path = next(path for path in withdrawn.area(inbox.tree).iterdir() if path.name.endswith(".entry"))
    path.write_text(path.read_text().replace("user/alice", "user/bob"))
    restored, _ = withdrawn.restore(store, inbox.tree, next(withdrawn.entries(inbox.tree)))
    assert restored.name == inbox.name
    assert files(bob) == []


def test_those_of_boards_lie_beside_their_tree(store, mailbox, discard):
    board = mailbox("board")
    discard(board)
    (entry,) = withdrawn.entries(board.tree)
    restored, _ = withdrawn.restore(store, board.tree, entry)
    assert restored.name == board.name
    assert {tree.owner for tree in withdrawn.trees(store)} == {None}


# -- users come and go -------------------------------------------------------------------------------------------------


def test_they_go_and_come_with_their_user(store, mailbox, inbox, discard):
    discard(inbox)
    store.delete(inbox.name)
    again = mailbox("user/alice")
    assert list(withdrawn.entries(again.tree)) == []
    store.delete(again.name)
    first = store.namespace.parse_admin("user/first")
    ids = [entry.id for entry in aside.entries(store)]
    back = store.undelete(inbox.name, to=first, deletion=ids[0])
    assert len(list(withdrawn.entries(back.tree))) == 1
    renamed = store.rename(first, store.namespace.parse_admin("user/second"))
    assert len(list(withdrawn.entries(renamed.tree))) == 1


def test_they_go_with_a_user_whose_home_is_not_ours(site, tmp_path):
    store = site(store={"mail_home": f"{tmp_path}/home/{{user}}"})
    box = store.create(store.namespace.parse_admin("user/alice"))
    withdrawn.put(box, store.stage("default", [MESSAGE]), Withdrawn.now("user/alice", "discard"), last=True)
    store.delete(box.name)
    assert not (tmp_path / "home/alice/withdrawn.").exists()


# -- messages that leave a folder together -----------------------------------------------------------------------------


def test_messages_that_leave_a_folder_together_cost_no_file_of_their_own(store, inbox):
    for _ in range(5):
        put(store, inbox)
    take_out(inbox)
    (directory,) = withdrawn.area(inbox.tree).iterdir()
    assert len([path for path in directory.rglob("*") if path.is_file()]) == 6
    assert len({entry.id for entry in withdrawn.entries(inbox.tree)}) == 5


def test_a_name_that_is_taken_replaces_nothing(store, inbox):
    first, second = put(store, inbox), put(store, inbox)
    with OpenFolder(inbox, time.time()) as folder:
        _take_out(folder, list(folder.entries()), first.name)
        second.rename(second.with_name(first.name))
        _take_out(folder, list(folder.entries()), first.name)
    assert len(list(withdrawn.entries(inbox.tree))) == 2


def _take_out(folder, entries, name):
    chosen = [entry for entry in entries if entry.name == name]
    assert remove(folder, chosen, lambda _: True, name="user/alice", keep=True).messages == 1


def test_a_keyword_that_the_folder_learns_meanwhile_comes_back_too(store, inbox):
    first, second = put(store, inbox, ("old",)), put(store, inbox)
    with OpenFolder(inbox, time.time()) as folder:
        _take_out(folder, list(folder.entries()), first.name)
        changed = messages.set_flags(inbox, second, ("young",))
        _take_out(folder, list(folder.entries()), changed.name)
    assert sorted(entry.flags for entry in withdrawn.entries(inbox.tree)) == [("old",), ("young",)]


def test_nothing_stays_where_nothing_was_taken(store, inbox):
    put(store, inbox)
    with OpenFolder(inbox, time.time()) as folder:
        entries = list(folder.entries())
        messages.set_flags(inbox, files(inbox)[0], ("\\Flagged",))
        assert remove(folder, entries, lambda _: False, name="user/alice", keep=True).messages == 0
    assert listing(inbox) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"mailbox": 3}', "\0"])
def test_where_nobody_knows_any_more_whence_they_came_they_come_to_the_inbox(content, store, mailbox, inbox):
    box = mailbox("user/alice/Lists")
    put(store, box, ("\\Seen",))
    take_out(box)
    (directory,) = withdrawn.area(inbox.tree).iterdir()
    (directory / "about").write_text(content)
    (entry,) = withdrawn.entries(inbox.tree)
    restored, _ = withdrawn.restore(store, inbox.tree, entry)
    assert (restored.name, entry.flags) == (inbox.name, ("\\Seen",))


def test_those_of_both_forms_are_listed_in_their_order_and_pruned(store, inbox, discard, later):
    kept = [discard(inbox).id]
    put(store, inbox)
    put(store, inbox)
    take_out(inbox)
    kept.append(discard(inbox).id)
    found = [entry.id for entry in withdrawn.entries(inbox.tree)]
    assert (found[0], found[-1], len(found)) == (kept[0], kept[1], 4)
    assert [entry.id for entry in withdrawn.entries(inbox.tree, latest_first=True)] == found[::-1]
    assert withdrawn.prune(inbox.tree, DAY, 2 * len(MESSAGE)) == 2
    assert [entry.id for entry in withdrawn.entries(inbox.tree)] == found[2:]
    later(2 * DAY)
    assert withdrawn.prune(inbox.tree, DAY, 1 << 20) == 2
    assert listing(inbox) == []


def test_a_directory_that_is_somebodys_link_is_passed_over(inbox, store, tmp_path):
    put(store, inbox)
    take_out(inbox)
    (directory,) = withdrawn.area(inbox.tree).iterdir()
    directory.rename(tmp_path / "elsewhere")
    directory.symlink_to(tmp_path / "elsewhere")
    assert list(withdrawn.entries(inbox.tree)) == []
    withdrawn.prune(inbox.tree, -DAY, 0)
    assert len([path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()]) == 2


# -- removing for good -------------------------------------------------------------------------------------------------


def test_the_old_are_removed_for_good(inbox, discard, later):
    discard(inbox)
    later(2 * DAY)
    discard(inbox)
    assert withdrawn.prune(inbox.tree, DAY, 1 << 20) == 1
    assert len(listing(inbox)) == 2
    assert withdrawn.prune(inbox.tree, 3 * DAY, 1 << 20) == 0


def test_of_too_many_the_oldest_are_removed(inbox, discard):
    kept = [discard(inbox).id for _ in range(5)][-2:]
    assert withdrawn.prune(inbox.tree, DAY, 2 * len(MESSAGE)) == 3
    assert [entry.id for entry in withdrawn.entries(inbox.tree)] == kept


def test_a_message_that_has_lost_its_entry_stays_as_long_as_others_by_its_own_time(inbox, discard, later):
    entry, area = discard(inbox), withdrawn.area(inbox.tree)
    (area / f"{entry.id}.entry").unlink()
    (area / entry.id).rename(area / f"{int(time.time()) - 3 * DAY}.M1P1Q1.host")
    late = discard(inbox).id
    (area / f"{late}.entry").unlink()
    later(2 * DAY)
    withdrawn.prune(inbox.tree, 6 * DAY, 1 << 20)
    assert len(listing(inbox)) == 2
    withdrawn.prune(inbox.tree, 4 * DAY, 1 << 20)
    assert listing(inbox) == [late]


def test_an_entry_that_has_lost_its_message_goes_after_a_day(inbox, discard, later):
    entry = discard(inbox)
    area = withdrawn.area(inbox.tree)
    (area / "lonely.too.entry").write_text("{}")
    (area / "damaged").write_bytes(MESSAGE)
    (area / "damaged.entry").write_text("{")
    assert [found.id for found in withdrawn.entries(inbox.tree)] == [entry.id]
    withdrawn.prune(inbox.tree, 9 * DAY, 1 << 20)
    assert len(listing(inbox)) == 5
    later(2 * DAY)
    withdrawn.prune(inbox.tree, 9 * DAY, 1 << 20)
    assert listing(inbox) == [entry.id, entry.id + ".entry", "damaged", "damaged.entry"]  # a repair brings it back


@pytest.mark.parametrize(("options", "left"), [({}, 1), ({"discard_days": 0}, 0), ({"expunge_mode": "immediate"}, 0)])
def test_the_housekeeper_goes_by_the_settings(site, options, left):
    store = site(store=options)
    box = store.create(store.namespace.parse_admin("user/alice"))
    withdrawn.put(box, store.stage("default", [MESSAGE]), Withdrawn.now("user/alice", "discard"), last=True)
    assert store.forget_deleted() == 1 - left
    assert len(list(withdrawn.entries(box.tree))) == left


# -- users with shells -------------------------------------------------------------------------------------------------


def test_a_link_in_place_of_the_area_is_not_followed(inbox, discard, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    withdrawn.area(inbox.tree).symlink_to(outside)
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        discard(inbox)
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        list(withdrawn.entries(inbox.tree))
    assert withdrawn.prune(inbox.tree, -DAY, 0) == 0
    assert [path.name for path in outside.iterdir()] == ["precious"]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/passwd"), os.mkdir])
def test_what_is_no_message_is_not_brought_back(store, inbox, make):
    area = withdrawn.area(inbox.tree)
    area.mkdir()
    make(area / "evil")
    entry = Withdrawn("evil", "user/alice", "discard", time.time())
    content = {name: getattr(entry, name) for name in Withdrawn.__dataclass_fields__}
    (area / "evil.entry").write_text(json.dumps(content))
    with pytest.raises(OSError, match=r"not a regular file|symbolic|directory"):
        withdrawn.restore(store, inbox.tree, next(withdrawn.entries(inbox.tree)))
    assert files(inbox) == []


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/passwd"), os.mkdir])
def test_what_is_no_entry_is_passed_over(inbox, discard, make):
    entry = discard(inbox)
    area = withdrawn.area(inbox.tree)
    (area / "evil").write_bytes(MESSAGE)
    make(area / "evil.entry")
    assert [found.id for found in withdrawn.entries(inbox.tree)] == [entry.id]
