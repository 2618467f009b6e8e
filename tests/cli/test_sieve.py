import json
import subprocess
import sys

import pytest

from sievemda.cli.main import run

GOOD = 'require "fileinto";\nif header :contains "subject" "lists" { fileinto "Lists"; }\n'
MESSAGE = b"From: Bob <bob@example.net>\r\nTo: alice@example.org\r\nSubject: about lists\r\n\r\nhello\r\n"


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.sieve").write_text(GOOD)
    (tmp_path / "bad.sieve").write_text('keep\nfileinto "x";\n')
    (tmp_path / "unknown.sieve").write_text('fileinto "x";\nfrob;\n')
    (tmp_path / "odd.sieve").write_text('if exists "a b" { stop; }\n')
    (tmp_path / "m.eml").write_bytes(MESSAGE)
    return tmp_path


def tried(capsys, *arguments):
    code = run(["sieve", *arguments])
    return code, capsys.readouterr().out


def as_json(capsys, *arguments):
    code, out = tried(capsys, "run", "--json", *arguments)
    return code, json.loads(out)


def test_check_is_silent_about_valid_scripts(files, capsys):
    assert tried(capsys, "check", "good.sieve", "good.sieve") == (0, "")


def test_check_prints_every_problem_with_its_place(files, capsys):
    code, out = tried(capsys, "check", "good.sieve", "bad.sieve", "unknown.sieve")
    assert code == 1
    assert out.splitlines() == [
        "bad.sieve:1:5: error: missing semicolon after the keep command",
        "    keep",
        "        ^",
        "    hint: put a ';' here",
        "bad.sieve:2:1: error: unknown command 'fileinto'",
        '    fileinto "x";',
        "    ^~~~~~~~",
        '    hint: add require ["fileinto"];',
        "unknown.sieve:1:1: error: unknown command 'fileinto'",
        '    fileinto "x";',
        "    ^~~~~~~~",
        '    hint: add require ["fileinto"];',
        "unknown.sieve:2:1: error: unknown command 'frob'",
        "    frob;",
        "    ^~~~",
        "    hint: the commands are discard, else, elsif, fileinto, if, keep, redirect, require, stop",
    ]


def test_a_warning_does_not_make_a_script_invalid(files, capsys):
    assert tried(capsys, "check", "odd.sieve") == (
        0,
        (
            "odd.sieve:1:11: warning: no header field can have the name 'a b'\n"
            '    if exists "a b" { stop; }\n              ^~~~~\n'
        ),
    )


def test_check_as_json(files, capsys):
    code, out = tried(capsys, "check", "--json", "good.sieve", "unknown.sieve")
    found = json.loads(out)["files"]
    assert code == 1
    assert [(one["file"], one["valid"]) for one in found] == [("good.sieve", True), ("unknown.sieve", False)]
    assert found[1]["problems"][0] == {
        "line": 1, "column": 1, "end_line": 1, "end_column": 9, "severity": "error",
        "text": "unknown command 'fileinto'", "code": "unknown-command", "hint": 'add require ["fileinto"];',
    }  # fmt: skip


def test_what_cannot_be_read_is_said_and_the_rest_is_checked(files, capsys):
    code = run(["sieve", "check", "missing.sieve", ".", "unknown.sieve"])
    said = capsys.readouterr()
    assert code == 2
    assert "cannot read missing.sieve: No such file or directory" in said.err
    assert "cannot read .: Is a directory" in said.err
    assert "unknown.sieve:2:1" in said.out


def test_a_binary_file_has_problems_and_no_traceback(files, capsys):
    (files / "binary").write_bytes(bytes(range(256)) * 10)
    code, out = tried(capsys, "check", "binary")
    assert code == 1
    assert out.startswith("binary:1:1: error: unknown characters")


