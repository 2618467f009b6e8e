"""The shell for scripts, against our own server as processes, with TLS."""

import fcntl
import io
import json
import os
import pty
import shutil
import stat
import subprocess
import sys
import termios

import pytest

from sievemda import assembly, configload
from sievemda.cli.main import run
from sievemda.cli.sieveshell import access
from sievemda.cli.sieveshell.access import Access, Wanted
from sievemda.cli.sieveshell.commands import BY_NAME
from sievemda.cli.sieveshell.editing import edit
from sievemda.cli.sieveshell.interactive import Completer
from sievemda.cli.sieveshell.shell import Context, Shell, split
from sievemda.errors import NotPermitted, Unavailable, UsageError
from sievemda.managesieve.client.discovery import Endpoint
from sievemda.managesieve.client.refusals import Referred
from sievemda.managesieve.client.sasl import Identity
from sievemda.managesieve.client.session import connect
from sievemda.managesieve.client.tls import Protection
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from tests.interop.certificate import make_certificate
from tests.interop.processes import free_port
from tests.managesieve.client.dns_responder import Responder
from tests.managesieve.client.scripted import GREETING, Scripted
from tests.serve.service import Service

BIG = b"# " + b"x" * 300_000 + b"\nkeep;\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def service(tmp_path_factory, certificate):
    sets = (f"tls_server_cert={certificate[0]}", f"tls_server_key={certificate[1]}", "admins=root")
    port = free_port()
    made = Service(tmp_path_factory.mktemp("s"), "--workers", "1", "--managesieve", f"inet:127.0.0.1:{port}", sets=sets)
    made.port = port
    settings = configload.load(None, made.data, [])
    for user in ("alice", "bob", "root"):
        MailStore(settings).create(MailboxName(user))
        assembly.users(settings).set_password(user, "secret")
    made.start()
    yield made
    made.stop()
    made.close()


