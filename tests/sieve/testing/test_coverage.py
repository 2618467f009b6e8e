"""Rules of scripts under test that no test has reached."""

import pytest

from sievemda.sieve.testing.coverage import Coverage

SCRIPT = """require ["fileinto", "include"];
# rule:[Lists]
if exists "List-Id" { fileinto "Lists"; }
elsif header :contains "subject" "x" { discard; if true { stop; } }
include "more";
"""


@pytest.fixture
def coverage(files, monkeypatch):
    monkeypatch.chdir(files.directory)
    files.write("s.sieve", SCRIPT)
    files.write("included/more.sieve", 'require "include"; if false { keep; } else { include :global "last"; }')
    files.write("included-global/last.sieve", "if true { keep; }")
    return Coverage()


def reached(coverage):
    return {script.path: (script.reached, len(script.rules)) for script in coverage.scripts}


def test_a_script_that_was_only_compiled_has_no_rule_that_was_reached(files, coverage):
    files.passes('test "a" { if not test_script_compile "s.sieve" { test_fail "c"; } }', coverage=coverage)
    assert reached(coverage) == {
        "s.sieve": (0, 3),
        "included/more.sieve": (0, 2),
        "included-global/last.sieve": (0, 1),
    }


@pytest.mark.parametrize("how", ["test_script_run", 'test_multiscript ["s.sieve"]'])
def test_rules_of_included_scripts_are_reached_too(files, coverage, how):
    files.run(f'test "a" {{ if test_script_compile "s.sieve" {{ if {how} {{ }} }} }}', coverage=coverage)
    assert reached(coverage) == {
        "s.sieve": (0, 3),
        "included/more.sieve": (1, 2),
        "included-global/last.sieve": (1, 1),
    }


def test_runs_of_several_tests_and_files_are_added_up(files, coverage):
    compiled = 'if not test_script_compile "s.sieve" { test_fail "c"; } if not test_script_run { test_fail "r"; }'
    files.passes(f'test_set "message" "List-Id: a\r\n\r\n"; test "a" {{ {compiled} }}', coverage=coverage)
    files.passes(f'test_set "message" "Subject: x\r\n\r\n"; test "a" {{ {compiled} }}', coverage=coverage)
    files.passes(f'test_set "message" "Subject: x\r\n\r\n"; test "a" {{ {compiled} }}', coverage=coverage)
    script = next(script for script in coverage.scripts if script.path == "s.sieve")
    assert [script.count(rule) for rule in script.rules] == [1, 2, 2]
    assert (script.missed, script.percent) == ((), 100)


def test_what_was_missed_is_told_by_line_and_name(files, coverage):
    files.passes('test "a" { if not test_script_compile "s.sieve" { test_fail "c"; } }', coverage=coverage)
    assert [line.strip() for line in coverage.lines()][-4:] == [
        "s.sieve: 0 of 3 rules (0 %)",
        "not reached: line 3: Lists",
        'not reached: line 4: elsif header :contains "subject" "x"',
        "not reached: line 4: if true",
    ]


def test_programs_get_it_as_json_and_in_the_format_of_lcov(files, coverage):
    files.run('test "a" { if test_script_compile "s.sieve" { if test_script_run { } } }', coverage=coverage)
    document = coverage.to_json()
    assert (document["rules"], document["reached"], document["percent"]) == (6, 2, 33.3)
    more = next(script for script in document["scripts"] if script["path"] == "included/more.sieve")
    assert [(rule["line"], rule["column"], rule["runs"]) for rule in more["lines"]] == [(1, 20, 0), (1, 39, 1)]
    record = coverage.lcov().split("end_of_record\n")[1].splitlines()
    assert record == [
        "TN:",
        "SF:included/more.sieve",
        "BRDA:1,0,0,0",
        "BRDA:1,0,1,1",
        "BRF:2",
        "BRH:1",
        "DA:1,1",
        "LF:1",
        "LH:1",
    ]


def test_a_script_without_rules_is_covered(files, coverage):
    files.write("plain.sieve", "keep;")
    files.passes('test "a" { if not test_script_compile "plain.sieve" { test_fail "c"; } }', coverage=coverage)
    assert coverage.to_json()["percent"] == 100
