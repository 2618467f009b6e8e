"""`sieve check` for people and for programs."""

import json

import pytest

from sievemda.cli.main import run
from sievemda.cli.sieve_caret import excerpt
from sievemda.sieve.problems import Problem


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def write(text, name="a.sieve"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write


def check(capsys, *arguments):
    code = run(["sieve", "check", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def at(line, column, end=0):
    return Problem(1, column, "x", end_line=1 if end else 0, end_column=end), line


@pytest.mark.parametrize(
    ("line", "column", "end", "width", "expected"),
    [
        ("keep 5;", 6, 7, 80, ("keep 5;", "     ^")),
        ("\tkeep 5;", 2, 6, 80, ("    keep 5;", "    ^~~~")),
        ("日本 keep", 4, 8, 80, ("日本 keep", "     ^~~~")),
        ("e\u0301 keep", 4, 8, 80, ("e\u0301 keep", "  ^~~~")),
        ("a\x1b[31m keep", 8, 12, 80, ("a [31m keep", "       ^~~~")),
        ("keep", 5, 6, 80, ("keep", "    ^")),
        ("keep\r", 5, 0, 80, ("keep", "    ^")),
        ("   ", 2, 3, 80, ()),
        ("x" * 50 + "here" + "y" * 50, 51, 55, 30, ("…" + "x" * 10 + "here" + "y" * 14 + "…", " " * 11 + "^~~~")),
    ],
)
def test_the_caret_stands_under_the_place(line, column, end, width, expected):
    problem, text = at(line, column, end)
    assert excerpt(text, problem, width) == expected


def test_a_summary_goes_to_standard_error(script, capsys):
    _, _, err = check(capsys, script("keep 5;\nstop; keep;"), script('require "copy"; stop;', "b.sieve"))
    assert err == "1 error, 1 warning in 2 files\n"


def test_nothing_is_said_of_a_good_script(script, capsys):
    assert check(capsys, script("keep;")) == (0, "", "")


def test_brief_is_one_line_a_problem(script, capsys):
    _, out, _ = check(capsys, "--brief", script('fileinto "x";\nfrob;'))
    assert out.splitlines() == [
        "a.sieve:1:1: error: unknown command 'fileinto'",
        "a.sieve:2:1: error: unknown command 'frob'",
    ]


def test_warnings_count_when_strict(script, capsys):
    file = script("stop; keep;")
    assert check(capsys, file)[0] == 0
    assert check(capsys, "--strict", file)[0] == 1


def test_colours_only_where_they_are_wanted(script, capsys):
    file = script("keep 5;")
    assert "\x1b[" in check(capsys, "--color", "always", file)[1]
    assert "\x1b[" not in check(capsys, file)[1]


def test_mailboxes_and_own_addresses_of_the_command_line(script, capsys):
    file = script(
        'require ["fileinto", "copy"]; fileinto "Lists"; fileinto "Nowhere"; redirect :copy "me@example.org";'
    )
    _, out, _ = check(capsys, "--brief", "--mailbox", "Lists", "--own", "me@example.org", file)
    assert [line.split(": ", 2)[2] for line in out.splitlines()] == [
        "there is no mailbox 'Nowhere'",
        "a redirect to yourself: the message comes back, and is kept then",
    ]


def test_mailboxes_of_a_user_come_from_the_store(script, capsys, tmp_path):
    file = script('require "fileinto"; fileinto "Lists"; fileinto "Nowhere";')
    for name in ("user/alice", "user/alice/Lists"):
        assert run(["--data", str(tmp_path / "data"), "mailbox", "create", name]) == 0
    capsys.readouterr()
    code = run(["--data", str(tmp_path / "data"), "sieve", "check", "--brief", "--user", "alice", file])
    assert (code, capsys.readouterr().out) == (0, "a.sieve:1:48: warning: there is no mailbox 'Nowhere'\n")


def test_a_user_needs_a_store(script, capsys):
    code, _, err = check(capsys, "--user", "alice", script("keep;"))
    assert code == 2
    assert "--data" in err


@pytest.mark.parametrize("option", [["--sarif"], ["--format", "sarif"]])
def test_sarif_names_rules_and_places(script, capsys, option):
    code, out, err = check(capsys, *option, script('fileinto "é" 5;\nstop; keep;', "ein wort.sieve"))
    log = json.loads(out)
    (found,) = log["runs"]
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    assert (code, err, log["version"]) == (1, "", "2.1.0")
    assert found["columnKind"] == "unicodeCodePoints"
    assert rules == ["argument-count", "unknown-command"]
    for result in found["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] == "error"
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "ein%20wort.sieve"
        assert place["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 9}


def test_sarif_tells_what_could_not_be_read(script, capsys):
    code, out, _ = check(capsys, "--sarif", "missing.sieve")
    (call,) = json.loads(out)["runs"][0]["invocations"]
    assert code == 2
    assert not call["executionSuccessful"]
    assert "missing.sieve" in call["toolExecutionNotifications"][0]["message"]["text"]


def test_what_strangers_wrote_cannot_move_the_cursor(script, capsys):
    _, out, _ = check(capsys, script(b'keep "\x1b[2J\xff\x9b";\n\x1b[31m;'))
    assert "\x1b" not in out
    assert "\x9b" not in out
