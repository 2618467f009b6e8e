import io
import sys

import pytest

from sievemda.auth.users import Users
from sievemda.cli.main import run
from sievemda.config import Settings
from sievemda.state.credentials import Credentials


@pytest.fixture
def sievemda(tmp_path, monkeypatch):
    """Runs one command on an embedded site; its exit code."""

    def command(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        return run(["--data", str(tmp_path), *arguments])

    assert command("mailbox", "create", "user/alice") == 0
    return command


@pytest.fixture
def users(tmp_path):
    settings = Settings(data=tmp_path)
    return Users(Credentials(settings.accounts_path), settings.site)


@pytest.mark.parametrize("stdin", [b"secret\n", b"secret\r\n", b"secret", b"secret\nignored\n"])
def test_the_password_is_the_first_line_of_standard_input(sievemda, users, stdin):
    assert sievemda("account", "passwd", "alice", stdin=stdin) == 0
    assert users.check_password("alice", "secret") == "alice"


def test_one_name_in_every_spelling(sievemda, users):
    assert sievemda("account", "passwd", "Alice@internal", stdin=b"secret\n") == 0
    assert users.check_password("alice", "secret") == "alice"


def test_spaces_belong_to_the_password(sievemda, users):
    assert sievemda("account", "passwd", "alice", stdin=b" two words \n") == 0
    assert users.check_password("alice", " two words ") == "alice"


def test_a_user_without_mailbox_is_unknown(sievemda, capsys):
    assert sievemda("account", "passwd", "bob", stdin=b"secret\n") == 67
    assert "no user bob" in capsys.readouterr().err


def test_an_administrator_needs_no_mailbox(sievemda, users):
    assert sievemda("--set", "admins=root", "account", "passwd", "root", stdin=b"toor\n") == 0
    assert users.check_password("root", "toor") == "root"


@pytest.mark.parametrize("stdin", [b"", b"\n", b"\xff\xff\n", b"a\0b\n", b"x" * 2000])
def test_a_password_that_cannot_be_one_is_bad_data(sievemda, users, stdin):
    assert sievemda("account", "passwd", "alice", stdin=stdin) == 65
    assert not users.forget("alice")


def test_credentials_can_be_taken_away(sievemda, users):
    sievemda("account", "passwd", "alice", stdin=b"secret\n")
    assert sievemda("account", "delete", "alice") == 0
    assert users.check_password("alice", "secret") is None
    assert sievemda("account", "delete", "alice") == 67
