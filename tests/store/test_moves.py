import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sievemda.errors import AlreadyExists, DataError, NotFound, NotPermitted, StoreTrouble
from sievemda.policy.acl import Acl
from sievemda.store import aside, creation
from sievemda.store.names import MailboxName

ALICE = MailboxName("alice")
MESSAGE = b"Subject: x\n\nbody\n"


def listing(directory):
    return {path.name for path in directory.iterdir()}


def names(store, pattern="*"):
    return [store.namespace.format_admin(found.name) for found in store.list(pattern)]


@pytest.fixture
def do(store):
    """Calls a method of the store with mailbox names as text."""

    def call(method, *texts, **options):
        return getattr(store, method)(*map(store.namespace.parse_admin, texts), **options)

    return call


def put(store, box):
    return store.stage(box.partition, [MESSAGE]).deliver(box, last=True)


def subscriptions(box):
    return (box.tree.root / "subscriptions").read_text().splitlines()[2:]


# -- delete ------------------------------------------------------------------------------------------------------------


def test_a_deleted_folder_is_gone_and_unsubscribed(store, mailbox, do):
    box = mailbox("user/alice/Lists")
    do("delete", "user/alice/Lists")
    assert names(store) == ["user/alice"]
    assert not box.path.exists()
    assert subscriptions(mailbox("user/alice")) == ["INBOX"]


def test_a_folder_with_folders_below_it_is_not_deleted(store, mailbox, do):
    mailbox("user/alice/a")
    mailbox("user/alice/a/b")
    with pytest.raises(NotPermitted):
        do("delete", "user/alice/a")
    do("delete", "user/alice/a/b")
    do("delete", "user/alice/a")
    assert names(store) == ["user/alice"]


def test_a_user_goes_with_everything_he_has(store, mailbox, do, tmp_path):
    mailbox("user/alice/a/b")
    do("create", "user/alice/far", partition="two")
    (store.home("alice") / "sieve").mkdir()
    mailbox("user/bob")
    do("delete", "user/alice")
    assert names(store) == ["user/bob"]
    assert not (tmp_path / "mail/user/alice").exists()
    assert not (tmp_path / "two/user/alice").exists()


@pytest.mark.parametrize("text", ["user/nobody", "user/alice/nope", "nope"])
def test_what_is_not_there_cannot_be_deleted(mailbox, do, text):
    mailbox("user/alice")
    with pytest.raises(NotFound):
        do("delete", text)


def test_a_deleted_folder_can_be_brought_back(store, mailbox, do):
    box = mailbox("user/alice/Lists")
    message, identity = put(store, box), box.id
    do("delete", "user/alice/Lists")
    do("undelete", "user/alice/Lists")
    assert message.read_bytes() == MESSAGE
    assert mailbox("user/alice/Lists").id == identity
    assert list(aside.entries(store)) == []


def test_a_deleted_user_can_be_brought_back_from_all_partitions(store, mailbox, do):
    mailbox("user/alice/a")
    far = do("create", "user/alice/far", partition="two")
    message = put(store, far)
    do("delete", "user/alice")
    do("undelete", "user/alice")
    assert names(store) == ["user/alice", "user/alice/a", "user/alice/far"]
    assert message.read_bytes() == MESSAGE


def test_a_deleted_folder_of_another_partition_gets_its_link_back(store, mailbox, do):
    mailbox("user/alice")
    do("create", "user/alice/far", partition="two")
    do("delete", "user/alice/far")
    assert not (mailbox("user/alice").path / ".far").is_symlink()
    do("undelete", "user/alice/far")
    assert mailbox("user/alice/far").partition == "two"


def test_the_latest_of_several_deletions_comes_back(store, mailbox, do):
    ids = []
    for _ in range(2):
        ids.append(mailbox("user/alice/x").id)
        do("delete", "user/alice/x")
    do("undelete", "user/alice/x")
    assert mailbox("user/alice/x").id == ids[1]