def test_run_says_what_would_be_done(files, capsys):
    code, found = as_json(capsys, "good.sieve", "m.eml")
    assert code == 0
    assert found == {
        "actions": [{"action": "fileinto", "mailbox": "Lists", "flags": [], "copy": False, "create": False}],
        "implicit_keep": False,
        "tests": [
            {
                "line": 2,
                "column": 4,
                "test": "header",
                "result": True,
                "compared": [{"values": ["about lists"], "keys": ["lists"]}],
                "matched": {"value": "about lists", "key": "lists"},
                "reason": 'subject is "about lists"; "lists" is contained in it',
            }
        ],
        "rules": [
            {
                "line": 2,
                "column": 1,
                "depth": 0,
                "name": "",
                "title": 'if header :contains "subject" "lists"',
                "result": "matched",
                "why": 'subject is "about lists"; "lists" is contained in it',
                "tried": 1,
                "matched": 1,
            }
        ],
        "implicit_keep_why": "cancelled by fileinto in line 2",
        "problems": [],
        "edits": [],
        "notes": [],
    }


def test_run_prints_for_people(files, capsys):
    code, out = tried(capsys, "run", "good.sieve", "m.eml")
    assert code == 0
    assert out == (
        'message without Message-ID: "about lists", from bob@example.net to alice@example.org\n'
        'line 2: if header :contains "subject" "lists"\n'
        '    matched: subject is "about lists"; "lists" is contained in it\n'
        '    -> fileinto "Lists" (line 2)\n'
        'actions\n  fileinto "Lists" (line 2)\n'
        "implicit keep: cancelled by fileinto in line 2\n"
    )


def test_the_implicit_keep_stands_in_the_list(files, capsys):
    (files / "empty.sieve").write_text("")
    _, found = as_json(capsys, "empty.sieve", "m.eml")
    assert found["actions"] == [{"action": "keep", "flags": [], "implicit": True}]
    assert found["implicit_keep"] is True


ENVELOPE = """require ["envelope", "variables", "reject"];
if envelope :matches "from" "*" { set "f" "${1}"; }
if envelope :matches "to" "*" { set "t" "${1}"; }
reject "${f} ${t}";
"""


@pytest.mark.parametrize(
    ("options", "header", "expected"),
    [
        ([], "", "bob@example.net alice@example.org"),
        ([], "Return-Path: <bounces@example.net>\n", "bounces@example.net alice@example.org"),
        ([], "Return-Path: <>\n", " alice@example.org"),
        ([], "Sender: Carol <carol@example.net>\n", "carol@example.net alice@example.org"),
        ([], "Envelope-To: alice+x@example.org\n", "bob@example.net alice+x@example.org"),
        (["--from", "<>"], "", " alice@example.org"),
        (["--from", ""], "", " alice@example.org"),
        (["--from", "<x@y>", "--to", "z@w"], "", "x@y z@w"),
        (["--to", "postmaster"], "", "bob@example.net postmaster"),
    ],
)
def test_the_envelope_comes_from_the_options_or_the_header(files, capsys, options, header, expected):
    (files / "e.sieve").write_text(ENVELOPE)
    (files / "e.eml").write_bytes(header.encode() + MESSAGE)
    _, found = as_json(capsys, *options, "e.sieve", "e.eml")
    assert found["actions"] == [{"action": "reject", "reason": expected}]


def test_a_line_of_an_mbox_is_passed_over(files, capsys):
    (files / "size.sieve").write_text(f"if size :over {len(MESSAGE) - 1} {{ discard; }}")
    for prefix in (b"", b"From bob@example.net Sat Jan  1 00:00:00 2026\n"):
        (files / "s.eml").write_bytes(prefix + MESSAGE.replace(b"\r\n", b"\n"))
        _, found = as_json(capsys, "size.sieve", "s.eml")
        assert found["actions"] == [{"action": "discard"}]


def test_mailboxes_can_be_said_to_exist(files, capsys):
    (files / "b.sieve").write_text('require "mailbox"; if mailboxexists ["INBOX", "Work"] { discard; }')
    assert as_json(capsys, "b.sieve", "m.eml")[1]["implicit_keep"] is True
    assert as_json(capsys, "--mailbox", "Work", "b.sieve", "m.eml")[1]["implicit_keep"] is False


def test_a_script_that_is_not_valid_is_not_run(files, capsys):
    code, found = as_json(capsys, "unknown.sieve", "m.eml")
    assert code == 1
    assert [problem["line"] for problem in found["problems"]] == [1, 2]
    assert found["implicit_keep"] is True
    assert tried(capsys, "run", "unknown.sieve", "m.eml")[1].startswith("unknown.sieve:1:1: error:")


