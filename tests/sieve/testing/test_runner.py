"""The test language, as far as this cut goes: a file is run, its tests end in their several ways, and are reported."""

import json
import re
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from sievemda.cli.main import cli
from sievemda.sieve import capabilities
from sievemda.sieve.testing.runner import Order, run_file

REQUIRE = 'require ["vnd.dovecot.testsuite", "envelope", "variables", "relational", "comparator-i;ascii-numeric"];\n'


def statuses(tmp_path, text, **options):
    file = tmp_path / "t.svtest"
    file.write_text(REQUIRE + text)
    result = run_file(file, Order(**options))
    return [case.status for case in result.cases], result


def test_a_test_passes_at_its_end_and_fails_where_it_says_so(tmp_path):
    text = 'test "a" { } test "b" { if true { test_fail "reason"; } keep; } test "c" { }'
    found, result = statuses(tmp_path, text)
    assert found == ["passed", "failed", "passed"]
    assert (result.cases[1].message, result.cases[1].failed_at) == ("reason", 2)
    assert result.status == "failed"


def test_stop_ends_the_file_and_passes_the_test_it_stands_in(tmp_path):
    found, result = statuses(tmp_path, 'test "a" { stop; } test "b" { }')
    assert found == ["passed", "not run"]
    assert result.status == "failed"


def test_a_run_time_error_aborts_the_file(tmp_path):
    found, result = statuses(tmp_path, 'test "a" { } test "b" { redirect "${x}"; } test "c" { }')
    assert found == ["passed", "failed", "not run"]
    assert result.error.startswith("aborted")


@pytest.mark.parametrize("text", ['test_fail "x";', 'test "a" { test_fail; }', "nonsense;", 'if true { test "a" { } }'])
def test_a_wrong_file_is_an_error(tmp_path, text):
    assert statuses(tmp_path, text)[1].status == "error"


@pytest.mark.parametrize(
    "condition",
    [
        'address "from" "sender@example.com"',
        'envelope "from" "sender@example.com"',
        'envelope "to" "recipient@example.org"',
    ],
)
def test_the_default_message_is_there_before_any_other(tmp_path, condition):
    assert statuses(tmp_path, f'test "a" {{ if not {condition} {{ test_fail "no"; }} }}')[0] == ["passed"]


def test_the_envelope_follows_the_message_until_it_is_set(tmp_path):
    text = """
    test_set "message" text:
Return-Path: <bounce@x.example>
From: a@b.example
To: c@d.example
Envelope-To: e@f.example

Body
.
;
    test "derived" { if not allof(envelope "from" "bounce@x.example", envelope "to" "e@f.example") { test_fail "no"; } }
    test_set "envelope.from" "<>";
    test_set "envelope.to" "g+h@i.example";
    test "set" { if not allof(envelope "from" "", envelope "to" "g+h@i.example") { test_fail "no"; } }
    """
    assert statuses(tmp_path, text)[0] == ["passed", "passed"]


def test_a_script_under_test_is_compiled_and_run(tmp_path):
    (tmp_path / "s.sieve").write_text('require "fileinto"; if header "subject" "x" { fileinto "X"; } else { discard; }')
    text = """
    test "discards" {
        if not test_script_compile "s.sieve" { test_fail "compile"; }
        if not test_script_run { test_fail "run"; }
        if not test_result_action "discard" { test_fail "action"; }
    }
    test_set "message" "Subject: x\r\n\r\nBody\r\n";
    test "files" {
        if not test_script_run { test_fail "run"; }
        if not test_result_action :index 1 "store" { test_fail "action"; }
        if test_result_action :index 2 "store" { test_fail "index"; }
        if not test_result_action :count "eq" "1" { test_fail "count"; }
        test_result_reset;
        if test_result_action "store" { test_fail "reset"; }
    }
    """
    assert statuses(tmp_path, text)[0] == ["passed", "passed"]


def test_errors_are_counted_with_the_one_that_sums_up_and_the_last_good_script_stays(tmp_path):
    (tmp_path / "good.sieve").write_text("keep;")
    (tmp_path / "bad.sieve").write_text("foo; bar;")
    text = """
    test "a" {
        if not test_script_compile "good.sieve" { test_fail "good"; }
        if test_script_compile "bad.sieve" { test_fail "bad"; }
        if not test_error :count "eq" "3" { test_fail "count"; }
        if not test_error :index 1 :contains "foo" { test_fail "first"; }
        if test_error :index 4 :contains "" { test_fail "past the end"; }
        if test_script_compile "none.sieve" { test_fail "none"; }
        if not test_error :count "eq" "1" { test_fail "missing"; }
        if not test_script_run { test_fail "the good one is gone"; }
        if not test_result_action "keep" { test_fail "keep"; }
    }
    """
    found, result = statuses(tmp_path, text)
    assert found == ["passed"], result.cases[0].message