def test_nothing_comes_back_over_what_is_there(mailbox, do):
    mailbox("user/alice/x")
    do("delete", "user/alice/x")
    mailbox("user/alice/x")
    with pytest.raises(AlreadyExists):
        do("undelete", "user/alice/x")
    with pytest.raises(NotFound):
        do("undelete", "user/alice/y")


def test_without_days_to_bring_it_back_a_deletion_is_final(site):
    store = site(store={"delete_days": 0})
    name = store.namespace.parse_admin("user/alice")
    store.create(name)
    store.delete(name)
    assert list(aside.entries(store)) == []
    with pytest.raises(NotFound):
        store.undelete(name)


def test_old_deletions_are_pruned(store, mailbox, do, monkeypatch):
    mailbox("user/alice/x")
    do("delete", "user/alice/x")
    assert aside.prune(store, 3600) == 0
    later = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: later)
    assert aside.prune(store, 3600) == 1
    assert not any(store.layout.deleted("default").iterdir())


def test_a_user_whose_home_is_not_ours_keeps_what_is_not_ours(site, tmp_path):
    store = site(store={"mail_home": f"{tmp_path}/home/{{user}}"})
    name = store.namespace.parse_admin("user/alice")
    store.create(name)
    (tmp_path / "home/alice/thesis").write_text("x")
    (tmp_path / "home/alice/sieve").mkdir()
    store.delete(name)
    assert listing(tmp_path / "home/alice") == {"thesis"}
    store.undelete(name)
    assert listing(tmp_path / "home/alice") == {"Maildir", "sieve", "thesis"}


# -- rename ------------------------------------------------------------------------------------------------------------


def test_a_folder_is_renamed_with_what_lies_below_it(store, mailbox, do):
    for text in ("user/alice/a", "user/alice/a/b", "user/alice/a/b/c", "user/alice/ab"):
        mailbox(text)
    message = put(store, mailbox("user/alice/a/b"))
    do("rename", "user/alice/a", "user/alice/x/y")
    assert names(store) == ["user/alice", "user/alice/ab", "user/alice/x/y", "user/alice/x/y/b", "user/alice/x/y/b/c"]
    assert (mailbox("user/alice/x/y/b").path / "new" / message.name).read_bytes() == MESSAGE
    assert subscriptions(mailbox("user/alice")) == ["INBOX", "x\ty", "x\ty\tb", "x\ty\tb\tc", "ab"]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("user/alice/nope", "user/alice/x", NotFound),
        ("user/alice/a", "user/alice/b", AlreadyExists),
        ("user/alice/a", "user/alice/a", AlreadyExists),
        ("user/alice/a", "user/alice/a/c", DataError),
        ("user/alice/a", "user/alice", DataError),
        ("user/alice/a", "user/carol", DataError),
        ("user/alice", "user/bob/x", DataError),
        ("user/alice", "board", DataError),
        ("user/alice", "user/bob", AlreadyExists),
        ("user/alice/a", "user/nobody/x", NotFound),
        ("user/alice/a", "user/alice/x;y", DataError),
        ("user/alice/a", "user/alice/" + "x" * 300, DataError),
    ],
)
def test_what_cannot_be_renamed_stays(store, mailbox, do, old, new, error):
    for text in ("user/alice/a", "user/alice/b", "user/bob"):
        mailbox(text)
    before = names(store)
    with pytest.raises(error):
        do("rename", old, new)
    assert names(store) == before


def test_a_folder_that_is_made_while_its_user_moves_makes_no_second_home(store, mailbox, do, monkeypatch):
    home = mailbox("user/alice").path.parent
    real = creation.tree_for

    def tree_for(*arguments):
        found = real(*arguments)
        do("rename", "user/alice", "user/alice", partition="two")
        return found

    monkeypatch.setattr(creation, "tree_for", tree_for)
    with pytest.raises(StoreTrouble):
        do("create", "user/alice/a")
    assert not home.exists()
    assert mailbox("user/alice").partition == "two"


