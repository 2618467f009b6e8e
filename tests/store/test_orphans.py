import os

import pytest

from sievemda.store.accounts import clean_unfinished
from sievemda.store.orphans import orphans


@pytest.fixture
def found(store):
    """Kinds and paths of all orphans, after alice has been made."""

    def look():
        return {(orphan.kind, str(orphan.path)) for orphan in orphans(store, pytest.fail)}

    return look


@pytest.fixture
def home(mailbox, tmp_path):
    mailbox("user/alice/Lists")
    mailbox("board")
    return tmp_path / "mail/user/alice"


def test_a_sound_site_has_none(found, home, store, mailbox):
    store.create(store.namespace.parse_admin("user/alice/Far"), partition="two")
    store.delete(store.namespace.parse_admin("board"))
    assert found() == set()


def test_a_home_without_inbox(found, home, tmp_path):
    (tmp_path / "mail/user/carol").mkdir()
    assert found() == {("home", f"{tmp_path}/mail/user/carol")}


def test_a_home_whose_name_is_no_user(found, home, tmp_path):
    (tmp_path / "mail/user/Carol").mkdir()
    assert found() == {("home", f"{tmp_path}/mail/user/Carol")}


def test_a_folder_whose_name_is_no_mailbox(found, home):
    (home / "Maildir/.&AGE-/cur").mkdir(parents=True)
    assert found() == {("folder", f"{home}/Maildir/.&AGE-")}


def test_a_directory_without_cur(found, home):
    (home / "Maildir/.Empty").mkdir()
    assert found() == {("no-cur", f"{home}/Maildir/.Empty")}


def test_a_folder_without_the_one_above(found, home):
    (home / "Maildir/.None.Below/cur").mkdir(parents=True)
    assert found() == {("parent", f"{home}/Maildir/.None.Below")}


@pytest.mark.parametrize("target", ["/nonexistent", "/etc", ".Loop"])
def test_a_link_that_leads_nowhere_or_out(found, home, target):
    (home / "Maildir/.Loop").symlink_to(target)
    assert found() == {("link", f"{home}/Maildir/.Loop")}


def test_a_folder_on_another_partition_to_which_no_link_leads(found, home, store):
    far = store.create(store.namespace.parse_admin("user/alice/Far"), partition="two")
    (home / "Maildir/.Far").unlink()
    assert found() == {("unlinked", str(far.path))}


def test_a_second_inbox_is_hidden(found, home, tmp_path):
    (tmp_path / "two/user/alice/Maildir/cur").mkdir(parents=True)
    assert found() == {("hidden", f"{tmp_path}/two/user/alice/Maildir")}


def test_a_deletion_that_cannot_be_undone(found, home, store, tmp_path):
    store.delete(store.namespace.parse_admin("user/alice/Lists"))
    (entry,) = (tmp_path / "mail/deleted.").iterdir()
    (entry / "entry").write_text("broken")
    assert found() == {("deleted", str(entry))}


def test_what_a_crashed_delivery_left(found, home, tmp_path):
    stage = tmp_path / "mail/stage."
    stage.mkdir(exist_ok=True)
    (stage / "fresh").touch()
    (stage / "old").touch()
    os.utime(stage / "old", (1, 1))
    assert found() == {("staged", f"{stage}/old")}


def test_what_an_interrupted_list_of_accounts_left(found, home, tmp_path):
    left = tmp_path / "mail/user/.account.1.M1P1Q1.host"
    left.mkdir()
    assert found() == {("staged", str(left))}


def test_a_directory_that_cannot_be_read_is_told(store, home, monkeypatch):
    told = []
    real = os.scandir

    def scandir(path):
        if str(path).endswith("alice/Maildir"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    list(orphans(store, told.append))
    assert len(told) == 1


def test_a_folder_on_another_partition_whose_link_has_another_name_now_is_none(found, home, store):
    store.create(store.namespace.parse_admin("user/alice/Far"), partition="two")
    (home / "Maildir/.Far").rename(home / "Maildir/.Other")
    assert found() == set()


def test_what_is_left_of_an_account_whose_making_was_interrupted_is_removed_after_its_time(found, home, store):
    old, young = home.parent / ".account.1", home.parent / ".account.2"
    for path in (old / "Maildir/cur", young / "Maildir/cur"):
        path.mkdir(parents=True)
    os.utime(old, (0, 0))
    assert found() == {("staged", str(old)), ("staged", str(young))}
    assert clean_unfinished(store, 3600) == 1
    assert (found(), store.user_exists("alice")) == ({("staged", str(young))}, True)
