"""Many messages: where they come from, the table, and what is listed."""

import io
import json
import os
import subprocess
import sys

import pytest

from sievemda.cli import mail_sources
from sievemda.cli.main import run

SCRIPT = """require ["fileinto", "reject", "envelope"];
# rule:[Bills]
if header :contains "subject" "bill" { fileinto "Bills"; }
elsif header :contains "subject" "lunch" { redirect "a@b.example"; stop; }
elsif header "subject" "broken" { keep; reject "no"; }
if exists "x-nobody" { discard; }
"""
FROM = b"From bob@example.net Sat Jan  3 01:05:34 2026\n"


def message(number, subject):
    return f"From: Ann <ann@example.org>\nMessage-ID: <{number}@x>\nSubject: {subject}\n\ntext\n".encode()


SUBJECTS = ["bill 1", "lunch", "other", "bill 2", "broken"]
MESSAGES = [message(number, subject) for number, subject in enumerate(SUBJECTS, 1)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.sieve").write_text(SCRIPT)
    (tmp_path / "box").write_bytes(b"".join(FROM + each + b"\n" for each in MESSAGES))
    for name in ("cur", "new", "tmp", ".Lists/cur", ".Lists/new"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    (tmp_path / "Maildir/cur/1.a:2,S").write_bytes(MESSAGES[0])
    (tmp_path / "Maildir/new/2.b").write_bytes(MESSAGES[1])
    (tmp_path / "Maildir/tmp/3.c").write_bytes(MESSAGES[2])
    (tmp_path / "Maildir/.Lists/new/4.d").write_bytes(MESSAGES[3])
    (tmp_path / "mh").mkdir()
    (tmp_path / "mh/1").write_bytes(MESSAGES[0])
    (tmp_path / "mh/.hidden").write_bytes(MESSAGES[1])
    return tmp_path


@pytest.fixture
def found(folder, capsys):
    def call(*arguments, code=0, script="s.sieve"):
        assert run(["sieve", "run", "--json", script, *arguments]) == code
        return json.loads(capsys.readouterr().out)

    return call


def caught(found):
    return {rule["line"]: rule["caught"] for rule in found["rules"]}


def test_a_table_for_people(folder, capsys):
    assert run(["sieve", "run", "s.sieve", "box"]) == 1
    assert capsys.readouterr().out == (
        "5 messages through s.sieve\n"
        "   caught  by\n"
        '        2  line 3: Bills: if header :contains "subject" "bill"\n'
        '        1  line 4: elsif header :contains "subject" "lunch"\n'
        '        1  line 5: elsif header "subject" "broken"\n'
        '        0  line 6: if exists "x-nobody"\n'
        "  rules that caught nothing: line 6\n"
        "actions\n"
        '        2  fileinto "Bills"\n'
        "        2  keep (implicit)\n"
        '        1  redirect "a@b.example"\n'
        "  2 fell to the implicit keep, 1 were caught by no rule\n"
        "errors: 1\n"
        '  message 5 (box 5) <5@x> "broken": line 5: reject (line 5) cannot be combined with keep (line 5)\n'
    )


def test_the_table_as_json(found):
    table = found("box", "--caught", "Bills", "--caught", "none", code=1)
    assert {key: table[key] for key in ("messages", "unread", "implicit_keep", "caught_by_no_rule", "failed")} == {
        "messages": 5, "unread": 0, "implicit_keep": 2, "caught_by_no_rule": 1, "failed": 1,
    }  # fmt: skip
    assert table["rules"][0] == {
        "line": 3, "column": 1, "depth": 0, "name": "Bills", "title": 'if header :contains "subject" "bill"', "caught": 2,
        "messages": [
            {"message": 1, "where": "box 1", "id": "<1@x>", "subject": "bill 1"},
            {"message": 4, "where": "box 4", "id": "<4@x>", "subject": "bill 2"},
        ],
    }  # fmt: skip
    assert table["actions"][0] == {"action": "fileinto", "mailbox": "Bills", "implicit": False, "count": 2}
    assert [each["id"] for each in table["no_rule"]] == ["<3@x>"]
    assert table["errors"] == [
        {
            "message": 5, "where": "box 5", "id": "<5@x>", "subject": "broken", "line": 5,
            "text": "reject (line 5) cannot be combined with keep (line 5)",
        }
    ]  # fmt: skip
    assert table["problems"] == []


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (["box"], 5),
        (["Maildir"], 2),
        (["Maildir/"], 2),
        (["Maildir/.Lists"], 1),
        (["mh"], 1),
        (["Maildir", "box", "mh/1"], 8),
        (["mh/1", "mh/1"], 2),
    ],
)
def test_messages_come_from_files_and_folders(found, places, expected):
    assert found(*places, code=int("box" in places))["messages"] == expected