def test_a_rename_that_fails_half_way_is_taken_back(store, mailbox, do, monkeypatch):
    for text in ("user/alice/a", "user/alice/a/b", "user/alice/a/c"):
        mailbox(text)
    before = names(store)
    real = Path.rename

    def rename(self, target):
        if self.name == ".a.c":
            raise OSError(errno.EIO, "no")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(StoreTrouble):
        do("rename", "user/alice/a", "user/alice/x")
    assert names(store) == before


def test_a_rename_whose_children_would_have_too_long_names_is_taken_back(store, mailbox, do):
    mailbox("user/alice/a")
    mailbox("user/alice/a/" + "b" * 200)
    before = names(store)
    with pytest.raises(DataError):
        do("rename", "user/alice/a", "user/alice/" + "x" * 100)
    assert names(store) == before


def test_a_folder_given_to_another_user_is_his(store, mailbox, do):
    mailbox("user/alice/a").set_acl(Acl.parse("alice lrswipkxtean anyone p"))
    mailbox("user/alice/a/b")
    mailbox("user/bob")
    do("rename", "user/alice/a", "user/bob/from-alice")
    assert names(store) == ["user/alice", "user/bob", "user/bob/from-alice", "user/bob/from-alice/b"]
    assert str(mailbox("user/bob/from-alice").acl()) == "alice lrswipkxtecdan anyone p bob lkxcan"
    assert subscriptions(mailbox("user/bob")) == ["INBOX", "from-alice", "from-alice\tb"]
    assert subscriptions(mailbox("user/alice")) == ["INBOX"]


def test_a_folder_of_a_user_becomes_a_board_and_back(store, mailbox, do, tmp_path):
    mailbox("user/alice/a")
    do("rename", "user/alice/a", "board")
    assert mailbox("board").path == tmp_path / "mail/shared/.board"
    assert str(mailbox("board").acl()) == "alice lrswipkxtecdan"
    do("rename", "board", "user/alice/b")
    assert names(store) == ["user/alice", "user/alice/b"]


def test_a_user_is_renamed_with_everything_and_his_acls(store, mailbox, do):
    mailbox("user/alice/a").set_acl(Acl.parse("alice lrsa -alice n bob p"))
    far = do("create", "user/alice/far", partition="two")
    message = put(store, far)
    (store.home("alice") / "sieve").mkdir()
    do("rename", "user/alice", "user/carol")
    assert names(store) == ["user/carol", "user/carol/a", "user/carol/far"]
    assert str(mailbox("user/carol/a").acl()) == "carol lrsa -carol n bob p"
    assert str(mailbox("user/carol").acl()) == "carol lrswipkxtecdan"
    assert (mailbox("user/carol/far").path / "new" / message.name).exists()
    assert mailbox("user/carol/far").partition == "two"
    assert (store.home("carol") / "sieve").is_dir()
    assert not store.home("alice").exists()


def test_a_new_name_that_has_a_home_already_is_in_the_way(store, mailbox, do):
    mailbox("user/alice")
    (store.home("carol") / "sieve").mkdir(parents=True)
    with pytest.raises(AlreadyExists):
        do("rename", "user/alice", "user/carol")
    assert names(store) == ["user/alice"]


# -- partitions --------------------------------------------------------------------------------------------------------


def test_a_folder_moves_to_another_partition_and_home_again(store, mailbox, do):
    box = mailbox("user/alice/a")
    message, identity = put(store, box), box.id
    moved = do("rename", "user/alice/a", "user/alice/a", partition="two")
    assert (moved.partition, moved.id) == ("two", identity)
    assert message.read_bytes() == MESSAGE  # through the link
    assert message.resolve().is_relative_to(store.layout.partitions["two"])
    home = do("rename", "user/alice/a", "user/alice/a", partition="default")
    assert home.partition == "default"
    assert not home.path.is_symlink()
    assert message.read_bytes() == MESSAGE


