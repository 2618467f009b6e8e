"""The command line of the shell, its terminal, and what hostile input does to it: nothing."""

import io
import os
import sys

import pytest

from sievemda.cli.admin.command import admin
from sievemda.cli.admin.interactive import Completer
from sievemda.cli.admin.language import Redirection, parse
from sievemda.cli.admin.listing import packed
from sievemda.cli.admin.session import Session, acting
from sievemda.cli.main import run
from sievemda.config import Settings
from sievemda.errors import UsageError
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from tests.cli.admin_terminal import Terminal


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    """Nothing of whoever runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shell(tmp_path, capsys, monkeypatch):
    """Runs the command with a batch as standard input: (exit code, standard output, standard error)."""

    def call(*options, batch=b"", sets=()):
        given = batch.encode() if isinstance(batch, str) else batch
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        settings = [word for setting in sets for word in ("--set", setting)]
        code = run(["--data", str(tmp_path / "site"), *settings, "admin", *options])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   ", []),
        ("lm", [["lm"]]),
        ("lm\tuser/*  %", [["lm", "user/*", "%"]]),
        ("a;b ; c;", [["a"], ["b"], ["c"]]),
        (";;a;;", [["a"]]),
        ("'a b' \"c d\" e\\ f", [["a b", "c d", "e f"]]),
        ("a'b'\"c\"d", [["abcd"]]),
        ("'' \"\"", [["", ""]]),
        ("';' \";\" \\;", [[";", ";", ";"]]),
        (r'"\\Junk" "\Junk" \\Junk \Junk', [["\\Junk", "\\Junk", "\\Junk", "Junk"]]),
        (r"'\\Junk' '\Junk'", [["\\\\Junk", "\\Junk"]]),
        (r'"say \"x\""', [['say "x"']]),
        ("'&' \"|\" \\>", [["&", "|", ">"]]),
        ("a#b #c", [["a#b"]]),
        ("# all of it", []),
        ("a;#b", [["a"]]),
        ("$HOME `x` $(y) ~ {a,b} !x", [["$HOME", "`x`", "$(y)", "~", "{a,b}", "!x"]]),
        ("caf\u00e9 a\u00a0b", [["caf\u00e9", "a\u00a0b"]]),
        ("a\r\n", [["a"]]),
    ],
)
def test_a_line_is_words_as_in_sh(line, words):
    assert [statement.words for statement in parse(line)] == words


@pytest.mark.parametrize(
    ("line", "redirection"),
    [
        ("lm >f", Redirection(1, "f")),
        ("lm > 'a b'", Redirection(1, "a b")),
        ("lm>f", Redirection(1, "f")),
        ("lm 1>f", Redirection(1, "f")),
        ("lm >>f", Redirection(1, "f", append=True)),
        ("lm 2>f", Redirection(2, "f")),
        ("lm 2>>f", Redirection(2, "f", append=True)),
        ("lm 2>&1", Redirection(2, to=1)),
        ("lm >&2", Redirection(1, to=2)),
        ("lm <f", Redirection(0, "f")),
    ],
)
def test_output_goes_elsewhere_as_in_sh(line, redirection):
    (statement,) = parse(line)
    assert statement.words == ["lm"]
    assert statement.redirections == [redirection]


@pytest.mark.parametrize(
    "line",
    ["a 'b", 'a "b', 'a "b\\', "a\\", "a | b", "a & b", "a && b", "a || b", "a >", "a > ; b", "a 3>f", "a >&7", "a <>f",
     "a >>&1", "a 2<f"],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_with_all_of_its_line(line):
    with pytest.raises(UsageError):
        parse(f"cm board; {line}")


def test_a_file_is_written_anew_or_added_to(shell, tmp_path):
    assert shell("-e", "cm a; cm b; lm a > out; lm b >> out; lm nothing >> out; cm a 2> err")[0] == 73
    assert (tmp_path / "out").read_text() == "a (\\HasNoChildren)  \nb (\\HasNoChildren)  \n"
    assert (tmp_path / "err").read_text() == "createmailbox: Mailbox already exists\n"


@pytest.mark.parametrize("line", ["lm board > /dev/full", "lam nothing 2> /dev/full", "lm board >> /dev/full 2>&1"])
def test_a_file_that_is_full_ends_its_command_alone(shell, line):
    code, out, err = shell(batch=f"cm board\n{line}\nlm board\n")
    assert (code, out) == (0, "board (\\HasNoChildren)  \n")
    assert err in {"output: No space left on device\n", ""}


def test_errors_of_the_next_command_are_not_redirected_any_more(shell):
    assert shell("-e", "cm a; cm a 2>&1; cm a") == (
        73,
        "createmailbox: Mailbox already exists\n",
        "createmailbox: Mailbox already exists\n",
    )


# -- columns -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (79, ["aa  bb  cc  dd  ee  "]),
        (14, ["aa  cc  ee  ", "bb  dd  "]),
        (9, ["aa  cc  ee  ", "bb  dd  "]),
        (8, ["aa  dd  ", "bb  ee  ", "cc  "]),
        (5, ["aa  ", "bb  ", "cc  ", "dd  ", "ee  "]),
        (1, ["aa  ", "bb  ", "cc  ", "dd  ", "ee  "]),
    ],
)
def test_names_stand_down_columns(width, lines):
    assert list(packed(["aa", "bb", "cc", "dd", "ee"], width)) == lines


@pytest.mark.parametrize(("columns", "lines"), [("44", 2), ("43", 3), ("abc", 1), ("0", 1), ("-5", 1), ("", 1)])
def test_the_width_is_that_of_the_environment(shell, monkeypatch, columns, lines):
    shell("-e", "cm f_pk; cm f_pl; cm f_pm")
    monkeypatch.setenv("COLUMNS", columns)
    assert shell("-e", "lm")[1].count("\n") == lines


# -- who acts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sets", "deletes"),
    [
        ((), ("admins=root cyrus",), True),
        (("--user", "cyrus"), ("admins=root cyrus",), True),
        (("--user", "root"), ("admins=root cyrus",), False),
        (("--user", "Cyrus"), (), True),
        ((), (), True),
        (("--user", "alice"), ("admins=cyrus",), False),
        (("--user", "root", "--authz", "cyrus"), ("admins=root cyrus",), True),
        (("root", "-e", "auth cyrus; dm board"), ("admins=root cyrus", "servername=root"), True),
    ],
)
def test_deleting_wants_the_right_of_whoever_acts(shell, options, sets, deletes):
    shell("--strict", "-e", "cm board; sam board cyrus c")
    code, _, err = (
        shell(*options, batch=b"dm board\n", sets=sets) if "-e" not in options else shell(*options, sets=sets)
    )
    assert (code, err) == ((0, "") if deletes else (77, "deletemailbox: Permission denied\n"))


def test_nobody_acts_for_others_who_is_no_administrator(shell):
    code, _, err = shell("--user", "alice", "--authz", "bob", sets=("admins=cyrus",))
    assert code == 77
    assert err == "sievemda: alice is no administrator and cannot act as bob\n"


def test_what_has_no_meaning_here_is_taken(shell):
    options = ("--port", "143", "--auth", "PLAIN", "--password", "x", "--tlskey", "k", "--notls", "--cafile", "f")
    assert shell(*options, "--cadir", "d", "--norc", "--server", "localhost", "-e", "server") == (0, "localhost\n", "")


@pytest.mark.parametrize("options", [("--server", "other.example.org"), ("other.example.org",)])
def test_another_host_is_refused(shell, options):
    code, out, err = shell(*options, "-e", "cm board")
    assert (code, out) == (69, "")
    assert err.startswith("sievemda: other.example.org: cannot connect to server")
    assert shell("-e", "lm") == (1, "", "")


def test_a_host_is_named_once(shell):
    assert shell("--server", "localhost", "localhost")[0] == 64


# -- statuses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        ("", 0),
        ("cm a\n", 0),
        ("cm a\ncm a\n", 73),
        ("cm a\ncm a\nlm\n", 0),
        ("lm nothing\n", 1),
        ("lm nothing\ncm a\n", 0),
        ("lm nothing\nexit\n", 1),
        ("cm a; cm a; exit\n", 73),
        ("cm a; cm a; exit 0\n", 0),
        ("exit 3\ncm a\n", 3),
        ("quit 4\n", 4),
        ("quit\n", 0),
        ("exit abc\n", 0),
        ("exit 256\n", 0),
        ("nonsense\n", 64),
        ("lm '\n", 64),
        ("lm > /nothing/at/all\n", 74),
        ("disc; lm\n", 69),
        ("sam zz a b\n", 67),
        ("cm a", 0),
    ],
)
def test_the_exit_code_is_that_of_the_last_command_that_matters(shell, batch, code):
    assert shell(batch=batch)[0] == code


def test_a_batch_goes_on_after_an_error_unless_it_is_strict(shell):
    assert shell(batch="dm zz\ncm a; dm zz; cm b\n")[2] == "deletemailbox: Mailbox does not exist\n" * 2
    assert shell("-e", "lm")[1] == "a (\\HasNoChildren)  b (\\HasNoChildren)  \n"
    assert shell("--strict", batch="cm c; dm zz; cm d\ncm e\n")[0] == 67
    assert "c (" in shell("-e", "lm")[1]
    assert "d (" not in shell("-e", "lm")[1]
    assert "e (" not in shell("-e", "lm")[1]


def test_the_words_of_cyrus_are_explained_on_request(shell):
    assert shell("-v", "-e", "cm 'a;b'")[2].startswith("createmailbox: Invalid mailbox name (")
    assert shell("-v", "-e", "cm user/nobody/x")[2].startswith("createmailbox: Permission denied (")


# -- rc files ----------------------------------------------------------------------------------------------------------


def test_rc_files_are_run_first_the_system_s_before_the_user_s(shell, tmp_path):
    (tmp_path / "system").write_text("# a comment\ncm one\n")
    (tmp_path / "config" / "sievemda").mkdir(parents=True)
    (tmp_path / "config" / "sievemda" / "adminrc").write_text("cm one\ncm two\n")
    code, out, err = shell("--systemrc", str(tmp_path / "system"), "-e", "lm")
    assert (code, err) == (0, "createmailbox: Mailbox already exists\n")
    assert out == "one (\\HasNoChildren)  two (\\HasNoChildren)  \n"
    assert shell("--systemrc", str(tmp_path / "system"), "--norc", "-e", "lm nothing") == (1, "", "")


def test_another_rc_file_can_be_named(shell, tmp_path):
    (tmp_path / "mine").write_text("cm mine\n")
    assert "mine (" in shell("--userrc", str(tmp_path / "mine"), "-e", "lm")[1]


def test_an_rc_file_that_is_named_must_be_there(shell):
    code, _, err = shell("--userrc", "nothing", "-e", "lm")
    assert (code, err) == (64, "sievemda: nothing cannot be read: No such file or directory\n")


def test_no_rc_file_can_be_asked_for_by_naming_nothing(shell):
    assert shell("--userrc", "/dev/null", "-e", "cm a") == (0, "", "")


def test_an_rc_file_that_others_can_write_is_not_run(shell, tmp_path):
    (tmp_path / "mine").write_text("cm mine\n")
    (tmp_path / "mine").chmod(0o666)
    assert shell("--userrc", str(tmp_path / "mine"), "-e", "lm")[0] == 64


# -- hostile input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        b"user/../../etc", b"../x", b"user/a\\\x00b", b"\xff\xfe", b"user/\xc3\x28", b"'user/a\x1b[2J'", b"user/" + b"x" * 5000,
        b"a" + b"/b" * 3000, b"user//x", b"/", b"'/etc/passwd'", b"'user/a\tb'", b"'&AAAA-'", b"'%s%n'", b"'[('", b"-",
        "user/\u202ex".encode(), b"user/alice@", b"@", b"!", b"'*" + b"*%" * 300 + b"'",
    ],
)  # fmt: skip
def test_a_hostile_name_makes_one_clear_line_and_nothing_else(shell, tmp_path, name):
    for words in (b"dm %s", b"lam %s", b"info %s", b"lq %s", b"lqr %s", b"sub %s", b"reconstruct %s", b"lm %s", b"cm %s",
                  b"unsub %s", b"sq %s 5", b"sam %s bob lrs", b"renm board %s", b"cm %s board", b"mboxcfg %s comment x"):  # fmt: skip
        code, out, err = shell(batch=words.replace(b"%s", name) + b"\n", sets=("virtdomains=userid",))
        assert code in {0, 1, 64, 65, 67, 73, 77}
        assert err.count("\n") <= 1 or err.startswith("usage: ")
        assert "Traceback" not in err
        assert "\x1b" not in out + err
    assert set(os.listdir(tmp_path)) <= {"site"}  # noqa: PTH208


@pytest.mark.parametrize(
    "line",
    [b"\x00", b"\xff", b"lm \x00", b"'" * 9999, b"lm " + b"a" * 100_000, b"sam " + b"x " * 5001, b"exit " + b"9" * 5000,
     b"sq a " + b"9" * 5000, b"help " + b"?" * 1000, b"cd \x00", b"lm > a\\\x00b", b"sam b x " + b"l" * 10_000,
     "lm \u2028 \u0085".encode()],
)  # fmt: skip
def test_a_hostile_line_makes_no_traceback(shell, line):
    code, _, err = shell(batch=line + b"\n")
    assert code in {0, 1, 64, 65, 67, 74}
    assert "Traceback" not in err


def test_no_program_is_run(shell, tmp_path):
    code, _, err = shell(batch="touch made\nlm; touch made\n!touch made\n`touch made`\nlm $(touch made)\n")
    assert not (tmp_path / "made").exists()
    assert err.startswith("touch: unknown command")
    assert code == 1  # the list is empty


# -- the terminal ------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal(tmp_path):
    arguments = ["--data", str(tmp_path / "site"), "--set", "servername=mail.example.org", "admin"]
    with Terminal(arguments, tmp_path) as opened:
        yield opened


def test_the_prompt_is_the_server_and_changes_without_one(terminal):
    assert terminal.prompt == "mail.example.org> "
    terminal.say("disc")
    assert terminal.prompt == "cyradm> "
    terminal.say("connect localhost")
    assert terminal.prompt == "localhost> "


def test_a_terminal_that_knows_no_umlauts_is_no_crash(tmp_path):
    with Terminal(["--data", str(tmp_path / "site"), "admin"], tmp_path, PYTHONIOENCODING="ascii") as terminal:
        terminal.say("cm Entwürfe")
        assert terminal.say("lm Entwürfe") == ["Entw\\xfcrfe (\\HasNoChildren)  "]


def test_control_c_drops_the_line_and_control_d_leaves(terminal):
    terminal.begin("cm boa")
    terminal.interrupt()
    assert terminal.say("lm") == []
    assert terminal.leave() == 1


def test_what_was_typed_is_remembered_for_the_next_time(terminal, tmp_path):
    terminal.say("cm board")
    terminal.leave()
    file = tmp_path / "state" / "sievemda" / "admin_history"
    assert "cm board" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_a_tab_completes(terminal):
    terminal.say("cm noticeboard")
    assert terminal.type(b"lm notice\t\n")[1:] == ["noticeboard (\\HasNoChildren)  "]


# -- completion --------------------------------------------------------------------------------------------------------


@pytest.fixture
def complete(tmp_path, shell):
    shell("--strict", "-e", "cm user/alice; cm user/alice/Lists; cm user/bob; cm board; sam board carol p")
    settings = Settings(data=tmp_path / "site")
    store = MailStore(settings)
    completer = Completer(Session(settings, store, acting(store, ""), "host"))

    def ask(typed):
        before, _, text = typed.rpartition(" ")
        return completer.matches(f"{before} " if before else "", text)

    return ask


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("set", ["setacl ", "setaclmailbox ", "setinfo ", "setmd ", "setmetadata ", "setquota "]),
        ("lm; dm bo", ["board "]),
        ("dm user/a", ["user/alice ", "user/alice/Lists "]),
        ("sam board c", ["carol "]),
        ("sam board any", ["anyone "]),
        ("cm --p", ["--partition "]),
        ("cm -s", ["-specialuse "]),
        ("cm --partition d", ["default "]),
        ("cm board d", ["default "]),
        ("sq board ST", ["STORAGE "]),
        ("setinfo m", ["motd "]),
        ("mboxcfg board com", ["comment "]),
        ("help setq", ["setquota "]),
        ("ver x", []),
        ("nonsense x", []),
        ("lm -sub", ["-subscribed "]),
    ],
)
def test_completion_knows_what_a_command_takes(complete, typed, found):
    assert complete(typed) == found


# -- help --------------------------------------------------------------------------------------------------------------


def test_help_names_every_command_once(shell):
    code, out, _ = shell("-e", "help")
    assert code == 0
    assert sum(line.startswith("createmailbox, create, cm ") for line in out.splitlines()) == 1
    assert "cyradmrc" in out


def test_help_of_the_command_line_has_an_example():
    assert "Example:" in (admin.epilog or "")


# -- what must not be possible -----------------------------------------------------------------------------------------


def test_a_shell_that_was_started_for_a_user_stays_his(shell):
    shell("--strict", "-e", "cm user/alice; cm board")
    assert shell("--user", "alice", "-e", "auth cyrus; sq board 1")[0] == 77
    assert shell("--user", "alice", "-e", "auth cyrus")[2] == "authenticate: Permission denied\n"


def test_an_administrator_may_look_through_the_eyes_of_a_user_and_return(shell):
    shell("--strict", "-e", "cm user/alice; cm board; sam board anyone none")
    assert shell("-e", "auth alice; lm board; auth; lm board")[1] == "board (\\HasNoChildren)  \n"


def test_a_reader_of_a_mailbox_cannot_change_its_special_use(shell):
    shell("--strict", "-e", "cm user/alice; cm user/alice/x; sam user/alice/x bob lrs; cm user/bob")
    code, _, err = shell("--user", "bob", "-e", "setmd --private user/alice/x specialuse '\\Junk'")
    assert (code, err) == (77, "setmetadata: Permission denied\n")
    assert shell("--user", "bob", "-e", "setmd --private user/alice/x comment mine")[0] == 0


@pytest.mark.parametrize("command", ["lq", "lqr", "lam", "info", "dm", "sub", "reconstruct", "xfer"])
def test_what_a_user_may_not_see_is_answered_as_what_is_not_there(shell, command):
    shell("--strict", "-e", "cm user/alice; cm hidden; sam hidden anyone none; sq hidden 10")
    behind = " elsewhere" if command == "xfer" else ""
    hidden = shell("--user", "alice", "-e", f"{command} hidden{behind}")
    assert hidden == shell("--user", "alice", "-e", f"{command} missin{behind}")
    assert hidden[0] in {67, 77}


def test_a_mark_of_byte_order_in_front_of_a_batch_is_nothing(shell):
    assert shell(batch=b"\xef\xbb\xbfcm board\r\nlm\r\n") == (0, "board (\\HasNoChildren)  \n", "")


def test_entries_of_an_acl_are_set_all_or_none(shell):
    many = " ".join(f"u{number} lrs" for number in range(1001))
    code, out, err = shell(batch=f"cm board; sam board bob p {many}; lam board")
    assert (code, out) == (0, "anyone lrs\n")
    assert err.startswith("setaclmailbox: an ACL of 1003 entries is too long")


def test_several_entries_are_one_write(shell, monkeypatch):
    shell(batch="cm board")
    writes, change = [], Mailbox.change_acl
    monkeypatch.setattr(Mailbox, "change_acl", lambda box, how: writes.append(box.name) or change(box, how))
    assert shell(batch="sam board bob p carol lr dave all; dam board carol dave; lam board")[1] == "anyone lrs\nbob p\n"
    assert len(writes) == 2


@pytest.mark.parametrize("command", ["mboxcfg board comment", "setinfo motd", "mboxcfg --private board comment"])
def test_an_annotation_can_be_too_long_and_then_nothing_changes(shell, command):
    code, out, err = shell(
        batch=f"cm board; {command} short; {command} {'x' * 600_000}; info board /comment; info '' /motd"
    )
    assert code == 0
    assert "short" in out
    assert "xx" not in out + err
    assert "the annotations become too long" in err


def test_a_record_that_cannot_be_read_is_told_and_hides_no_mailbox_from_the_list(shell, tmp_path):
    shell(batch="cm board; cm hall")
    (tmp_path / "site/mail/shared/.board/sievemda-mailbox").write_text(" " * 1_100_000)
    code, out, err = shell(batch="lm")
    assert (code, out.split()) == (0, ["board", "(\\HasNoChildren)", "hall", "(\\HasNoChildren)"])
    assert err.startswith("listmailbox: board: ")
    assert "too large" in err


def test_names_with_blanks_are_completed_as_one_word(complete, shell):
    shell("--strict", "-e", "cm 'zoo of mail'")
    assert complete("lm zo") == ["zoo\\ of\\ mail "]
