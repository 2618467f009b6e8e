"""`sievemda sieve test`: options, what goes to which stream, exit status."""

import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import sievemda
from sievemda.cli import sieve_test
from sievemda.cli.main import run

REQUIRE = 'require ["vnd.dovecot.testsuite", "vnd.dovecot.debug"];\n'
LAST = re.compile(r"\d+ passed, \d+ failed(, \d+ not run)?(, \d+ errors?)? in \d+\.\d+s")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "good": 'test "a" { }',
        "mixed": 'test "a" { } test "b" { test_fail "why"; }',
        "fails": 'test "a" { test_fail "why"; }',
        "aborts": 'test "a" { test_config_reload :extension "x"; } test "b" { }',
        "wrong": 'test "a" { frob; }',
        "none": "keep;",
        "talks": 'debug_log "hello"; test "a" { test_message_print; test_result_print; }',
        "errors": 'test "a" { if test_script_compile "s.sieve" { test_fail "c"; } test_set "envelope.from" "x"; }',
    }.items():
        (tmp_path / f"{name}.svtest").write_text(REQUIRE + text)
    (tmp_path / "s.sieve").write_text("keep;\nfrob;\n")
    return tmp_path


@pytest.mark.parametrize("words", [["sieve", "test"], ["test"]])
def test_both_spellings_are_one_command(site, capsys, words):
    assert run([*words, "good.svtest"]) == 0
    assert LAST.fullmatch(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good"], 0),
        (["good", "good"], 0),
        (["good", "mixed"], 1),
        (["aborts", "good"], 1),
        (["wrong"], 1),
        (["none"], 5),
        (["none", "good"], 0),
        (["none", "none"], 5),
        (["missing"], 2),
        (["missing", "mixed"], 2),
        (["-F", "fails"], 0),
        (["-F", "wrong"], 0),
        (["--expect-failure", "mixed"], 1),
        (["-F", "good"], 1),
        (["-F", "none"], 5),
        (["-k", "^a", "mixed"], 0),
        (["-k", "nothing", "mixed"], 5),
        (["-x", "mixed", "good"], 1),
        (["--set", "sieve_max_actions=1", "good"], 0),
        (["--timeout", "0", "good"], 0),
        (["--timeout", "inf", "good"], 0),
        (["--timeout", "1e300", "good"], 0),
    ],
)
def test_exit_status(site, arguments, code):
    assert (
        run(["test", *(f"{word}.svtest" if word.isalpha() and len(word) > 3 else word for word in arguments)]) == code
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--format", "xml", "good.svtest"],
        ["-k", "(", "good.svtest"],
        ["--set", "sieve_max_actions", "good.svtest"],
        ["--set", "sieve_max_actions=many", "good.svtest"],
        ["--set", "sieve_frob=1", "good.svtest"],
        ["--timeout", "nan", "good.svtest"],
        ["--timeout", "-1", "good.svtest"],
        ["--timeout", "soon", "good.svtest"],
        ["--work-dir", "good.svtest", "good.svtest"],
        ["--frob", "good.svtest"],
    ],
)
def test_wrong_usage_is_told_of_and_nothing_runs(site, capsys, arguments):
    assert run(["test", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Error: " in captured.err


def test_a_wrong_setting_is_told_of_by_its_name(site, capsys):
    run(["test", "--set", "sieve_max_actions=many", "good.svtest"])
    assert "sieve_max_actions: it is a number" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["mixed"], ["aborts", "wrong"], ["none"], ["missing", "talks"], ["-x", "mixed"]])
def test_text_ends_with_a_blank_line_and_the_numbers(site, capsys, arguments):
    run(["test", *(word if word.startswith("-") else f"{word}.svtest" for word in arguments)])
    lines = capsys.readouterr().out.split("\n")
    assert lines[-1] == ""
    assert LAST.fullmatch(lines[-2])
    assert lines[-3] == ""


def test_what_is_wrong_with_a_file_goes_to_standard_error(site, capsys):
    run(["test", "wrong.svtest", "aborts.svtest", "missing.svtest"])
    captured = capsys.readouterr()
    assert "wrong.svtest:2:12: error: unknown command 'frob'" in captured.err
    assert "aborts.svtest:2: error: aborted: " in captured.err
    assert "missing.svtest: error: cannot be read: No such file or directory" in captured.err
    assert captured.out.count("  !! ") == 3