def test_a_runtime_error_leaves_the_message_kept(files, capsys):
    (files / "twice.sieve").write_text('require "reject";\nkeep;\nreject "no";\n')
    code, found = as_json(capsys, "twice.sieve", "m.eml")
    assert code == 1
    assert found["actions"] == [{"action": "keep", "flags": [], "implicit": True}]
    assert found["problems"][0]["text"] == "reject (line 3) cannot be combined with keep (line 2)"
    code, out = tried(capsys, "run", "twice.sieve", "m.eml")
    assert (code, "twice.sieve:3:1: error: reject" in out) == (1, True)


def test_what_a_script_has_put_into_a_problem_stays_on_one_line(files, capsys):
    r"""No text of a script or message moves the cursor of a terminal."""
    (files / "e.sieve").write_text('require ["ihave", "fileinto"];\nerror "one\x1b[2J\ntwo\n";\n')
    code, out = tried(capsys, "run", "e.sieve", "m.eml")
    assert code == 1
    assert "e.sieve:2:1: error: one [2J  two\n" in out
    (files / "e.sieve").write_text('require "one\x1b[2J";\n')
    assert "\x1b" not in tried(capsys, "check", "e.sieve")[1]


def test_a_vacation_that_is_not_sent_says_why(files, capsys):
    (files / "v.sieve").write_text('require "vacation"; vacation "gone";')
    _, found = as_json(capsys, "--to", "somebody@else.example", "v.sieve", "m.eml")
    assert found["actions"][0] == {
        "action": "vacation", "reason": "gone", "subject": "Auto: about lists", "to": "bob@example.net", "fcc": None,
        "suppressed": "not addressed to you",
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["run", "good.sieve"],
        ["run", "good.sieve", "missing.eml"],
        ["run", "missing.sieve", "m.eml"],
        ["run", "--from", "a b", "good.sieve", "m.eml"],
        ["frob"],
        ["check", "--frob", "good.sieve"],
    ],
)
def test_wrong_usage_and_missing_files_are_2(files, capsys, arguments):
    assert run(["sieve", *arguments]) == 2


def test_settings_given_on_the_command_line_hold(files, capsys):
    (files / "r.sieve").write_text('redirect "a@b.example"; redirect "c@d.example";')
    assert run(["sieve", "run", "r.sieve", "m.eml"]) == 0
    assert run(["--set", "sieve_max_redirects=1", "sieve", "run", "r.sieve", "m.eml"]) == 1
    assert run(["--set", "sieve_extensions=copy", "sieve", "check", "good.sieve"]) == 1


@pytest.mark.parametrize("command", ["check", "run"])
def test_help_has_an_example(capsys, command):
    assert run(["sieve", command, "--help"]) == 0
    assert "Example: sievemda sieve" in capsys.readouterr().out


def test_standard_input_will_do(files):
    command = [sys.executable, "-m", "sievemda", "sieve", "run", "--json", "good.sieve", "-"]
    done = subprocess.run(command, input=MESSAGE, capture_output=True, check=True)
    assert json.loads(done.stdout)["actions"][0]["mailbox"] == "Lists"


def test_run_takes_special_uses_identifiers_and_annotations(files, capsys):
    (files / "store.sieve").write_text(
        'require ["special-use", "mailboxid", "mboxmetadata", "servermetadata"];\n'
        'if allof (specialuse_exists "Junk" "\\\\Junk", mailboxidexists "F1",\n'
        '    metadata "Lists" "/shared/comment" "x", servermetadata "/private/a" "y") { discard; }\n'
    )
    world = (
        *("--special-use", "Junk=\\Junk", "--mailbox-id", "F1"),
        *("--metadata", "Lists/shared/comment=x", "--metadata", "/private/a=y"),
    )
    code, found = as_json(capsys, *world, "store.sieve", "m.eml")
    assert (code, found["actions"]) == (0, [{"action": "discard"}])
    assert as_json(capsys, *world[2:], "store.sieve", "m.eml")[1]["actions"] != [{"action": "discard"}]
