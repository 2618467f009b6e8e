"""Folders that are not as, or not where, they must be."""

import os
import shutil

import pytest

from sievemda.errors import NotFound
from sievemda.policy.quota import Limits
from sievemda.store import aside, record, rootlist
from tests.upkeep.reconstruct.conftest import kinds, names

GOOD = "1700000000.M1P1Q1.host,S=43,W=47:2,S"


def listed(store):
    return [name for name, _ in store.named()]


@pytest.mark.parametrize("missing", [("tmp",), ("new", "tmp"), ("cur", "new", "tmp"), ("maildirfolder",)])
@pytest.mark.parametrize("name", ["user/alice", "user/alice/Lists", "board"])
def test_what_is_missing_of_a_folder_is_made(store, mailbox, mend, name, missing):
    path = mailbox(name).path
    before = listed(store)
    for part in missing:
        if part == "maildirfolder":
            (path / part).unlink(missing_ok=True)
        else:
            (path / part).rmdir()
    mend()
    assert listed(store) == before
    assert all((path / part).is_dir() for part in ("cur", "new", "tmp"))
    assert mend() == []


def test_a_dry_run_knows_a_mailbox_that_it_would_mend(mailbox, mend):
    (mailbox("user/alice").path / "cur").rmdir()
    assert kinds(mend("user/alice", dry_run=True), "would mend") == ["parts"]


def test_a_place_that_has_limits_and_no_mailbox_becomes_none(store, mailbox, mend):
    from sievemda.policy.quota import Limits
    from sievemda.store import rootlist

    mailbox("user/alice")
    rootlist.set_limits(store, store.namespace.parse_admin("user/alice/Later"), Limits(storage=5), force=True)
    mend()
    assert listed(store) == ["user/alice"]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Lists", "user/alice/Lists"),
        ("Work/Lists", "user/alice/Work/Lists"),
        (".Work/.Lists", "user/alice/Lists"),
        (".Work/Lists", "user/alice/Work/Lists"),
        ("cur/.Lists", "user/alice/Lists"),
        (".a..b", "user/alice/a/b"),
        (".\udcff", "user/alice/ÿ"),
        (".Entw\u00fcrfe..x", "user/alice/Entwürfe/x"),
        ("../Lists", "user/alice/Lists"),
        ("../.Lists", "user/alice/Lists"),
        ("..weird.", "user/alice/weird"),
    ],
)
def test_a_folder_that_was_moved_away_is_a_mailbox_again(store, mailbox, put, mend, where, found):
    lists = mailbox("user/alice/Lists")
    mailbox("user/alice/Work")
    put(lists, f"cur/{GOOD}")
    identity = lists.id
    target = lists.tree.root / where
    target.parent.mkdir(exist_ok=True)
    lists.path.rename(target)
    told = mend("user/alice*")
    assert f"discovered {found}" in [finding.done for finding in told]
    back = store.find(store.namespace.parse_admin(found))
    assert (names(back), back.id) == ([GOOD], identity)
    assert mend("user/alice*", dry_run=True) == [] or kinds(mend(), "left") == []


def test_a_folder_that_comes_back_takes_no_name_that_is_taken(store, mailbox, put, mend):
    lists = mailbox("user/alice/Lists")
    put(lists, f"cur/{GOOD}")
    lists.path.rename(lists.tree.root / "Lists")
    store.create(lists.name)
    mend()
    assert listed(store) == ["user/alice", "user/alice/Lists", "user/alice/Lists 2"]


def test_a_folder_without_rights_of_its_own_gets_those_above(store, mailbox, mend):
    from sievemda.policy.acl import Acl, Rights

    work = mailbox("user/alice/Work")
    work.set_acl(Acl((("alice", Rights("lrswa")), ("bob", Rights("lr")))))
    plain = work.tree.root / "Work" / "Plain"
    for part in ("cur", "new", "tmp"):
        (plain / part).mkdir(parents=True)
    mend()
    assert store.find(store.namespace.parse_admin("user/alice/Work/Plain")).rights("bob") == set("lr")


def test_mail_that_somebody_keeps_in_his_home_is_taken_in_when_that_is_wanted(store, mailbox, put, mend):
    home = mailbox("user/alice").path.parent
    for part in ("cur", "new", "tmp"):
        (home / "backup" / part).mkdir(parents=True)
    assert kinds(mend("user/alice"), "left") == ["outside"]
    assert listed(store) == ["user/alice"]
    mend("user/alice", force=True)
    assert listed(store) == ["user/alice", "user/alice/backup"]


def test_what_an_imap_server_is_deleting_stays_gone(store, mailbox, mend):
    lists = mailbox("user/alice/Lists")
    lists.path.rename(lists.tree.root / "..DOVECOT-TRASHED")
    mend("user/alice*")
    assert listed(store) == ["user/alice"]


