import io
import json
import sys

import pytest

from sievemda.cli.main import run


@pytest.fixture
def sievemda(tmp_path, monkeypatch):
    """Runs one command on an embedded site; its exit code."""

    def command(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        return run(["--data", str(tmp_path / "site"), *arguments])

    assert command("mailbox", "create", "user/alice") == 0
    return command


@pytest.fixture
def home(tmp_path):
    return tmp_path / "site" / "mail" / "user" / "alice"


def test_put_stores_and_leaves_inactive(sievemda, home, tmp_path, capfdbinary):
    (tmp_path / "a.sieve").write_bytes(b"# \xc3\xbc\r\nkeep;")
    assert sievemda("script", "put", "alice", "main", str(tmp_path / "a.sieve")) == 0
    assert sievemda("script", "put", "alice", "other", "-", stdin=b"keep;\n") == 0
    assert sievemda("script", "put", "alice", "third", stdin=b"discard;\n") == 0
    assert not (home / ".dovecot.sieve").exists()
    assert sievemda("script", "get", "alice", "main") == 0
    assert capfdbinary.readouterr().out == b"# \xc3\xbc\r\nkeep;"


def test_the_active_one_is_marked(sievemda, capsys):
    sievemda("script", "put", "alice", "main", stdin=b"keep;\n")
    sievemda("script", "put", "alice", "other", stdin=b"keep;\n")
    assert sievemda("script", "activate", "alice", "main") == 0
    capsys.readouterr()
    assert sievemda("script", "list", "alice") == 0
    assert capsys.readouterr().out == "main ACTIVE\nother\n"
    sievemda("script", "list", "--json", "alice")
    assert json.loads(capsys.readouterr().out) == [
        {"name": "main", "active": True},
        {"name": "other", "active": False},
    ]


def test_a_script_with_mistakes_is_not_stored_and_all_are_listed(sievemda, tmp_path, capsys):
    file = tmp_path / "bad.sieve"
    file.write_text("keep;\nfoo;\nbar;\n")
    sievemda("script", "put", "alice", "main", stdin=b"keep;\n")
    assert sievemda("script", "put", "alice", "main", str(file)) == 65
    said = capsys.readouterr().err
    assert f"{file}:2:1: error: " in said
    assert f"{file}:3:1: error: " in said
    sievemda("script", "get", "alice", "main")
    assert capsys.readouterr().out == "keep;\n"


def test_a_script_that_looks_odd_is_stored_with_a_warning(sievemda, capsys):
    assert sievemda("script", "put", "alice", "odd", stdin=b'if header :is "sub ject" "x" { keep; }\n') == 0
    assert "-:1:" in (said := capsys.readouterr().err)
    assert ": warning: " in said


def test_the_active_script_is_not_deleted(sievemda, capsys):
    sievemda("script", "put", "alice", "main", stdin=b"keep;\n")
    sievemda("script", "activate", "alice", "main")
    assert sievemda("script", "delete", "alice", "main") == 77
    assert "deactivate it first" in capsys.readouterr().err
    assert sievemda("script", "deactivate", "alice") == 0
    assert sievemda("script", "deactivate", "alice") == 0
    assert sievemda("script", "delete", "alice", "main") == 0
    assert sievemda("script", "delete", "alice", "main") == 67


def test_renaming(sievemda, capsys):
    sievemda("script", "put", "alice", "a", stdin=b"keep;\n")
    sievemda("script", "put", "alice", "b", stdin=b"keep;\n")
    sievemda("script", "activate", "alice", "a")
    assert sievemda("script", "rename", "alice", "a", "b") == 73
    assert sievemda("script", "rename", "alice", "a", "c") == 0
    assert sievemda("script", "rename", "alice", "a", "d") == 67
    capsys.readouterr()
    sievemda("script", "list", "alice")
    assert capsys.readouterr().out == "b\nc ACTIVE\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("put", "bob", "main"),
        ("list", "bob"),
        ("activate", "bob", "a"),
        ("deactivate", "bob"),
        ("get", "bob", "a"),
        ("delete", "bob", "a"),
        ("get", "alice", "a"),
        ("activate", "alice", "a"),
    ],
)
def test_what_is_not_there_is_67(sievemda, arguments, tmp_path):
    assert sievemda("script", *arguments, stdin=b"keep;\n") == 67
    assert not (tmp_path / "site" / "mail" / "user" / "bob").exists()


@pytest.mark.parametrize(
    ("name", "stdin"),
    [
        ("a/b", b"keep;"),
        ("", b"keep;"),
        ("a\nb", b"keep;"),
        ("x" * 129, b"keep;"),
        ("a", b"#" * ((1 << 20) + 1)),
    ],
)
def test_bad_names_and_sizes_are_65(sievemda, name, stdin, capsys):
    assert sievemda("script", "put", "alice", name, stdin=stdin) == 65
    sievemda("script", "list", "alice")
    assert capsys.readouterr().out == ""


def test_a_missing_file_is_named(sievemda, capsys):
    assert sievemda("script", "put", "alice", "a", "/no/such/file.sieve") == 65
    assert "/no/such/file.sieve: No such file" in capsys.readouterr().err


def test_the_limit_on_scripts_holds(sievemda):
    assert sievemda("--set", "sieve_maxscripts=1", "script", "put", "alice", "a", stdin=b"keep;") == 0
    assert sievemda("--set", "sieve_maxscripts=1", "script", "put", "alice", "b", stdin=b"keep;") == 77
    assert sievemda("--set", "sieve_maxscripts=1", "script", "put", "alice", "a", stdin=b"discard;") == 0


def test_extensions_that_the_site_does_not_allow_are_mistakes(sievemda):
    script = b'require "fileinto"; fileinto "a";'
    assert sievemda("--set", "sieve_extensions=envelope", "script", "put", "alice", "a", stdin=script) == 65
    assert sievemda("--set", "sieve_extensions=fileinto", "script", "put", "alice", "a", stdin=script) == 0


def test_an_empty_script_is_a_script(sievemda):
    assert sievemda("script", "put", "alice", "none", stdin=b"") == 0
    assert sievemda("script", "activate", "alice", "none") == 0


def test_a_script_that_includes_what_is_not_there_is_stored_with_a_warning(sievemda, capsys):
    assert sievemda("script", "put", "alice", "main", stdin=b'require "include"; include "other";') == 0
    assert "warning: there is no personal script 'other' to include" in capsys.readouterr().err