@pytest.mark.parametrize("choice", ["3", "3:1", "Bills"])
def test_what_a_rule_caught_is_listed(folder, capsys, choice):
    run(["sieve", "run", "s.sieve", "box", "--caught", choice])
    assert capsys.readouterr().out.endswith(
        'caught by line 3 Bills\n  message 1 (box 1) <1@x> "bill 1"\n  message 4 (box 4) <4@x> "bill 2"\n'
    )


def test_a_rule_that_is_none_is_named(folder, capsys):
    run(["sieve", "run", "s.sieve", "box", "--caught", "99"])
    assert "--caught: there is no rule 99" in capsys.readouterr().err


def test_one_message_in_an_mbox_is_explained(found, folder):
    (folder / "one").write_bytes(FROM + MESSAGES[0])
    assert found("one")["rules"][0]["result"] == "matched"
    assert caught(found("one", "--table"))[3] == 1


def test_each_of_many_can_be_explained(folder, capsys):
    assert run(["sieve", "run", "s.sieve", "box", "--explain", "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["actions"][0]["action"] for one in told] == ["fileinto", "redirect", "keep", "fileinto", "keep"]


@pytest.mark.parametrize("choice", ["4", "<4@x>", "4@x"])
def test_one_of_many_can_be_explained(found, choice):
    told = found("box", "--only", choice)
    assert told["tests"][0]["compared"][0]["values"] == ["bill 2"]


def test_a_message_that_is_not_there_is_2(folder, capsys):
    assert run(["sieve", "run", "s.sieve", "box", "--only", "6"]) == 2
    assert "there is no message 6" in capsys.readouterr().err


def test_a_file_can_be_said_to_be_one_message(found):
    assert found("box", "--input", "message")["rules"][0]["result"] == "matched"


def test_standard_input_can_be_an_mbox(folder):
    command = [sys.executable, "-m", "sievemda", "sieve", "run", "--json", "s.sieve", "-"]
    done = subprocess.run(command, input=(folder / "box").read_bytes(), capture_output=True, check=False)
    assert json.loads(done.stdout)["messages"] == 5


SENDER = 'require ["envelope", "reject", "variables"];\nif envelope :matches "%s" "*" { reject "${1}"; }'


@pytest.mark.parametrize(
    ("part", "data", "expected"),
    [
        ("from", FROM + b"From: x@y\n\n", "bob@example.net"),
        ("from", FROM + b"Return-Path: <r@y>\nFrom: x@y\n\n", "r@y"),
        ("from", b"From - Sat Jan  3 01:05:34 2026\nFrom: x@y\n\n", "x@y"),
        ("from", b"From MAILER-DAEMON Sat Jan  3 01:05:34 2026\nFrom: x@y\n\n", ""),
        ("to", FROM + b"To: t@y\nDelivered-To: d@y\n\n", "d@y"),
        ("to", FROM + b"To: t@y\nDelivered-To: d@y\nEnvelope-To: e@y\n\n", "e@y"),
        ("to", FROM + b"To: t@y\n\n", "t@y"),
    ],
)
def test_the_envelope_of_each_message(found, folder, part, data, expected):
    (folder / "e.sieve").write_text(SENDER % part)
    (folder / "e").write_bytes(data)
    assert found("e", script="e.sieve")["actions"] == [{"action": "reject", "reason": expected}]


def test_what_cannot_be_read_is_counted_and_the_rest_goes_on(found, folder, monkeypatch, capsys):
    monkeypatch.setattr(mail_sources, "MOST", 500)
    (folder / "big").write_bytes(FROM + MESSAGES[0] + b"\n" + FROM + b"x" * 1000 + b"\n\n" + FROM + MESSAGES[1] + b"\n")
    table = found("big")
    assert (table["messages"], table["unread"], caught(table)[3], caught(table)[4]) == (2, 1, 1, 1)
    assert table["errors"][0]["message"] == 2
    run(["sieve", "run", "s.sieve", "big"])
    assert "2 messages through s.sieve, 1 could not be read\n" in capsys.readouterr().out


def test_a_folder_without_messages_is_an_empty_table(found, folder):
    (folder / "none" / "cur").mkdir(parents=True)
    table = found("none")
    assert (table["messages"], table["actions"], caught(table)) == (0, [], {3: 0, 4: 0, 5: 0, 6: 0})


@pytest.mark.parametrize("places", [["missing"], ["box", "missing"], ["missing", "--table"]])
def test_a_file_that_is_not_there_is_2(folder, capsys, places):
    assert run(["sieve", "run", "s.sieve", *places]) == 2
    assert "cannot read missing: No such file or directory" in capsys.readouterr().err


def test_a_script_that_is_not_valid_is_1(folder, capsys):
    (folder / "s.sieve").write_text("frob;")
    assert run(["sieve", "run", "s.sieve", "box"]) == 1
    assert capsys.readouterr().out.startswith("s.sieve:1:1: error: unknown command 'frob'")


def test_rules_of_all_scripts_are_counted(found, folder):
    (folder / "first.sieve").write_text('require "include"; include "part"; if true { keep; }')
    (folder / "part.sieve").write_text('if header :contains "subject" "lunch" { keep; }')
    table = found("box", "--before", "first.sieve", code=1)
    counts = {(rule.get("script"), rule["line"]): rule["caught"] for rule in table["rules"]}
    assert (counts["first.sieve", 1], counts["part", 1], counts[None, 3]) == (5, 1, 2)


def test_there_is_a_bar_on_a_terminal_alone(folder, monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    bar = Terminal()
    run(["sieve", "run", "s.sieve", "box"])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr", bar)
    run(["sieve", "run", "s.sieve", "box"])
    assert "messages" in bar.getvalue()
    assert "100%" in bar.getvalue()


def test_many_kinds_of_actions_are_counted_together(found, folder, monkeypatch):
    monkeypatch.setattr("sievemda.cli.sieve_table._KINDS", 2)
    (folder / "k.sieve").write_text(
        'require ["fileinto", "variables"]; if header :matches "subject" "*" { fileinto "${1}"; }'
    )
    told = {each["mailbox"]: each["count"] for each in found("box", script="k.sieve")["actions"]}
    assert told == {"bill 1": 1, "lunch": 1, "(others)": 3}


def test_a_pipe_with_a_name_can_be_a_message(found, folder):
    os.mkfifo(folder / "pipe")
    with subprocess.Popen(["/bin/sh", "-c", "cat box > pipe"], cwd=folder):
        assert found("pipe", code=1)["messages"] == 5


@pytest.mark.parametrize(
    "options",
    [
        ["--table", "--trace"],
        ["--table", "--only", "1"],
        ["--explain", "--caught", "3"],
        ["--only", "1", "--caught", "3"],
    ],
)
def test_what_cannot_be_wanted_together_is_wrong_usage(folder, options):
    assert run(["sieve", "run", "s.sieve", "box", *options]) == 2


def test_a_trace_of_many_messages_is_one_of_each(folder, capsys):
    run(["sieve", "run", "s.sieve", "box", "--trace"])
    assert capsys.readouterr().out.count("\ntrace\n") == 5


def test_a_warning_is_given_once(folder, capsys):
    (folder / "w.sieve").write_text('if exists "a b" { stop; }')
    run(["sieve", "run", "w.sieve", "box", "--explain"])
    run(["sieve", "run", "w.sieve", "box"])
    assert capsys.readouterr().out.count("w.sieve:1:11: warning: no header field can have the name 'a b'") == 2
