"""Programs of the administrator: how they are found, run and ended, and what `pipe`, `filter`, `execute` do with them."""

import os
import time
from pathlib import Path

import pytest

from sievemda.config import Seconds, Size
from sievemda.delivery.programs import Programs
from sievemda.mail.result import Result
from tests.delivery.world import message

ABOUT = {"USER": "alice", "SENDER": "bob@example.net"}


@pytest.fixture
def directory(tmp_path):
    path = tmp_path / "bin"
    path.mkdir()
    return path


@pytest.fixture
def listed(make_world, directory):
    """A world with these programs for every use, and alice with a script."""

    def make(script="", /, *, timeout=60, eol="lf", **programs):
        for name, text in programs.items():
            file = directory / name
            file.write_text(f"#!/bin/sh\n{text}\n")
            file.chmod(0o755)
        settings = {}
        for kind in ("pipe", "filter", "execute", "convert"):
            settings[f"sieve_{kind}_bin_dir"] = directory
        for kind in ("pipe", "filter", "execute"):
            settings[f"sieve_{kind}_input_eol"] = eol
            settings[f"sieve_{kind}_exec_timeout"] = Seconds(timeout)
        world = make_world(sieve_program_max_output=Size(100_000), **settings)
        world.user("alice", "Filed", script=script)
        return world

    return make


@pytest.fixture
def run(listed):
    def call(text, *arguments, data=b"", kind="execute", **options):
        return Programs(listed(p=text, **options).settings).run(kind, "p", arguments, data, ABOUT)

    return call


# -- finding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", ".", "..", "../bin/p", "/bin/sh", "sub", "plain", "nosuch", "p\0", "x" * 300])
def test_only_what_can_be_run_in_the_directory_is_listed(listed, directory, name):
    programs = Programs(listed(p="true").settings)
    (directory / "sub").mkdir()
    (directory / "plain").write_text("true\n")
    assert programs.find("execute", name) is None
    assert programs.find("execute", "p") == directory / "p"


def test_without_a_directory_there_is_no_program(world):
    assert Programs(world.settings).run("filter", "cat", (), b"", {}) is None


# -- running ---------------------------------------------------------------------------------------------------


def test_output_and_success_come_back(run):
    assert run("echo out; echo err >&2") == (type(run("true"))(ok=True, output=b"out\n"))


def test_a_code_above_zero_is_no_success_and_has_no_output(run):
    result = run("echo out; exit 3")
    assert not result.ok
    assert result.output == b""


def test_arguments_are_never_read_by_a_shell(run):
    assert run('printf "%s|" "$@"', "a b", "$(id)", ";true", "", "'", "é").output.decode() == "a b|$(id)|;true||'|é|"