@pytest.mark.parametrize(("form", "stream"), [("text", "out"), ("tap", "err"), ("json", "err"), ("junit", "err")])
def test_what_a_file_prints_is_not_part_of_what_programs_read(site, capsys, form, stream):
    assert run(["test", "--format", form, "talks.svtest"]) == 0
    said = getattr(capsys.readouterr(), stream)
    for text in ("talks.svtest:2: hello", "To: recipient@example.org", "implicit keep"):
        assert text in said


@pytest.mark.parametrize("form", ["tap", "json", "junit"])
def test_formats_for_programs_hold_nothing_else(site, capsys, form):
    run(["test", "--format", form, "talks.svtest", "wrong.svtest", "errors.svtest", "missing.svtest"])
    out = capsys.readouterr().out
    if form == "json":
        assert [each["status"] for each in json.loads(out)["files"]] == ["passed", "error", "passed", "error"]
    elif form == "junit":
        assert len(ET.fromstring(out.encode())) == 4
    else:
        assert re.fullmatch(r"TAP version 14\n((ok|not ok) \d+ - .*\n|  .*\n)+1\.\.5\n", out)


@pytest.mark.parametrize("form", ["json", "junit"])
def test_formats_for_programs_are_utf8_in_any_locale(site, form):
    (site / "name.svtest").write_text(REQUIRE + 'test "caf\u00e9" { }', "utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "sievemda", "test", "--format", form, "name.svtest"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(sievemda.__file__).parents[1])},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert "caf\u00e9" in found.stdout.decode("utf-8")


def test_the_error_log_is_shown_with_script_and_line_when_asked_for(site, capsys):
    run(["test", "errors.svtest"])
    assert capsys.readouterr().err == ""
    run(["test", "--log-errors", "errors.svtest"])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "s.sieve:2: error: unknown command 'frob'"
    assert lines[1].startswith("s.sieve: error: ")
    assert "envelope" in lines[2]


def test_after_a_failure_later_files_are_listed_as_not_run(site, capsys):
    run(["test", "-x", "--json", "good.svtest", "mixed.svtest", "good.svtest"])
    document = json.loads(capsys.readouterr().out)
    assert [[test["status"] for test in each["tests"]] for each in document["files"]] == [
        ["passed"],
        ["passed", "failed"],
        ["not run"],
    ]
    assert document["summary"]["not_run"] == 1


def test_coverage_is_told_before_the_last_line_and_written_for_programs(site, capsys):
    (site / "c.svtest").write_text(REQUIRE + 'test "a" { if not test_script_compile "c.sieve" { test_fail "c"; } }')
    (site / "c.sieve").write_text("if true { keep; }")
    assert run(["test", "--coverage", "--coverage-file", "cov.info", "c.svtest"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:-2] == ["coverage:", "  c.sieve: 0 of 1 rules (0 %)", "    not reached: line 1: if true"]
    assert (site / "cov.info").read_text().startswith("TN:\nSF:c.sieve\n")
    run(["test", "--coverage", "--json", "c.svtest"])
    assert json.loads(capsys.readouterr().out)["coverage"]["rules"] == 1


def test_a_coverage_file_that_cannot_be_written_is_told_of(site, capsys):
    assert run(["test", "--coverage-file", "none/cov.info", "good.svtest"]) == 2
    assert "none/cov.info" in capsys.readouterr().err


def test_an_interrupt_is_told_of_and_ends_with_130(site, capsys, monkeypatch):
    monkeypatch.setattr(sieve_test, "_to", lambda _stream: lambda _text: os.kill(os.getpid(), signal.SIGINT))
    assert run(["test", "--format", "json", "good.svtest", "talks.svtest", "mixed.svtest"]) == 130
    files = json.loads(capsys.readouterr().out)["files"]
    assert [each["status"] for each in files] == ["passed", "error", "failed"]
    assert files[1]["error"] == "interrupted"


def test_help_has_an_example(capsys):
    assert run(["test", "--help"]) == 0
    assert "Example: sievemda sieve test" in capsys.readouterr().out