def test_the_extension_exists_nowhere_else():
    assert "vnd.dovecot.testsuite" not in capabilities()


def invoke(*arguments):
    outcome = CliRunner().invoke(cli, ["test", *map(str, arguments)], standalone_mode=False)
    return outcome.return_value, outcome.output


@pytest.fixture
def mixed(tmp_path):
    file = tmp_path / "mixed.svtest"
    file.write_text(REQUIRE + 'test "good" { }\ntest "bad" { test_fail "<&>"; }\n')
    return file


def test_the_last_line_for_people_counts(mixed):
    code, output = invoke(mixed)
    assert code == 1
    assert re.fullmatch(r"1 passed, 1 failed in \d+\.\d\ds", output.strip().splitlines()[-1])


def test_tap_has_a_point_for_each_test_and_a_plan(mixed):
    _, output = invoke("--format", "tap", mixed)
    assert output.startswith("TAP version 14\nok 1 - ")
    assert "\nnot ok 2 - " in output
    assert output.endswith("1..2\n")


def test_json_is_one_document(mixed):
    _, output = invoke("--format", "json", mixed)
    document = json.loads(output)
    assert [t["status"] for t in document["files"][0]["tests"]] == ["passed", "failed"]
    assert document["summary"]["failed"] == 1


def test_junit_is_well_formed(mixed):
    _, output = invoke("--format", "junit", mixed)
    assert ET.fromstring(output.encode()).find("testsuite").get("failures") == "1"


@pytest.mark.parametrize(("options", "code"), [(("-k", "good"), 0), (("-k", "none"), 5), (("-x",), 1)])
def test_exit_codes(mixed, options, code):
    assert invoke(*options, mixed)[0] == code


def test_an_unreadable_file_is_exit_code_2(tmp_path):
    assert invoke(tmp_path / "none.svtest")[0] == 2


def test_every_error_of_a_script_is_in_the_log_and_one_that_sums_up(tmp_path):
    (tmp_path / "bad.sieve").write_text('stop "x";\n' * 500)
    text = """test "a" {
        if test_script_compile "bad.sieve" { test_fail "compiled"; }
        if not test_error :count "eq" :comparator "i;ascii-numeric" "501" { test_fail "not all of them"; }
    }"""
    assert statuses(tmp_path, text)[0] == ["passed"]


def test_scripts_under_test_include_scripts_beside_the_test_file(tmp_path):
    for name, text in (("included/a", 'require "fileinto"; fileinto "A";'), ("included-global/a", "discard;")):
        path = tmp_path / f"{name}.sieve"
        path.parent.mkdir()
        path.write_text(text)
    (tmp_path / "s.sieve").write_text('require "include"; include "a"; include :global "a";')
    found, _ = statuses(
        tmp_path,
        """test "runs" {
            if not test_script_compile "s.sieve" { test_fail "compile"; }
            if not test_script_run { test_fail "run"; }
            if not test_result_action :index 1 "store" { test_fail "personal"; }
            if not test_result_action :index 2 "discard" { test_fail "global"; }
        }""",
    )
    assert found == ["passed"]


def test_faults_of_included_scripts_are_counted_at_every_level(tmp_path):
    (tmp_path / "included").mkdir()
    (tmp_path / "included" / "a.sieve").write_text('require "include"; include "b";')
    (tmp_path / "included" / "b.sieve").write_text("frob;")
    (tmp_path / "s.sieve").write_text('require "include"; include "a";')
    (tmp_path / "missing.sieve").write_text('require "include"; include "c"; include :optional "d";')
    text = """test "far down" {
        if test_script_compile "s.sieve" { test_fail "compiles"; }
        if not test_error :count "eq" :comparator "i;ascii-numeric" "4" { test_fail "number"; }
        if not test_error :index 4 :contains "code generation failed" { test_fail "sum"; }
    }
    test "missing" {
        if test_script_compile "missing.sieve" { test_fail "compiles"; }
        if not test_error :count "eq" :comparator "i;ascii-numeric" "2" { test_fail "number"; }
    }"""
    assert statuses(tmp_path, text)[0] == ["passed", "passed"]


def test_a_test_file_may_include_and_share_variables(tmp_path):
    (tmp_path / "included").mkdir()
    (tmp_path / "included" / "a.sieve").write_text('require ["include", "variables"]; global "x"; set "x" "1";')
    text = 'require "include"; global "x"; include "a"; test "t" { if not string "${x}" "1" { test_fail "x"; } }'
    assert statuses(tmp_path, text)[0] == ["passed"]
