import errno
import json
import os
from pathlib import Path

import pytest

from sievemda.errors import AlreadyExists, DataError, NotFound, StoreTrouble
from sievemda.policy.acl import Acl
from sievemda.policy.quota import Limits
from sievemda.store import aside, subscriptions
from sievemda.store.scripts import ScriptStore

MESSAGE = b"Subject: x\n\nbody\n"


@pytest.fixture
def do(store):
    """Calls a method of the store with mailbox names as text."""

    def call(method, *texts, **options):
        options = {key: store.namespace.parse_admin(value) if key == "to" else value for key, value in options.items()}
        return getattr(store, method)(*map(store.namespace.parse_admin, texts), **options)

    return call


def put(store, box):
    return store.stage(box.partition, [MESSAGE]).deliver(box, last=True)


def names(store):
    return [store.namespace.format_admin(found.name) for found in store.list()]


def ids(store):
    return [entry.id for entry in aside.entries(store)]


def subscribed(box):
    return subscriptions.subscribed(box.tree.root)


def test_a_folder_comes_back_with_all_that_belongs_to_it(store, mailbox, do):
    box = mailbox("user/alice/Lists")
    box.set_acl(Acl.parse("alice lrswipkxtean bob lrsp"))
    box.set_special_use("\\Junk")
    store.make_root(box).set_limits(Limits(storage=4096, mailboxes=3))
    put(store, box)
    identity = box.id
    do("delete", "user/alice/Lists")
    assert subscribed(mailbox("user/alice")) == ["INBOX"]
    back = do("undelete", "user/alice/Lists")
    assert (back.id, back.special_use, str(back.acl())) == (identity, "\\Junk", "alice lrswipkxtecdan bob lrsp")
    assert back.quota_root().limits() == Limits(storage=4096, mailboxes=3)
    assert back.quota_root().usage().messages == 1
    assert subscribed(back) == ["INBOX", "Lists"]


def test_who_was_not_subscribed_is_not(store, mailbox, do):
    box = mailbox("user/alice/Lists")
    subscriptions.unsubscribe(box.tree.root, [("Lists",)], 0o600)
    do("delete", "user/alice/Lists")
    assert subscribed(do("undelete", "user/alice/Lists")) == ["INBOX"]


def test_what_is_deleted_is_counted_by_no_root_until_it_is_back(store, mailbox, do):
    inbox = mailbox("user/alice")
    store.make_root(inbox).set_limits(Limits(storage=1 << 20))
    put(store, mailbox("user/alice/Lists"))
    assert inbox.quota_root().usage().storage == len(MESSAGE)
    do("delete", "user/alice/Lists")
    assert inbox.quota_root().usage().storage == 0
    do("undelete", "user/alice/Lists")
    assert inbox.quota_root().usage().storage == len(MESSAGE)


def test_a_folder_comes_back_under_another_name(store, mailbox, do):
    message = put(store, mailbox("user/alice/Lists"))
    do("delete", "user/alice/Lists")
    mailbox("user/alice/Lists")
    back = do("undelete", "user/alice/Lists", to="user/alice/Found/again")
    assert (back.path / "new" / message.name).read_bytes() == MESSAGE
    assert ids(store) == []
    assert names(store) == ["user/alice", "user/alice/Found/again", "user/alice/Lists"]


def test_a_folder_comes_back_to_another_user_who_then_owns_it(store, mailbox, do):
    mailbox("user/alice/Lists")
    mailbox("user/bob")
    do("delete", "user/alice")
    with pytest.raises(NotFound):
        do("undelete", "user/alice/Lists", to="user/bob/Lists")
    do("undelete", "user/alice")
    do("delete", "user/alice/Lists")
    back = do("undelete", "user/alice/Lists", to="user/bob/Lists")
    assert "bob lkxcan" in str(back.acl())


def test_a_board_comes_back_as_a_folder_and_the_other_way_round(store, mailbox, do):
    mailbox("user/alice/Lists")
    mailbox("board")
    do("delete", "board")
    do("delete", "user/alice/Lists")
    do("undelete", "board", to="user/alice/board")
    do("undelete", "user/alice/Lists", to="lists")
    assert names(store) == ["lists", "user/alice", "user/alice/board"]


def test_any_of_several_deletions_can_be_chosen(store, mailbox, do):
    made = []
    for _ in range(3):
        made.append(mailbox("user/alice/x").id)
        do("delete", "user/alice/x")
    do("undelete", "user/alice/x", deletion=ids(store)[1])
    assert mailbox("user/alice/x").id == made[1]
    assert len(ids(store)) == 2
    with pytest.raises(NotFound):
        do("undelete", "user/alice/x", deletion="nope", to="user/alice/y")
    with pytest.raises(NotFound):
        do("undelete", "user/alice/y", deletion=ids(store)[0])


def test_a_user_comes_back_with_everything(store, mailbox, do):
    inbox = mailbox("user/alice")
    far = do("create", "user/alice/far", partition="two")
    message, identity = put(store, far), inbox.id
    store.make_root(inbox).set_limits(Limits(messages=7))
    scripts = ScriptStore(store.home("alice"))
    scripts.put("main", b"keep;")
    scripts.activate("main")
    do("delete", "user/alice")
    assert names(store) == []
    back = do("undelete", "user/alice")
    assert (back.id, back.quota_root().limits()) == (identity, Limits(messages=7))
    assert subscribed(back) == ["INBOX", "far"]
    assert ScriptStore(store.home("alice")).active() == ("main", b"keep;")
    assert message.read_bytes() == MESSAGE