@pytest.fixture
def call(service, certificate, monkeypatch, capfdbinary, tmp_path):
    """Runs the shell: (exit code, standard output, standard error)."""
    monkeypatch.setenv("SIEVEMDA_PASSWORD", "secret")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("VISUAL", raising=False)
    made = set()

    def command(*arguments, stdin=b"", user="alice", host="127.0.0.1", port=None, ca=certificate[0]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        made.add(user)
        trust = ("--ca", str(ca)) if ca else ()
        if not {"--starttls", "--no-tls"} & set(arguments):  # where TLS comes at once, nobody waits for the greeting
            trust += ("--tls",)
        code = run(["sieveshell", *trust, f"{user}@{host}:{port or service.port}", *arguments])
        out, err = capfdbinary.readouterr()
        assert b"Traceback" not in err
        return code, out.decode(), err.decode()

    yield command
    for user in made & {"alice", "bob", "root"}:
        home = service.data / "mail" / "user" / user
        (home / ".dovecot.sieve").unlink(missing_ok=True)
        shutil.rmtree(home / "sieve", ignore_errors=True)


@pytest.fixture
def file(tmp_path):
    def write(text, name="work.sieve"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("mode", ["--starttls", "--tls"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256-PLUS"])
def test_every_way_in(call, mode, mechanism):
    assert call(mode, "-m", mechanism, "-e", "list") == (0, "", "")


@pytest.mark.parametrize("mechanism", ["LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_every_mechanism(call, mechanism):
    assert call("-m", mechanism, "-e", "list") == (0, "", "")


def test_the_life_of_a_script(call, file):
    steps = f'put {file("keep;")} work; activate work; list; rename work "büro x"; get "büro x"; list'
    code, out, err = call("-e", steps)
    assert (code, err) == (0, "")
    assert out == "work  <- active script\nkeep;büro x  <- active script\n"
    assert call("-e", 'deactivate; delete "büro x"; list') == (0, "", "")


def test_a_large_script_comes_back_as_it_was(call, file, tmp_path):
    there = tmp_path / "there"
    assert call("-e", f"put {file(BIG)} big; get big {there}")[0] == 0
    assert there.read_bytes() == BIG


def test_a_put_without_a_name_takes_that_of_the_file(call, file):
    assert call("-e", f"put {file('keep;')}; list")[1] == "work.sieve\n"


def test_commands_from_standard_input_and_from_a_file(call, file):
    lines = b'# a comment\n\nput "%s" a\nlist\n' % file("keep;").encode()
    assert call(stdin=lines) == (0, "a\n", "")
    assert call("-f", file("list\n", "commands"))[1] == "a\n"
    assert call("-f", "-", stdin=b"list")[1] == "a\n"


def test_the_first_error_ends_what_nobody_types(call, file):
    bad = file("foo;")
    code, out, err = call("-e", f"put {bad} a; activate a", "-e", "list")
    assert code == 65
    assert out == ""
    assert err.startswith("sieveshell: put: ")
    assert call("--keep-going", "-e", f"put {bad} a; list", "-e", "capability")[1].count("IMPLEMENTATION") == 1


def test_warnings_are_told_and_are_no_error(call, file):
    code, _, err = call("-e", f"put {file('keep; stop; keep;')} a")
    assert code == 0
    assert "line" in err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("get nothing", 67),
        ("activate nothing", 67),
        ("delete nothing", 67),
        ("rename nothing x", 67),
        ("check /nonexistent", 65),
        ("put a b c", 64),
        ("activate ''", 64),
        ("frobnicate", 64),
        ("get 'a", 64),
        ("put -", 64),
    ],
)
def test_errors_have_the_codes_of_sysexits(call, command, code):
    found, out, err = call("-e", command)
    assert (found, out) == (code, "")
    assert err.startswith("sieveshell: ")


def test_a_name_that_is_taken_and_a_script_that_is_active(call, file):
    assert call("-e", f"put {file('keep;')} a; put {file('keep;')} b; activate a")[0] == 0
    assert call("-e", "rename a b")[0] == 73
    assert call("-e", "delete a")[0] == 77


def test_json_for_programs(call, file):
    code, out, _ = call("--json", "-e", f"put {file('keep;')} a; activate a; list")
    assert code == 0
    assert json.loads(out) == [{"name": "a", "active": True}]


def test_a_wrong_password_is_not_let_in(call, monkeypatch):
    monkeypatch.setenv("SIEVEMDA_PASSWORD", "wrong")
    assert call("-e", "list")[0] == 77


def test_a_password_from_a_file_and_from_standard_input(call, monkeypatch, file):
    monkeypatch.delenv("SIEVEMDA_PASSWORD")
    assert call("--password-file", file("secret\nmore\n", "p"), "-e", "list")[0] == 0
    assert call("--password-file", "-", "-e", "list", stdin=b"secret\n")[0] == 0
    assert call("--password-file", "/nonexistent", "-e", "list")[0] == 65


def test_who_is_no_utf_8_is_refused_before_anybody_is_asked(call, monkeypatch):
    code, _, err = call("-e", "list", user="al\udcffice")
    assert (code, "UTF-8" in err) == (65, True)
    monkeypatch.setenv("SIEVEMDA_PASSWORD", "secret\udcff")
    code, _, err = call("-e", "list")
    assert (code, "UTF-8" in err, "secret" in err) == (65, True, False)


def test_a_password_is_never_an_argument(call):
    code, _, err = call("-p", "secret", "-e", "list")
    assert code == 64
    assert "never taken from the command line" in err


def test_standard_input_is_one_thing_only(call):
    assert call("--password-file", "-", stdin=b"secret\nlist\n")[0] == 64


def test_an_administrator_looks_after_others(call, file):
    assert call("-u", "bob", "-e", f"put {file('keep;')} his", user="root")[0] == 0
    assert call("-e", "list", user="bob")[1] == "his\n"
    assert call("-u", "bob", "-e", "list")[0] == 77


def test_an_unknown_certificate_is_refused_and_how_to_go_on_is_said(call):
    code, _, err = call("-e", "list", ca=None)
    assert code == 77
    assert "--ca FILE" in err


def test_insecure_is_not_silent(call):
    code, _, err = call("--insecure", "-e", "list", ca=None)
    assert code == 0
    assert "warning" in err


def test_without_tls_only_to_this_host(call):
    assert call("--no-tls", "-m", "SCRAM-SHA-256", "-e", "list")[0] == 0
    code, _, err = call("--no-tls", "-e", "list", host="mail.example.org")
    assert code == 77
    assert "anybody between" in err


@pytest.mark.parametrize(
    "arguments", [("--key", "/x"), ("-m", "OAUTHBEARER"), ("--cert", "/nonexistent"), ("--ca", "/nonexistent")]
)
def test_files_and_options_that_do_not_fit_are_refused_before_anything_is_connected_to(call, arguments):
    assert call(*arguments, "-e", "list", port=1)[0] in {64, 65}


def test_nobody_there(call):
    assert call("-e", "list", port=1)[0] == 69


# --- what a server says to a terminal ----------------------------------------------------------------------------


def scripted(*answers):
    def play(server):
        server.say(GREETING.replace(b"SCRAM-SHA-256 ", b""))
        server.line()
        server.say(b"OK\r\n")
        server.line()
        server.say(GREETING)
        for answer in answers:
            server.line()
            server.say(answer)
        server.line()

    return Scripted(play)


def test_escape_sequences_of_a_server_do_not_reach_the_terminal(call):
    evil = b'"\x1b]0;owned\x07" ACTIVE\r\nOK\r\n'
    with scripted(evil) as server:
        _, out, _ = call("--no-tls", "-e", "list", port=server.port)
    assert "\x1b" not in out
    assert "owned" in out
    with scripted(b'NO "\x1b[2J"\r\n') as server:
        _, _, err = call("--no-tls", "-e", "list", port=server.port)
    assert "\x1b" not in err


def test_a_server_that_goes_ends_the_session(call):
    with scripted(b'BYE "bye now"\r\n') as server:
        code, _, err = call("--no-tls", "--keep-going", "-e", "list; list; list", port=server.port)
    assert code == 69
    assert err.count("bye now") == 1


def test_a_referral_needs_consent(call, service):
    away = b'BYE (REFERRAL "sieve://127.0.0.1:%d") "moved"\r\n' % service.port
    with Scripted(lambda server: server.say(away)) as server:
        code, _, err = call("--no-tls", "-m", "SCRAM-SHA-256", "-e", "list", port=server.port)
        assert code == 77
        assert "--follow" in err
        assert call("--no-tls", "-m", "SCRAM-SHA-256", "--follow", "-e", "list", port=server.port)[0] == 0


def test_a_referral_to_another_host_is_not_followed_without_tls(call):
    with Scripted(lambda server: server.say(b'BYE (REFERRAL "sieve://192.0.2.1") "moved"\r\n')) as server:
        code, _, err = call("--no-tls", "--follow", "-e", "list", port=server.port)
    assert code == 77
    assert "without TLS anybody between here and 192.0.2.1" in err


def test_a_referral_in_the_middle_is_followed_and_the_command_done_there(call, service, file):
    with scripted(b'BYE (REFERRAL "sieve://127.0.0.1:%d") "moved"\r\n' % service.port) as server:
        code, out, _ = call("--no-tls", "--follow", "-e", f"put {file('keep;')} moved; list", port=server.port)
    assert (code, out) == (0, "moved\n")


def test_servers_that_refer_to_each_other_come_to_an_end(call):
    with Scripted(lambda s: s.say(b'BYE (REFERRAL "sieve://127.0.0.1:%d")\r\n' % s.port)) as server:
        assert call("--no-tls", "--follow", "-e", "list", port=server.port)[0] == 69


@pytest.mark.parametrize("url", ["http://x", "sieve://", "sieve://a:99999", "nonsense", "sieve://[::1"])
def test_what_is_no_sieve_url_is_not_followed(url):
    wanted = Wanted("a", None, Identity("x"), Protection(), follow=True)
    with pytest.raises((Unavailable, NotPermitted)):
        Access(wanted, None).refer(Referred(url))


# --- finding it ------------------------------------------------------------------------------------------------


def test_the_server_is_found_by_its_srv_record(service, certificate):
    identity = Identity("alice", password="secret")
    records = {"_sieve._tcp.example.org.": [f"0 0 {service.port} localhost."]}
    asked = []
    with Responder(records):
        wanted = Wanted("example.org", None, identity, Protection(authorities=certificate[0]))
        with pytest.raises(NotPermitted, match="of another domain"):
            Access(wanted, None).open()
        session = Access(wanted, lambda question: asked.append(question) or True).open()
        assert session.list() == ()
        session.close()
    assert "localhost" in asked[0]


def test_of_several_servers_the_first_that_answers_is_taken(service, certificate):
    records = {"_sieve._tcp.example.org.": ["0 0 1 localhost.", f"1 0 {service.port} localhost."]}
    identity = Identity("alice", password="secret")
    wanted = Wanted("example.org", None, identity, Protection(authorities=certificate[0]), follow=True)
    with Responder(records):
        Access(wanted, None).open().close()


# --- edit --------------------------------------------------------------------------------------------------------


@pytest.fixture
def editor(monkeypatch, tmp_path):
    """Takes a shell command that changes "$1" for an editor."""

    def use(text):
        program = tmp_path / "editor"
        program.write_text(f"#!/bin/sh\nstat -c %a:%s $1 >> {tmp_path}/seen\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("EDITOR", str(program))
        monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
        (tmp_path / "tmp").mkdir(exist_ok=True)
        monkeypatch.setattr("tempfile.tempdir", None)

    return use


def kept(tmp_path):
    return list((tmp_path / "tmp").rglob("*.sieve"))


def test_an_edited_script_is_stored(call, file, editor, tmp_path):
    editor('echo "stop;" >> "$1"')
    assert call("-e", f"put {file('keep;')} a; edit a; get a")[1] == "keep;stop;\n"
    assert (tmp_path / "seen").read_text() == "600:5\n"
    assert not kept(tmp_path)


def test_a_new_script_is_made(call, editor):
    editor('echo "keep;" > "$1"')
    assert call("-e", "edit new; get new")[1] == "keep;\n"


def test_an_editor_that_changes_nothing_stores_nothing(call, editor, tmp_path):
    editor("true")
    assert call("-e", "edit new; list")[1] == "nothing was changed\n"
    assert not kept(tmp_path)


def test_what_is_not_valid_is_not_stored_and_not_lost(call, editor, tmp_path):
    editor('echo "foo;" > "$1"')
    code, _, err = call("-e", "edit new")
    assert code == 65
    (file,) = kept(tmp_path)
    assert str(file) in err
    assert file.read_text() == "foo;\n"
    assert call("-e", "list")[1] == ""


def test_what_an_old_server_refuses_can_be_edited_again(editor, tmp_path, capfd):
    """One that cannot check says only when it is to store a script that it is wrong."""

    greeting = GREETING.replace(b'"VERSION" "1.0"\r\n', b"")

    def play(server):
        server.say(greeting)
        put = 0
        while word := server.line().split(b" ")[0].strip():
            if word == b"CAPABILITY":
                server.say(greeting)
            elif word == b"PUTSCRIPT":
                server.heard.append(server.socket.recv(100) if server.heard[-1].endswith(b"+}\r\n") else b"")
                put += 1
                server.say(b'NO "line 1: foo"\r\n' if put == 1 else b"OK\r\n")
            else:
                server.say(b"NO (NONEXISTENT)\r\n")

    editor('if [ -s "$1" ]; then echo "keep;" > "$1"; else echo "foo;" > "$1"; fi')
    asked = []
    with Scripted(play) as server:
        session = connect(Endpoint("127.0.0.1", server.port), Protection("none"), 20.0)
        context = Context(Access(Wanted("a", None, Identity("x"), Protection()), None), session)
        context.ask = lambda question, letters: asked.append(question) or letters[0]
        edit(context, ["a"])
        session.drop()
    assert len(asked) == 1
    assert "line 1: foo" in capfd.readouterr()[1]
    assert not kept(tmp_path)


def test_what_somebody_else_has_stored_meanwhile_is_not_overwritten(call, file, editor, tmp_path, service):
    base = " ".join(service.base)
    editor(f'echo "stop;" > "$1"; echo "discard;" | {base} script put alice a')
    code, _, err = call("-e", f"put {file('keep;')} a; edit a")
    assert code == 75
    assert "somebody else" in err
    assert sorted(path.read_text() for path in kept(tmp_path)) == ["discard;\n", "stop;\n"]
    assert call("-e", "get a")[1] == "discard;\n"


def test_an_editor_that_fails_stores_nothing(call, editor):
    editor('echo "keep;" > "$1"; exit 3')
    code, _, err = call("-e", "edit new")
    assert code == 65
    assert "ended with 3" in err


def test_a_name_leads_to_no_other_place(call, editor, tmp_path):
    editor('echo "keep;" > "$1"')
    assert call("-e", 'edit "..;x"; list')[:2] == (0, "..;x\n")
    assert not kept(tmp_path)


# --- typing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("list", [["list"]]),
        ("a; b c;;d", [["a"], ["b", "c"], ["d"]]),
        ("get 'a b' \"c;d\"  # comment", [["get", "a b", "c;d"]]),
        ("a\nb", [["a"], ["b"]]),
        ("a\r\nb\rc\n", [["a"], ["b"], ["c"]]),
        ("", []),
        ("  # all of it", []),
        ("delete rules#2 # not rules", [["delete", "rules#2"]]),  # as in a shell
        ("delete '#2'; a;# b", [["delete", "#2"], ["a"]]),
        ("rename ';' delete; rename \"\" x", [["rename", ";", "delete"], ["rename", "", "x"]]),
        ("get a\\;b\\ c\\#", [["get", "a;b c#"]]),
        ("get a'b c'\"d e\"", [["get", "ab cd e"]]),
        (r"""get "a\"b\\c\d" 'e\f'""", [["get", 'a"b\\c\\d', "e\\f"]]),
        ("get büro\u00a0x\u2028y", [["get", "büro\u00a0x\u2028y"]]),
    ],
)
def test_lines_become_words(text, commands):
    assert list(split(text)) == commands


@pytest.mark.parametrize("text", ["get 'a", 'list; get "a', "list; get a\\", "delete x'"])
def test_of_a_line_that_is_not_understood_to_its_end_nothing_is_done(text):
    with pytest.raises(UsageError):
        next(split(text))


def test_a_name_with_a_hash_is_not_cut_off_there(call, file):
    assert call("-e", f"put {file('keep;')} rules; put {file('keep;')} rules#2; delete rules#2; list") == (
        0,
        "rules\n",
        "",
    )


@pytest.mark.parametrize("command", ['activate ""', 'get ""', 'delete ""', 'edit ""'])
def test_an_empty_name_is_a_name_that_no_script_has(call, command):
    code, out, err = call("-e", command)
    assert (code, out) != (0, "")
    assert "usage" not in err


@pytest.mark.parametrize(
    "command", [b"get \xff", b"delete a\xffb", b"activate \xff", b"rename \xff x", b"try \xff", b"edit \xff"]
)
def test_a_name_that_is_not_utf_8_is_refused(call, command):
    code, out, err = call(stdin=command + b"\nlist\n")
    assert (code, out) == (65, "")
    assert "UTF-8" in err


def test_commands_scripts_and_files_are_completed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "work.sieve").touch()
    (tmp_path / "words").mkdir()

    class Seen:
        names = ("work", "with blank", "evil\x1b", "other")

    completer = Completer(Seen())
    assert completer.matches("", "ac") == ["activate "]
    assert completer.matches("get ", "w") == ["work "]
    assert completer.matches("list; put ", "wo") == ["words/", "work.sieve "]
    assert completer.matches("list ", "") == []


def test_what_was_just_stored_renamed_and_deleted_is_completed_so(file):
    def play(server):
        server.say(GREETING)
        while server.line():
            server.say(b"OK\r\n")

    with Scripted(play) as server:
        session = connect(Endpoint("127.0.0.1", server.port), Protection("none"), 20.0)
        context = Context(Access(Wanted("a", None, Identity("x"), Protection()), None), session, names=("work",))
        shell, completer = Shell(context, BY_NAME), Completer(context)
        seen = []
        for line in (f"put {file('keep;')} words", "rename words world", "delete work"):
            shell.line(line)
            seen.append(completer.matches("get ", "wor"))
        session.drop()
    assert seen == [["words ", "work "], ["work ", "world "], ["world "]]


def test_a_password_needs_a_terminal_or_a_file(monkeypatch):
    monkeypatch.delenv("SIEVEMDA_PASSWORD", raising=False)
    assert access.secret(None, "SIEVEMDA_PASSWORD") is None


def test_a_session_on_a_terminal(service, certificate, tmp_path):
    """The password is not shown, and does not get into the history."""
    terminal, theirs = pty.openpty()
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "TERM": "dumb"}
    environment.pop("SIEVEMDA_PASSWORD", None)
    process = subprocess.Popen(
        [*service.base[:3], "sieveshell", "--ca", str(certificate[0]), f"alice@127.0.0.1:{service.port}"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  where the password is asked for
    )
    os.close(theirs)
    shown = b""

    def until(text):
        nonlocal shown
        while text not in shown:
            shown += os.read(terminal, 4096)
        shown = shown.partition(text)[2]

    until(b"Password")
    os.write(terminal, b"secret\n")
    until(b"logged in")
    until(b"> ")
    os.write(terminal, b"capability\n")
    until(b"OWNER: alice")
    until(b"> ")
    os.write(terminal, b"quit\n")
    assert process.wait(30) == 0
    os.close(terminal)
    history = (tmp_path / "state" / "sievemda" / "sieveshell_history").read_text()
    assert "capability" in history
    assert "secret" not in history
