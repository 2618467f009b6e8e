import io
import json
import sys
from dataclasses import dataclass

import pytest

from sievemda.cli.main import run


@dataclass
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def sievemda(tmp_path, monkeypatch, capsys):
    """Runs one command on an embedded site."""

    def command(*arguments, stdin=""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(["--data", str(tmp_path / "data"), *arguments])
        return Said(code, *capsys.readouterr())

    return command


@pytest.fixture
def passwords(tmp_path):
    file = tmp_path / "users"
    file.write_text("bob:{PLAIN}builder::::::allow_nets=192.0.2.0/24\ncarol\n")
    return ["--set", "auth_backends=own passwd-file", "--set", f"auth_passwd_file={file}"]


@pytest.fixture
def alice(sievemda):
    sievemda("mailbox", "create", "user/alice")
    sievemda("account", "passwd", "alice", stdin="pencil\n")


def test_a_right_password_is_told_with_the_back_end_that_says_so(sievemda, alice, passwords):
    said = sievemda(*passwords, "account", "test", "Alice", stdin="pencil\n")
    assert said.code == 0
    assert said.out == "own: the password is right\nalice can log in\n"
    said = sievemda(*passwords, "account", "test", "bob", "--address", "192.0.2.1", stdin="builder\n")
    assert said.out.splitlines()[-2:] == ["passwd-file: the password is right", "bob can log in"]


@pytest.mark.parametrize(
    ("user", "backends"),
    [
        ("alice", [("own", "wrong")]),
        ("bob", [("own", "unknown"), ("passwd-file", "wrong")]),
        ("nobody", [("own", "unknown"), ("passwd-file", "unknown")]),
    ],
)
def test_a_wrong_password_is_told_with_who_has_been_asked(sievemda, alice, passwords, user, backends):
    said = sievemda(*passwords, "account", "test", user, "--json", stdin="builder\n")
    assert said.code == 77
    found = json.loads(said.out)
    assert [(row["backend"], row["verdict"]) for row in found["backends"]] == backends
    assert found["accepted"] is False
    assert "refused" in said.err


def test_a_back_end_in_trouble_is_told(sievemda, alice, passwords):
    said = sievemda(*passwords, "account", "test", "carol", "--json", stdin="x\n")
    assert said.code == 75
    assert json.loads(said.out)["backends"][1]["verdict"] == "trouble"
    assert "users:2: " in said.err
    assert sievemda(*passwords, "account", "test", "alice", stdin="pencil\n").code == 0


def test_the_mechanisms_of_a_user_are_shown(sievemda, alice, passwords):
    said = sievemda("account", "info", "alice", "--json")
    assert json.loads(said.out)["mechanisms"] == ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"]


def test_the_check_of_the_configuration_tells_of_damaged_lines_and_of_who_does_not_answer(
    sievemda, passwords, tmp_path
):
    said = sievemda(*passwords, "config", "check")
    assert said.code == 78
    assert "passwd-file: " in said.err
    assert "users:2: 'carol'" in said.err
    said = sievemda("--set", "auth_backends=saslauthd", "--set", f"saslauthd_path={tmp_path}/mux", "config", "check")
    assert said.code == 78
    assert "mux: No such file" in said.err


def test_an_address_that_is_none_is_told(sievemda, alice):
    said = sievemda("account", "test", "alice", "--address", "192.0.2")
    assert (said.code, said.err.splitlines()[-1]) == (
        64,
        "Error: Invalid value for '--address': '192.0.2' is no IP address",
    )
