"""The command line as a process: what its surroundings may do to it."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import click
import pytest

from sievemda.cli.failures import Failures
from sievemda.cli.main import COMMANDS, run
from sievemda.errors import TemporaryTrouble, exit_code


def sievemda(*arguments, **options):
    command = [sys.executable, "-m", "sievemda", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **options)


@pytest.fixture
def alice(tmp_path):
    """The data directory of a site with a user."""
    assert run(["--data", str(tmp_path), "mailbox", "create", "user/alice"]) == 0
    return tmp_path


def shell(line, **variables):
    """Run by a shell, for redirections that only it can make; `$S` is the program."""
    environment = os.environ | {"S": f"{sys.executable} -m sievemda", **variables}
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False, env=environment
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("$S --data $D account passwd alice <&-", 65, "the password cannot be used: it is empty"),
        ("$S --data $D mailbox delete user/alice <&-", 64, "say --yes"),
        ("$S sieve check - <&-", 0, ""),
        ("$S --data $D mailbox list >&-", 0, ""),
        ("$S --data $D mailbox info user/nobody 2>&-", 67, ""),
        ("$S --data $D mailbox info user/nobody <&- >&- 2>&-", 67, ""),
        ("$S --data $D mailbox info user/nobody 2>/dev/full", 67, ""),
        ("printf 'lam x\ncm y\ncm z' | $S --data $D admin 2>/dev/full; $S --data $D admin -e 'cm z'", 73, "exists"),
        ("$S --data $D mailbox list >/dev/full", 74, "No space left on device"),
        ("$S --help >/dev/full", 74, "No space left on device"),
        ("$S --data $D mailbox list | true; exit ${PIPESTATUS[0]}", 0, ""),
        ("$S config reference | head -c1 >/dev/null; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_streams_that_are_closed_or_full_are_no_crash(alice, line, code, said, unbuffered):
    done = shell(line, D=str(alice), PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_text_that_the_terminal_cannot_show_is_no_crash(alice):
    assert run(["--data", str(alice), "mailbox", "create", "user/alice/Entwürfe"]) == 0
    done = sievemda("--data", alice, "mailbox", "list", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stdout) == (0, b"user/alice\nuser/alice/Entw\\xfcrfe\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("command", ["list", "info"])
def test_json_is_json_in_every_encoding(alice, encoding, command):
    name = "user/alice/Entwürfe \U0001f4e7"
    assert run(["--data", str(alice), "mailbox", "create", name]) == 0
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = sievemda("--data", alice, "mailbox", command, "user/alice*", "--json", env=environment)
    assert [row["name"] for row in json.loads(done.stdout.decode("utf-8"))] == ["user/alice", name]


def groups_and_commands():
    from sievemda.cli.main import cli

    for name in COMMANDS:
        command = cli.get_command(None, name)
        yield (name,), command
        for sub in command.list_commands(None) if isinstance(command, click.Group) else ():
            yield (name, sub), command.get_command(None, sub)


def calls_for_help():
    """Each command with each of its options for help: where identifiers may begin with a hyphen, -h is none."""
    yield from [((), "--help"), ((), "-h")]
    for words, command in groups_and_commands():
        yield from ((words, option) for option in command.context_settings.get("help_option_names", ("--help", "-h")))


@pytest.mark.parametrize(
    ("words", "option"), [*calls_for_help()], ids=lambda part: part if isinstance(part, str) else " ".join(part)
)
def test_help_has_an_example_and_needs_no_configuration(words, option, capsys):
    assert run([*words, option]) == 0
    said = capsys.readouterr().out
    assert f"Usage: {' '.join(('sievemda', *words))} " in said
    assert "Example: sievemda " in said


def test_the_word_sieve_among_the_arguments_does_not_change_the_code_of_wrong_usage(tmp_path, capsys):
    assert run(["--data", str(tmp_path), "mailbox", "create", "sieve", "--nope"]) == 64
    assert run(["sieve", "check", "--nope"]) == 2


def test_without_configuration_what_needs_one_says_so(capsys):
    assert run(["--config", "/nonexistent/sievemda.toml", "mailbox", "list"]) == 78
    assert capsys.readouterr().err == "sievemda: /nonexistent/sievemda.toml: No such file or directory\n"


@pytest.mark.parametrize("option", ["--data", "--config"])
def test_an_empty_path_is_wrong_usage_and_not_the_current_directory(option, capsys):
    assert run([option, "", "mailbox", "list"]) == 64


def test_what_config_show_prints_is_a_configuration(tmp_path, capsys):
    sets = ["xlist-junk=Spam", f"partition-fast={tmp_path}/fast", "message_mode=0640", "lmtp_timeout=1h30m"]
    assert run(["--data", str(tmp_path / "d"), *(w for each in sets for w in ("--set", each)), "config", "show"]) == 0
    shown = capsys.readouterr().out
    assert 'message_mode = "0640"' in shown
    (tmp_path / "shown.toml").write_text(shown)
    assert run(["--config", str(tmp_path / "shown.toml"), "config", "show"]) == 0
    assert capsys.readouterr().out == shown


def test_config_check_looks_into_what_the_settings_name(tmp_path, capsys):
    sets = ["sieve_extensions=+nonsense", "autocreate_sieve_script=/nope/a", "groups_file=/nope/b"]
    flags = [word for each in sets for word in ("--set", each)]
    assert run(["--data", str(tmp_path), *flags, "config", "check"]) == 78
    told = capsys.readouterr().err
    assert told.count("\n") == 3
    for part in (
        "unknown capability nonsense",
        "autocreate_sieve_script: /nope/a: No such",
        "groups_file: /nope/b: No",
    ):
        assert part in told


def test_config_check_says_in_json_what_is_wrong(tmp_path, capsys):
    assert run(["--data", str(tmp_path), "config", "check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"valid": True, "data": str(tmp_path), "problems": []}
    assert run(["--data", str(tmp_path), "--set", "a=1", "--set", "b=1", "config", "check", "--json"]) == 78
    assert len(json.loads(capsys.readouterr().out)["problems"]) == 2


def test_a_program_may_talk_to_the_shell_through_pipes(alice):
    command = [sys.executable, "-m", "sievemda", "--data", str(alice), "admin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
        for line, answer in (("lm", "user/alice (\\HasNoChildren)  \n"), ("sq user/alice 10", "quota:10\n")):
            print(line, file=shell.stdin, flush=True)
            assert shell.stdout.readline() == answer


@pytest.mark.parametrize(
    ("about", "said"),
    [("", "/mail/user"), ("alice", "alice: /mail/user"), ("/mail/user", "/mail/user")],
)
def test_what_is_forbidden_with_one_of_many_is_told_with_its_path_once(capsys, about, said):
    failures = Failures()
    failures.tell(PermissionError(13, "Permission denied", "/mail/user"), about)
    assert (failures.code, capsys.readouterr().err) == (74, f"sievemda: {said}: Permission denied\n")


def trouble(cause):
    error = TemporaryTrouble("the database cannot be used")
    error.__cause__ = cause
    return error


def test_a_database_that_may_not_be_written_is_no_matter_of_trying_again(tmp_path):
    sqlite3.connect(tmp_path / "db").close()
    with closing(sqlite3.connect(f"file:{tmp_path}/db?mode=ro", uri=True)) as database:
        with pytest.raises(sqlite3.OperationalError) as forbidden:
            database.execute("CREATE TABLE x (y)")
        assert exit_code(trouble(forbidden.value)) == 74
        with pytest.raises(sqlite3.OperationalError) as other:
            database.execute("SELECT * FROM nothing")
        assert exit_code(trouble(other.value)) == 75
    assert [exit_code(trouble(cause)) for cause in (None, PermissionError(), OSError())] == [75, 74, 75]


def test_who_interrupts_while_modules_are_imported_sees_no_traceback(tmp_path):
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = sievemda("--help", env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


ENDLESS = """
import sys, time
from sievemda.cli import prune
from sievemda.cli.progress import shown
def endless(*_, **__):
    for _ in shown(iter(int, 1), "messages"):
        print(flush=True)
        time.sleep(0.01)
prune._pruned = endless
from sievemda.__main__ import main
sys.argv[1:] = ["--data", sys.argv[1], "prune"]
main()
"""


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
@pytest.mark.parametrize("terminal", [False, True])
def test_a_command_that_is_ended_says_so_on_one_line_of_its_own(alice, number, code, said, terminal):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", ENDLESS, str(alice)]
    errors = theirs if terminal else subprocess.PIPE
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, start_new_session=True) as process:
        process.stdout.readline()
        process.send_signal(number)
        process.stdout.read()
        told = os.read(ours, 1 << 20) if terminal else process.stderr.read()
    os.close(ours)
    os.close(theirs)
    lines = told.decode().replace("\r\n", "\n").split("\r\x1b[K")
    assert process.returncode == code
    assert f"sievemda: {said}\n" in lines
    assert (told.count(b"\n"), b"Traceback" in told) == (1, False)


def test_who_has_terminating_ignored_is_not_ended_by_it(alice):
    line = "trap '' TERM; $S --data $D mailbox list"
    assert shell(line, D=str(alice)).stdout == "user/alice\n"