def test_a_shared_folder_that_was_moved_comes_back(store, mailbox, mend):
    board = mailbox("board")
    board.path.rename(board.tree.root / "board")
    mend()
    assert listed(store) == ["board"]


def test_a_link_that_leads_nowhere_shows_the_folder_of_another_partition_again(store, mailbox, put, mend):
    mailbox("user/alice")
    big = store.create(store.namespace.parse_admin("user/alice/Big"), partition="two")
    put(big, f"cur/{GOOD}")
    seen = big.tree.folder(big.name.path)
    seen.unlink()
    seen.symlink_to("/nowhere/at/all")
    mend()
    assert names(store.find(big.name)) == [GOOD]


def test_a_folder_of_another_partition_that_has_lost_its_dot_comes_back(store, mailbox, put, mend):
    mailbox("user/alice")
    big = store.create(store.namespace.parse_admin("user/alice/Big"), partition="two")
    put(big, f"cur/{GOOD}")
    plain = big.path.rename(big.path.with_name("Big"))
    assert kinds(mend(dry_run=True), "would mend") == ["link"]
    assert plain.is_dir()
    mend()
    assert names(store.find(big.name)) == [GOOD]
    assert mend() == []


def test_a_copy_of_a_folder_gets_an_identifier_of_its_own(store, mailbox, mend):
    lists = mailbox("user/alice/Lists")
    identity = lists.id
    shutil.copytree(lists.path, lists.tree.root / ".Copy")
    assert kinds(mend()) == ["id"]
    assert lists.id == identity
    assert store.find(store.namespace.parse_admin("user/alice/Copy")).id not in ("", identity)
    assert mend() == []


def test_names_choose_what_is_looked_at(store, mailbox, mend):
    for name in ("user/alice/Lists", "user/alice/Lists/x", "user/bob"):
        (mailbox(name).path / "tmp").rmdir()

    def done(*words, **how):
        found = []
        from sievemda.upkeep.reconstruct.findings import Options, Work
        from sievemda.upkeep.reconstruct.run import reconstruct
        from sievemda.upkeep.reconstruct.scope import Scope

        reconstruct(Work(store, Options(), lambda _: None, found.append), Scope(store.namespace, words, **how))
        return found

    assert done("user/alice/Lists") == ["user/alice/Lists"]
    assert done("user/alice/Lists", recursive=True) == ["user/alice/Lists", "user/alice/Lists/x"]
    assert done("user/%") == ["user/alice", "user/bob"]
    assert done(users=("alice",)) == ["user/alice", "user/alice/Lists", "user/alice/Lists/x"]
    assert done(partition="two") == []
    with pytest.raises(NotFound):
        done("user/carol")


def test_an_account_that_was_never_put_in_place_and_an_empty_deletion_go(store, mailbox, mend):
    home = mailbox("user/alice").path.parent
    left = home.parent / ".account.1700000000.M1P1Q1.elsewhere"
    (left / "mail").mkdir(parents=True)
    os.utime(left, (0, 0))
    lists = mailbox("user/alice/Lists")
    store.delete(lists.name)
    (deletion,) = store.layout.deleted("default").iterdir()
    shutil.rmtree(deletion / "0")
    found = mend()
    assert kinds(found) == ["deleted"]  # on what host the account is being made cannot be known
    assert not deletion.exists()


def test_a_deletion_that_was_cut_short_can_be_undone(store, mailbox, put, mend):
    lists = mailbox("user/alice/Lists")
    put(lists, f"cur/{GOOD}")
    store.delete(lists.name)
    (deletion,) = store.layout.deleted("default").iterdir()
    (deletion / "entry").rename(deletion / ".entry")
    os.utime(deletion, (0, 0))
    mend()
    assert names(store.undelete(lists.name)) == [GOOD]


def test_a_record_stays_with_its_folder(mailbox, mend):
    lists = mailbox("user/alice/Lists")
    before = (lists.path / record.FILE_NAME).read_bytes()
    mend()
    assert (lists.path / record.FILE_NAME).read_bytes() == before


def test_a_link_that_leads_out_of_the_store_is_told_and_nothing_behind_it_is_touched(store, mailbox, mend, tmp_path):
    inbox = mailbox("user/alice")
    outside = tmp_path / "outside"
    (outside / "cur").mkdir(parents=True)
    (outside / "some.lock").write_bytes(b"")
    (outside / "cur" / "1700000000.M1P1.h,S=5").write_bytes(b"x")
    os.utime(outside / "some.lock", (0, 0))
    (inbox.path / ".Out").symlink_to(outside)
    notes = store.layout.partition("default") / "moving."
    notes.mkdir()
    (notes / "note").write_text("garbage")
    before = {path: path.lstat().st_ctime_ns for path in outside.rglob("*")}
    for force in (False, True):
        assert kinds(mend(force=force), "left") == ["move", "link"]
    assert {path: path.lstat().st_ctime_ns for path in outside.rglob("*")} == before