def test_a_user_moves_to_another_partition_with_what_lies_there_already(store, mailbox, do, tmp_path):
    mailbox("user/alice/a")
    do("create", "user/alice/far", partition="two")
    do("rename", "user/alice", "user/alice", partition="two")
    assert names(store) == ["user/alice", "user/alice/a", "user/alice/far"]
    assert {found.partition for found in store.list()} == {"two"}
    assert not (mailbox("user/alice").path / ".far").is_symlink()
    assert not (tmp_path / "mail/user/alice").exists()


def test_a_board_moves_to_another_partition(store, mailbox, do):
    mailbox("board/sub")
    mailbox("board")
    assert do("rename", "board", "board", partition="two").partition == "two"
    assert mailbox("board/sub").partition == "two"
    assert names(store) == ["board", "board/sub"]


def test_a_move_to_an_unknown_partition_changes_nothing(store, mailbox, do):
    mailbox("user/alice/a")
    with pytest.raises(DataError):
        do("rename", "user/alice/a", "user/alice/a", partition="nope")
    assert mailbox("user/alice/a").partition == "default"


def test_a_move_between_file_systems_copies_and_misses_no_mail(store, mailbox, do, monkeypatch):
    box = mailbox("user/alice/a")
    first = put(store, box)
    real = Path.rename
    late = []

    def rename(self, target):
        if self == box.path and "two" in str(target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        if self.name.startswith("new.") and not late:  # mail arrives after it was copied
            late.append(put(store, box))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    moved = do("rename", "user/alice/a", "user/alice/a", partition="two")
    assert listing(moved.path / "new") == {first.name, late[0].name}
    assert moved.partition == "two"
    assert names(store) == ["user/alice", "user/alice/a"]


# -- what an IMAP server has done to a link ------------------------------------------------------------------------------


@pytest.fixture
def far(store, mailbox, tmp_path):
    """Makes a folder of Alice's on the partition `two`, with one message; where its link is."""
    mailbox("user/alice")

    def make(text="Far"):
        made = store.create(ALICE.child(text), partition="two")
        store.stage("two", [b"Subject: x\n\n"]).deliver(made, last=True)
        return tmp_path / f"mail/user/alice/Maildir/.{text}"

    return make


def messages(found):
    return len(list((found.path / "new").iterdir()))


def test_a_folder_is_made_where_an_imap_server_has_deleted_one_of_another_partition(store, far):
    far().unlink()
    made = store.create(ALICE.child("Far"), partition="two")
    assert (made.partition, messages(made)) == ("two", 0)
    store.delete(made.name)
    assert messages(store.undelete(made.name)) == 0  # the latest deletion
    [older] = aside.entries(store)
    brought = store.undelete(made.name, to=ALICE.child("Back"), deletion=older.id)
    assert messages(brought) == 1


def test_a_folder_is_made_beside_one_that_an_imap_server_has_renamed(store, far):
    link = far()
    link.rename(link.with_name(".Other"))
    made = store.create(ALICE.child("Far"), partition="two")
    assert (made.partition, messages(made)) == ("two", 0)
    other = store.find(ALICE.child("Other"))
    assert messages(other) == 1
    assert other.id != made.id


def test_a_folder_is_renamed_to_the_place_of_one_that_an_imap_server_has_renamed_or_deleted(store, far):
    link = far("one")
    link.rename(link.with_name(".Other"))
    far("two")
    store.rename(ALICE.child("two"), ALICE.child("one"))
    assert [messages(store.find(ALICE.child(name))) for name in ("one", "Other")] == [1, 1]
    far("three").unlink()
    store.rename(ALICE.child("one"), ALICE.child("three"))
    assert messages(store.find(ALICE.child("three"))) == 1
    assert len(list(aside.entries(store))) == 1


def test_many_who_make_the_same_folder_on_another_partition_make_one(store, mailbox):
    mailbox("user/alice")

    def make(_):
        try:
            store.create(ALICE.child("Far"), partition="two")
        except AlreadyExists:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(make, range(8))) == 1
    assert list(aside.entries(store)) == []