def test_the_environment_is_clean(run, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    names = {line.partition("=")[0] for line in run("env").output.decode().splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LANG", "HOST", "USER", "SENDER"}


@pytest.mark.parametrize(("eol", "seen"), [("crlf", b"a\r\nb\r\n"), ("lf", b"a\nb\n")])
def test_line_ends_of_the_input_are_as_the_site_wants_them(run, eol, seen):
    assert run("cat", data=b"a\nb\n", eol=eol).output == seen


def test_input_that_nobody_reads_stands_in_no_ones_way(run):
    assert run("true", data=b"x" * 5_000_000).ok


def test_large_input_and_output_pass_at_once(run):
    assert len(run("cat", data=b"x" * 90_000).output) == 90_000


def test_no_other_file_is_open_to_it(run):
    read, write = os.pipe()
    os.set_inheritable(read, True)
    try:
        assert run("ls /proc/self/fd").output.split() == [b"0", b"1", b"2", b"3"]  # 3 is the directory that ls reads
    finally:
        os.close(read)
        os.close(write)


def test_it_is_ended_when_its_time_is_up_with_all_it_has_started(run, tmp_path):
    result = run(f"(sleep 600; touch {tmp_path}/late) & echo $! > {tmp_path}/child; sleep 600", timeout=3)
    assert not result.ok
    assert not _runs(int((tmp_path / "child").read_text()))


def test_what_it_leaves_behind_does_not_outlive_it(run, tmp_path):
    result = run(f"sleep 600 & echo $! > {tmp_path}/child; echo done")
    assert result.output == b"done\n"
    assert not _runs(int((tmp_path / "child").read_text()))


def test_output_beyond_measure_is_a_failure(run):
    assert not run("yes").ok


def test_complaints_go_to_the_log_and_have_a_bound(run, caplog):
    assert run("yes complaint | head -c 1000000 >&2; exit 1").ok is False
    assert "complaint" in caplog.text
    assert len(caplog.text) < 10_000


def test_what_the_system_cannot_run_is_a_failure(listed, directory):
    world = listed()
    (directory / "odd").write_text("#!/no/such/interpreter\n")
    (directory / "odd").chmod(0o755)
    assert Programs(world.settings).run("filter", "odd", (), b"", {}).ok is False


def _runs(number):
    """Whether that process is still there; one that only waits to be buried is not."""
    for _ in range(1200):
        try:
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except FileNotFoundError:
            return False
        time.sleep(0.05)
    return True


# -- filter and execute ----------------------------------------------------------------------------------------

FILTER = 'require ["vnd.dovecot.filter", "fileinto"];'


def test_a_filter_changes_what_is_stored(listed):
    world = listed(f'{FILTER} filter "p" "shouted"; fileinto "Filed";', p='sed "s/Body/$1/"', eol="crlf")
    assert world.deliver("alice@mx.example.org", message()) == [Result.DELIVERED]
    assert world.stored("user/alice/Filed").endswith(b"\n\nshouted\n")


def test_a_filter_that_fails_leaves_the_message(listed):
    world = listed(f'{FILTER} if filter "p" {{ fileinto "Filed"; }}', p="cat; exit 1")
    world.deliver("alice@mx.example.org", message())
    assert world.stored("user/alice").endswith(b"\n\nBody\n")


def test_a_program_hears_who_writes_to_whom(listed):
    script = (
        'require ["vnd.dovecot.execute", "variables", "fileinto"];'
        'if execute :output "o" "p" {} if string :contains "${o}" "bob@example.net alice+x@mx.example.org alice" '
        '{ fileinto "Filed"; }'
    )
    world = listed(script, p='echo "$SENDER $RECIPIENT $USER"; echo "$HOME" > "$HOME/seen"')
    world.deliver("alice+x@mx.example.org", message())
    assert world.files("user/alice/Filed")
    home = world.store.home("alice")
    assert (home / "seen").read_text().strip() == str(home)


def test_an_unknown_program_fails_the_script_and_the_message_is_kept(listed):
    world = listed(f'{FILTER} filter "nosuch"; fileinto "Filed";')
    world.deliver("alice@mx.example.org", message())
    assert world.keywords("user/alice") == ["$SieveFailed"]


# -- pipe ------------------------------------------------------------------------------------------------------

PIPE = 'require ["vnd.dovecot.pipe", "copy", "fileinto", "imap4flags"];'
TAKE = 'cat > "$HOME/taken"'


def taken(world):
    file = world.store.home("alice") / "taken"
    return file.read_bytes() if file.exists() else None


def test_pipe_hands_the_message_over_and_nothing_is_kept(listed):
    world = listed(f'{PIPE} pipe "p";', p=TAKE)
    assert world.deliver("alice@mx.example.org", message()) == [Result.DELIVERED]
    assert taken(world).endswith(b"\n\nBody\n")
    assert not world.files("user/alice")


def test_a_copy_is_kept_beside(listed):
    world = listed(f'{PIPE} pipe :copy "p";', p=TAKE)
    world.deliver("alice@mx.example.org", message())
    assert taken(world)
    assert world.files("user/alice")


def test_local_mail_is_safe_before_a_program_runs(listed):
    seen = 'ls "$HOME"/Maildir/.Filed/cur "$HOME"/Maildir/.Filed/new > "$HOME/taken"'
    world = listed(f'{PIPE} pipe "p"; fileinto "Filed";', p=seen)
    world.deliver("alice@mx.example.org", message())
    assert world.files("user/alice/Filed")[0].name.encode() in taken(world)


@pytest.mark.parametrize("program", ["p", "nosuch"])
def test_a_pipe_that_fails_is_a_failure_and_the_message_is_kept(listed, program):
    world = listed(f'{PIPE} pipe "{program}";', p="exit 1")
    assert world.deliver("alice@mx.example.org", message()) == [Result.DELIVERED]
    assert world.keywords("user/alice") == ["$SieveFailed"]


@pytest.mark.parametrize("program", ["p", "nosuch"])
def test_a_try_that_fails_leaves_everything_as_if_it_had_not_been(listed, program):
    world = listed(f'{PIPE} setflag "work"; pipe :try "{program}";', p="exit 1")
    world.deliver("alice@mx.example.org", message())
    assert world.keywords("user/alice") == ["work"]


def test_a_try_that_fails_beside_something_else_keeps_no_copy(listed):
    world = listed(f'{PIPE} pipe :try "p"; fileinto "Filed";', p="exit 1")
    world.deliver("alice@mx.example.org", message())
    assert not world.files("user/alice")
    assert len(world.files("user/alice/Filed")) == 1


def test_of_two_tries_one_is_enough(listed):
    world = listed(f'{PIPE} pipe :try "p"; pipe :try "q";', p="exit 1", q=TAKE)
    world.deliver("alice@mx.example.org", message())
    assert taken(world)
    assert not world.files("user/alice")


def test_the_same_message_is_not_handed_over_again(listed):
    world = listed(f'{PIPE} pipe "p" "x";', p='echo once >> "$HOME/taken"')
    for _ in range(2):
        world.deliver("alice@mx.example.org", message())
    assert taken(world) == b"once\n"
    world.deliver("alice@mx.example.org", message("<2@example.net>"))
    assert taken(world) == b"once\nonce\n"


def test_why_tells_of_the_program(listed):
    world = listed(f'{PIPE} pipe "p" "A4";', p=TAKE)
    world.deliver("alice@mx.example.org", message())
    (entry,) = world.journal.find("<1@example.net>")
    assert entry["done"] == [{"action": "pipe", "line": 1, "program": "p", "arguments": ["A4"]}]