@pytest.mark.parametrize("name", ["dovecot-acl", "sievemda-mailbox", "dovecot-keywords", "cur", "tmp", "."])
def test_what_its_owner_may_not_use_can_be_used(mailbox, mend, name):
    path = mailbox("user/alice/Lists").path / name
    path.touch()
    path.chmod(0)
    assert kinds(mend()) == ["mode"]
    assert path.stat().st_mode & 0o600 == 0o600


def test_an_inbox_is_mended_where_it_is_and_not_where_another_partition_has_folders_of_the_user(store, mailbox, mend):
    inbox = store.create(store.namespace.parse_admin("user/alice"), partition="two")
    store.create(store.namespace.parse_admin("user/alice/Far"), partition="default")
    (inbox.path / "cur").rmdir()
    mend()
    assert store.find(inbox.name).path == inbox.path
    assert listed(store) == ["user/alice", "user/alice/Far"]


def test_two_folders_with_one_special_use_are_told(mailbox, mend):
    for name in ("user/alice/a", "user/alice/b"):
        mailbox(name).set_special_use("\\Sent")
    assert kinds(mend(), "note") == ["special-use"]


def test_only_the_folders_that_were_named_are_mended(mailbox, mend):
    lists, work = mailbox("user/alice/Lists"), mailbox("user/alice/Work")
    for box in (lists, work, mailbox("user/alice")):
        (box.path / "tmp").rmdir()
    work.path.chmod(0o500)
    (work.tree.root / "Moved" / "cur").mkdir(parents=True)
    assert [finding.mailbox for finding in mend("user/alice/Lists")] == ["user/alice/Lists"]
    assert {finding.mailbox for finding in mend("user/alice")} == {"user/alice", "user/alice/Moved"}
    assert {finding.mailbox for finding in mend("user/alice/*")} == {"user/alice/Work"}


@pytest.mark.parametrize(("courier", "called"), [(False, ".x&AP8-"), (True, ".xÿ")])
def test_a_name_in_utf_8_is_spelled_as_the_reader_of_the_tree_does(mailbox, put, mend, courier, called):
    inbox, lists = mailbox("user/alice"), mailbox("user/alice/Lists")
    put(inbox, "dovecot-uidlist", b"3 V1 N1\n")
    if courier:
        put(inbox, "courierimapuiddb", b"1 1 1\n")
    put(lists, "cur/1700000000.M1P1Q1.host,S=43,W=47:2,S")
    lists.path.rename(inbox.path / ".xÿ")
    assert kinds(mend()) == ([] if courier else ["spelling"])
    assert (inbox.path / called / "cur").is_dir()
    assert len(names(mailbox("user/alice/xÿ"))) == 1
    assert kinds(mend()) == []


def test_messages_that_a_move_left_and_whose_folder_is_nowhere_are_told(store, mailbox, put, mend):
    box = mailbox("user/alice/a")
    put(box, "cur/1700000000.M1P1Q1.host:2,S")
    aside.set_aside(store, "user/alice/a", "default", [box.path], to=box.path)
    assert kinds(mend(), "left") == ["deleted"]
    mailbox("user/alice/a")
    assert kinds(mend(), "left") == []


def test_a_dry_run_looks_into_folders_that_are_still_to_be_brought_in(store, mailbox, put, mend):
    lists, other = mailbox("user/alice/Lists"), mailbox("user/alice/Other")
    home = lists.tree.root.parent
    put(lists, "cur/1700000000.M1P1Q1.host,S=7,W=9:2,S")
    (lists.path / "dovecot-keywords").write_bytes(b"\xff\n0 work\n")
    put(other, "cur/1700000001.M1P1Q1.host,S=8:2,")
    (home / "Elsewhere").mkdir()
    lists.path.rename(home / "Elsewhere" / "Lists")
    other.path.rename(home / "Lists")

    def told(findings):
        return sorted((finding.kind, finding.mailbox) for finding in findings if finding.state != "note")

    before = sorted(path for path in home.rglob("*"))
    would = told(mend(dry_run=True, force=True))
    assert sorted(path for path in home.rglob("*")) == before
    assert would == told(mend(force=True))
    assert {kind for kind, _ in would} >= {"outside", "size", "keywords"}
    assert told(mend()) == []


def test_a_dry_run_counts_a_folder_whose_link_leads_nowhere(store, mailbox, put, mend):
    inbox = mailbox("user/alice")
    rootlist.set_limits(store, inbox.name, Limits(messages=50))
    big = store.create(store.namespace.parse_admin("user/alice/Big"), partition="two")
    put(big, f"cur/{GOOD}")
    inbox.quota_root().recount()
    (inbox.path / ".Big").unlink()
    (inbox.path / ".Big").symlink_to("/nowhere/.Big")
    assert kinds(mend(dry_run=True), "would mend") == ["link"]
    assert kinds(mend()) == ["link"]
