"""Whoever brings scripts to a user, they are versions that say so."""

import pytest

from sievemda.config import Settings
from sievemda.configload import load
from sievemda.scripts.opening import keeper_of, open_versions
from sievemda.state.versions import Actor
from sievemda.store.mailstore import MailStore
from tests.cli.conftest import call

__all__ = ["call"]

A, B = "keep;\n", "stop;\n"


@pytest.fixture
def told(tmp_path):
    """The history of Alice, in short."""

    def told():
        settings: Settings = load(None, tmp_path / "d", [])
        store = MailStore(settings)
        found = keeper_of(settings, store, open_versions(settings), "alice", Actor()).history()
        return [(version.action, version.script, version.via) for version in found]

    return told


@pytest.fixture
def scripts(tmp_path, call):
    assert call("mailbox", "create", "user/alice")[0] == 0
    home = tmp_path / "d" / "mail" / "user" / "alice"
    (home / "sieve").mkdir()
    return home / "sieve"


def test_a_new_account(call, told, tmp_path):
    (tmp_path / "main.sieve").write_text(A)
    (tmp_path / "users.csv").write_text(f"user,script\nalice,{tmp_path / 'main.sieve'}\n")
    assert call("account", "create", "--csv", str(tmp_path / "users.csv"))[0] == 0
    assert told() == [("put", "main", "account"), ("activate", "main", "account")]


def test_an_account_that_gets_another_script(call, told, tmp_path, scripts):
    (scripts / "main.sieve").write_text(B)
    (tmp_path / "main.sieve").write_text(A)
    (tmp_path / "users.csv").write_text(f"user,script\nalice,{tmp_path / 'main.sieve'}\n")
    assert call("account", "create", "--csv", str(tmp_path / "users.csv"), "--update")[0] == 0
    assert told() == [("put", "main", "found"), ("put", "main", "account"), ("activate", "main", "account")]


def test_a_restore_of_a_user_who_was_gone(call, told, tmp_path, scripts):
    for name in ("a", "b"):
        (scripts / f"{name}.sieve").write_text(A)
    (scripts.parent / ".dovecot.sieve").symlink_to("sieve/b.sieve")
    assert call("backup", "user/alice", str(tmp_path / "alice.tar.gz"))[0] == 0
    assert call("account", "delete", "alice", "--mail", "--yes")[0] == 0
    assert call("restore", str(tmp_path / "alice.tar.gz"))[0] == 0
    assert told() == [("put", "a", "restore"), ("put", "b", "restore"), ("activate", "b", "restore")]


def test_a_restore_over_scripts_that_have_changed(call, told, tmp_path, scripts):
    (scripts / "main.sieve").write_text(A)
    assert call("backup", "user/alice", str(tmp_path / "alice.tar.gz"))[0] == 0
    (scripts / "main.sieve").write_text(B)
    assert call("restore", str(tmp_path / "alice.tar.gz"), "--settings")[0] == 0
    assert told() == [("put", "main", "found"), ("put", "main", "restore")]


def test_a_backup_and_a_restore_keep_all_that_are_active(call, tmp_path, scripts):
    for name in ("a", "b"):
        (scripts / f"{name}.sieve").write_text(A)
    keeper = keeper_of(settings := load(None, tmp_path / "d", []), MailStore(settings), None, "alice", Actor())
    keeper.set_active(("b", "a"))
    assert call("backup", "user/alice", str(tmp_path / "alice.tar.gz"))[0] == 0
    assert call("account", "delete", "alice", "--mail", "--yes")[0] == 0
    assert call("restore", str(tmp_path / "alice.tar.gz"))[0] == 0
    assert keeper.store.state().active == ("b", "a")


def test_a_repair(call, told, scripts):
    (scripts / "main.sieve").write_text(A)
    (scripts.parent / ".dovecot.sieve").symlink_to("sieve/gone.sieve")
    assert call("reconstruct")[0] == 0
    assert told()[-1] == ("activate", "main", "reconstruct")


def test_a_filter_of_another_program(call, told, tmp_path, scripts):
    (tmp_path / ".forward").write_text("bob@example.net\n")
    assert call("import", "forward", str(tmp_path / ".forward"), "alice", "--activate")[0] == 0
    assert told() == [("put", "forward", "import"), ("activate", "forward", "import")]