def test_a_user_comes_back_under_another_name(store, mailbox, do):
    mailbox("user/alice/a").set_acl(Acl.parse("alice lrsa bob p"))
    message = put(store, do("create", "user/alice/far", partition="two"))
    do("delete", "user/alice")
    mailbox("user/alice")
    do("undelete", "user/alice", to="user/carol")
    assert names(store) == ["user/alice", "user/carol", "user/carol/a", "user/carol/far"]
    assert str(mailbox("user/carol/a").acl()) == "carol lrsa bob p"
    far = mailbox("user/carol/far")
    assert far.partition == "two"
    assert (far.path / "new" / message.name).read_bytes() == MESSAGE


@pytest.mark.parametrize(
    ("name", "to", "error"),
    [
        ("user/alice/a", "user/alice/b", AlreadyExists),
        ("user/alice/a", "user/carol", DataError),
        ("user/alice", "user/alice/z", DataError),
        ("user/alice", "user/bob", AlreadyExists),
        ("user/alice/a", "user/alice/x;y", DataError),
        ("user/alice/a", "user/alice/" + "x" * 300, DataError),
        ("user/alice/a", "user/nobody/a", NotFound),
        ("user/nobody", "user/carol", NotFound),
    ],
)
def test_what_cannot_come_back_there_stays_where_it_is(store, mailbox, do, name, to, error):
    for text in ("user/alice/a", "user/alice/b", "user/bob"):
        mailbox(text)
    if name != "user/nobody":
        do("delete", name)
        if name == "user/alice":
            mailbox("user/alice")
    before, there = names(store), ids(store)
    with pytest.raises(error):
        do("undelete", name, to=to)
    assert (names(store), ids(store)) == (before, there)
    if there:
        do("undelete", name, to="user/dave" if name == "user/alice" else "user/bob/found")


def test_a_folder_of_a_user_who_is_gone_waits_for_him(store, mailbox, do):
    mailbox("user/alice/a")
    do("delete", "user/alice/a")
    do("delete", "user/alice")
    with pytest.raises(NotFound, match="no user alice"):
        do("undelete", "user/alice/a")
    assert not store.home("alice").exists()
    do("undelete", "user/alice")
    do("undelete", "user/alice/a")
    assert names(store) == ["user/alice", "user/alice/a"]


def test_a_folder_of_a_user_who_has_moved_comes_to_where_he_is(store, mailbox, do):
    message = put(store, mailbox("user/alice/a"))
    do("delete", "user/alice/a")
    do("rename", "user/alice", "user/alice", partition="two")
    back = do("undelete", "user/alice/a")
    assert (back.path / "new" / message.name).read_bytes() == MESSAGE
    assert (back.tree.root / ".a" / "new" / message.name).exists()


def test_a_partition_may_be_mounted_elsewhere_in_between(site, tmp_path):
    store = site()
    name = store.namespace.parse_admin("user/alice/a")
    store.create(name.parent)
    store.create(name)
    store.delete(name)
    (tmp_path / "mail").rename(tmp_path / "elsewhere")
    store = site(store={"partitions": {"default": tmp_path / "elsewhere"}})
    assert store.undelete(name).path == tmp_path / "elsewhere/user/alice/Maildir/.a"


def test_nothing_is_half_done_when_a_part_of_a_user_cannot_come_back(store, mailbox, do, monkeypatch):
    mailbox("user/alice")
    do("create", "user/alice/far", partition="two")
    do("delete", "user/alice")
    real = Path.rename

    def rename(self, target):
        if str(target).endswith("mail/user/alice"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(StoreTrouble):
            do("undelete", "user/alice")
    assert names(store) == []
    do("undelete", "user/alice")
    assert names(store) == ["user/alice", "user/alice/far"]


def test_a_deletion_that_was_cut_short_can_be_undone(store, mailbox, do):
    mailbox("user/alice")
    far = do("create", "user/alice/far", partition="two")
    home = far.path.parent.parent
    do("delete", "user/alice")
    (entry,) = aside.entries(store)
    Path(entry.parts[1][0]).rename(home)  # as if the second of its two steps had not been done
    do("undelete", "user/alice")
    assert names(store) == ["user/alice", "user/alice/far"]


def test_what_is_left_of_a_link_is_not_in_the_way(store, mailbox, do):
    mailbox("user/alice")
    far = do("create", "user/alice/far", partition="two")
    seen = far.tree.folder(("far",))
    do("delete", "user/alice/far")
    seen.symlink_to(far.path)  # as if the deletion had been cut short
    assert do("create", "user/alice/far").partition == "default"


def test_deletions_say_how_much_they_hold(store, mailbox, do):
    box = mailbox("user/alice/a")
    put(store, box)
    put(store, mailbox("user/alice"))
    do("delete", "user/alice/a")
    do("delete", "user/alice")
    assert [entry.contents() for entry in aside.entries(store)] == [(len(MESSAGE), 1), (len(MESSAGE), 1)]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": 1}', '{"name": "x", "deleted": "y", "parts": 3}'])
def test_a_damaged_entry_is_passed_over(store, mailbox, do, content):
    mailbox("user/alice/a")
    do("delete", "user/alice/a")
    broken = store.layout.deleted("default") / "broken"
    broken.mkdir()
    (broken / "entry").write_text(content)
    assert len(ids(store)) == 1


def test_an_immediate_deletion_is_final(site):
    store = site(store={"delete_mode": "immediate"})
    name = store.namespace.parse_admin("user/alice")
    store.create(name)
    store.delete(name)
    assert ids(store) == []


def test_entries_of_before_are_understood(store, mailbox, do):
    mailbox("user/alice/a")
    do("delete", "user/alice/a")
    (entry,) = aside.entries(store)
    old = {"name": entry.name, "deleted": entry.deleted, "parts": entry.parts, "link": None, "mailbox": True}
    (entry.path / "entry").write_text(json.dumps(old))
    assert do("undelete", "user/alice/a").name.path == ("a",)
