"""Arguments and files that nobody means well: one line of error, an exit code of sysexits.h, and nothing changed."""

import os
import threading

import pytest

from sievemda.cli.main import run


@pytest.fixture
def sievemda(tmp_path, capsys):
    """Runs a command on an embedded site: (exit code, standard output, standard error)."""

    def call(*arguments):
        code = run(["--data", str(tmp_path / "d"), *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    assert call("mailbox", "create", "user/alice") == (0, "", "")
    return call


READING = [
    ("account", "create", "--csv"),
    ("account", "create", "bob", "--script"),
    ("mailbox", "list", "--from-file"),
    ("mailbox", "create", "--from-file"),
    ("acl", "load"),
    ("quota", "notify", "--rules"),
    ("admin", "--userrc"),
    ("script", "put", "alice", "x"),
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_nobody_waits_at_a_pipe_into_which_nobody_writes(sievemda, tmp_path, command):
    os.mkfifo(tmp_path / "pipe")
    code, out, err = sievemda(*command, str(tmp_path / "pipe"))
    assert code in (64, 65, 74)
    assert "is a named pipe" in err
    assert (out, err.count("\n")) == ("", 1) or err.startswith("Usage:")


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_directory_is_no_file(sievemda, tmp_path, command):
    code, out, err = sievemda(*command, str(tmp_path))
    assert code in (64, 65, 74)
    assert "Is a directory" in err
    assert out == ""


def test_a_script_without_an_end_is_too_large(sievemda):
    code, _, err = sievemda("account", "create", "bob", "--script", "/dev/zero")
    assert (code, err.count("\n")) == (65, 1)
    assert "has more than" in err
    assert sievemda("mailbox", "list")[1] == "user/alice\n"


def test_what_a_shell_makes_of_the_output_of_a_command_is_read(sievemda):
    reader, writer = os.pipe()

    def write():
        os.write(writer, b"user/bob\n")
        os.write(writer, b"user/carol\n")
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    assert sievemda("mailbox", "create", "--from-file", f"/dev/fd/{reader}")[0] == 0
    thread.join()
    os.close(reader)
    assert sievemda("mailbox", "list")[1] == "user/alice\nuser/bob\nuser/carol\n"


@pytest.mark.parametrize("odd", ["a\nb", "\x1b[2Jb", "a\rb", "\u202eb", "a\u2028b"])
@pytest.mark.parametrize(
    "command",
    [
        ("mailbox", "list", "--from-file"),
        ("mailbox", "undelete", "user/alice", "--id"),
        ("mailbox", "restore", "user/alice"),
        ("mailbox", "path", "-p"),
        ("quota", "root", "user/alice"),
        ("nosuch",),
    ],
    ids=" ".join,
)
def test_what_is_said_of_an_odd_word_stays_on_its_line(sievemda, command, odd):
    code, _, err = sievemda(*command, odd)
    assert code in (64, 65, 67, 74)
    said = [line for line in err.splitlines() if line.startswith(("sievemda:", "Error:"))]
    assert len(said) == 1
    assert said[0] == err.splitlines()[-1]
    assert all(line.isprintable() for line in err.split("\n"))


@pytest.mark.parametrize("text", ["[" * 5000, "a=" + "[" * 5000, "a=" + "9" * 5000, "a='\\ud800'", "\ufeff[[["])
@pytest.mark.parametrize("command", [("config", "check"), ("mailbox", "list")], ids=" ".join)
def test_a_configuration_that_is_none_is_one_mistake(tmp_path, capsys, text, command):
    (tmp_path / "file").write_text(text)
    code = run(["--config", str(tmp_path / "file"), *command])
    assert (code, capsys.readouterr().err.count("\n")) == (78, 1)


def test_a_rule_file_with_a_number_without_an_end_is_one_mistake(sievemda, tmp_path):
    (tmp_path / "file").write_text("a=" + "9" * 5000)
    code, _, err = sievemda("quota", "notify", "--rules", str(tmp_path / "file"))
    assert (code, err.count("\n")) == (65, 1)


def test_a_line_of_error_has_an_end(sievemda):
    code, _, err = sievemda("mailbox", "info", "x" * 100_000)
    assert (code, err.count("\n")) == (67, 1)
    assert len(err) < 3000


def test_what_the_store_says_of_a_damaged_file_is_a_line_as_well(sievemda, tmp_path):
    sievemda("mailbox", "create", "user/alice/Lists")
    (tmp_path / "d/mail/user/alice/Maildir/subscriptions").unlink()
    (tmp_path / "d/mail/user/alice/Maildir/subscriptions").mkdir()
    code, out, err = sievemda("mailbox", "rename", "user/alice/Lists", "user/alice/Old")
    assert (code, out) == (0, "")
    assert all("subscriptions" in line for line in err.splitlines())
