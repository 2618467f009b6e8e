"""What became of test files, in the formats for people and for programs."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sievemda.sieve.problems import Problem
from sievemda.sieve.testing.cases import Case
from sievemda.sieve.testing.formats import as_json, tap, text_block
from sievemda.sieve.testing.junit import junit
from sievemda.sieve.testing.result import FileResult, Totals


def case(index, name, status="passed", message=None, failed_at=0):
    return Case(index, name, index * 10, status, message, failed_at, 0.5)


@pytest.fixture
def mixed():
    cases = [
        case(1, "good"),
        case(2, "b#a\\d\nname", "failed", "<why> & \x01how", 22),
        case(3, "", "not run"),
    ]
    result = FileResult(Path("dir/a b.svtest"), cases=cases, duration=1.25)
    result.fail("aborted", "aborted: so", 30)
    result.problems = (Problem(3, 1, "wrong"),)
    return result


@pytest.fixture
def failed():
    return FileResult(Path("f.svtest"), expect_failure=True, cases=[case(1, "x", "failed", "why", 11)])


# -- text ----------------------------------------------------------------------------------------------------------


def test_text_has_a_line_for_each_test(mixed):
    assert list(text_block(mixed)) == [
        "dir/a b.svtest",
        "   1 ok    good",
        "   2 FAIL  b#a\\d name: <why> &  how (line 22)",
        "   3 not run  (unnamed)",
        "  !! aborted: so",
    ]


@pytest.mark.parametrize(
    ("expect", "status", "line"), [(True, "failed", "as expected"), (True, "passed", "did not fail")]
)
def test_text_tells_of_what_was_expected_to_fail(expect, status, line):
    lines = list(text_block(FileResult(Path("f"), expect, [case(1, "x", status)])))
    assert line in lines[-1]


@pytest.mark.parametrize(
    ("statuses", "errors", "sentence"),
    [
        ([], 0, "0 passed, 0 failed in 0.04s"),
        (["passed"], 0, "1 passed, 0 failed in 0.04s"),
        (["passed", "failed", "not run"], 0, "1 passed, 1 failed, 1 not run in 0.04s"),
        (["passed"], 1, "1 passed, 0 failed, 1 error in 0.04s"),
        (["not run"], 2, "0 passed, 0 failed, 1 not run, 2 errors in 0.04s"),
    ],
)
def test_the_last_line_leaves_out_what_is_nought(statuses, errors, sentence):
    results = [FileResult(Path("a"), cases=[case(n, "", status) for n, status in enumerate(statuses, 1)])]
    for _ in range(errors):
        results.append(FileResult(Path("b")))
        results[-1].fail("invalid", "does not compile")
    assert Totals(results, 0.041).sentence == sentence


# -- TAP -----------------------------------------------------------------------------------------------------------


def test_tap_numbers_all_points_and_ends_with_the_plan(mixed, failed):
    assert tap(Totals([mixed, failed])).split("\n") == [
        "TAP version 14",
        "ok 1 - dir/a b.svtest: good",
        "not ok 2 - dir/a b.svtest: b\\#a\\\\d name",
        "  ---",
        '  message: "<why> & \\u0001how"',
        "  line: 22",
        '  file: "dir/a b.svtest"',
        "  ...",
        "not ok 3 - dir/a b.svtest: (unnamed) # not run",
        "not ok 4 - dir/a b.svtest",
        "  ---",
        '  message: "aborted: so"',
        "  line: 30",
        '  file: "dir/a b.svtest"',
        "  ...",
        "not ok 5 - f.svtest: x # todo expected to fail",
        "  ---",
        '  message: "why"',
        "  line: 11",
        '  file: "f.svtest"',
        "  ...",
        "1..5",
    ]


def test_tap_of_nothing_has_an_empty_plan():
    assert tap(Totals([FileResult(Path("a"))])) == "TAP version 14\n1..0"


# -- JSON ----------------------------------------------------------------------------------------------------------


def test_json_has_every_test_and_the_sums(mixed, failed):
    document = json.loads(as_json(Totals([mixed, failed], 2.0)))
    assert document["version"] == 1
    assert list(document) == ["version", "files", "summary"]
    first = document["files"][0]
    assert {key: first[key] for key in ("path", "status", "error", "duration")} == {
        "path": "dir/a b.svtest",
        "status": "error",
        "error": "aborted: so",
        "duration": 1.25,
    }
    assert first["tests"][1] == {
        "index": 2,
        "name": "b#a\\d\nname",
        "line": 20,
        "status": "failed",
        "message": "<why> & \x01how",
        "duration": 0.5,
    }
    assert [test["status"] for test in first["tests"]] == ["passed", "failed", "not run"]
    assert document["files"][1]["status"] == "passed"
    assert document["summary"] == {
        "files": 2,
        "files_passed": 1,
        "tests": 4,
        "passed": 1,
        "failed": 2,
        "not_run": 1,
        "errors": 1,
        "duration": 2.0,
    }


def test_json_is_utf8_whatever_a_name_is_made_of():
    document = as_json(Totals([FileResult(Path("a"), cases=[case(1, "caf\u00e9 \udcff")])]))
    assert json.loads(document.encode())["files"][0]["tests"][0]["name"] == "caf\u00e9 ?"


# -- JUnit ---------------------------------------------------------------------------------------------------------


def test_junit_counts_failures_errors_and_what_did_not_run(mixed):
    root = ET.fromstring(junit(Totals([mixed], 2.0)).encode())
    suite = root.find("testsuite")
    for element in (root, suite):
        numbers = {key: element.get(key) for key in ("tests", "failures", "errors", "skipped")}
        assert numbers == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    assert suite.get("name") == "dir/a b.svtest"
    assert [[child.tag for child in each] for each in suite] == [[], ["failure"], ["skipped"], ["error"]]
    failure = suite[1].find("failure")
    assert failure.get("message") == "<why> &  how"
    assert failure.text == "line 22: <why> &  how"
    assert (suite[1].get("name"), suite[1].get("file"), suite[1].get("line")) == ("b#a\\d name", "dir/a b.svtest", "20")
    assert "dir/a b.svtest:3:1: error: wrong" in suite[3].find("error").text


def test_junit_counts_nothing_that_was_expected_to_fail(failed):
    suite = ET.fromstring(junit(Totals([failed])).encode()).find("testsuite")
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "1")
    assert "as expected" in suite[0].find("skipped").get("message")


def test_junit_is_well_formed_whatever_a_name_is_made_of():
    cases = [case(1, "\x00\x1f\ufffe\udcff\u2028 ]]> \U0001f600 \"'", "failed", "]]>\x0b\x7f")]
    suite = ET.fromstring(junit(Totals([FileResult(Path("a"), cases=cases)])).encode()).find("testsuite")
    assert suite[0].get("name").endswith("]]> \U0001f600 \"'")
