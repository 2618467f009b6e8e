"""Every way in which a test ends, and a file."""

import os
import re
import signal
import threading

import pytest

from sievemda.sieve.problems import RunError
from sievemda.sieve.testing import runner
from sievemda.sieve.testing.clock import TimedOut, alarm, processor_time
from sievemda.sieve.testing.runner import Order, list_file, run_file
from tests.sieve.testing.conftest import REQUIRE

BUSY = "foreverypart { " * 4 + 'if header :mime :anychild :contains "x" ["a", "b"] { } ' + "}" * 4


def statuses(result):
    return [case.status for case in result.cases]


def test_the_end_of_the_block_passes(files):
    assert statuses(files.run('test "a" { keep; }')) == ["passed"]


@pytest.mark.parametrize(
    "block",
    [
        'test_fail "why";',
        'if true { if not false { test_fail "why"; } } test_fail "other";',
        'foreverypart { foreverypart { test_fail "why"; } test_fail "why"; }',
        'if anyof(false, true) { test_fail "why"; } else { test_fail "other"; }',
    ],
)
def test_a_failure_leaves_the_block_and_counts_once(files, block):
    result = files.run(f'test "a" {{ {block} }} test "b" {{ }}')
    assert statuses(result) == ["failed", "passed"]
    assert (result.cases[0].message, result.cases[0].failed_at) == ("why", 2)
    assert result.status == "failed"


def test_what_follows_a_failure_begins_outside_of_all_loops(files):
    nested = "".join(f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n" for n in range(4))
    loop, end = "foreverypart { " * 4, "}" * 4
    text = f"""test_set "message" "{nested}\n\nx";
        test "a" {{ {loop} test_fail "deep"; {end} }} test "b" {{ {loop} set "reached" "yes"; {end} }}
        test "c" {{ if not string "${{reached}}" "yes" {{ test_fail "not in"; }} }}"""
    assert statuses(files.run(text)) == ["failed", "passed", "passed"]


@pytest.mark.parametrize("stop", ["stop;", "return;", "if true { stop; }", "foreverypart { stop; }"])
def test_stop_passes_its_test_and_ends_the_file(files, stop):
    result = files.run(f'test "a" {{ {stop} test_fail "behind"; }} test "b" {{ }}')
    assert statuses(result) == ["passed", "not run"]
    assert (result.status, result.error) == ("failed", None)


def test_a_stop_in_the_last_test_is_harmless(files):
    assert files.run('test "a" { } test "b" { stop; }').status == "passed"


def test_a_stop_between_tests_leaves_the_rest_not_run(files):
    assert statuses(files.run('test "a" { } stop; test "b" { }')) == ["passed", "not run"]


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ('redirect "${x}";', "address"),
        ('error "told so";', "told so"),
        ('test_config_set "sieve_frob" "1"; test_config_reload;', "sieve_frob"),
        ('test_config_reload :extension "frob";', "frob"),
        ('test_set "currentdate" "${x}yesterday";', "yesterday"),
    ],
)
def test_a_run_time_error_of_the_file_aborts_it(files, block, why):
    result = files.run(f'test "a" {{ }} test "b" {{ {block} }} test "c" {{ }}')
    assert statuses(result) == ["passed", "failed", "not run"]
    assert result.status == "error"
    assert why in result.error
    assert why in result.cases[1].message
    assert result.line == 2
    assert files.told == []  # it is not in the error log


def test_an_error_outside_of_tests_aborts_too(files):
    result = files.run('test "a" { } test_fail "outside"; test "b" { }')
    assert statuses(result) == ["passed", "not run"]
    assert "outside" in result.error
    assert not result.in_test


def test_tests_stand_at_the_top_level_only(files):
    for text in ('if true { test "a" { } }', 'test "a" { test "b" { } }', 'foreverypart { test "a" { } }'):
        result = files.run(text)
        assert (result.trouble, statuses(result)[1:]) == ("invalid", [])
        assert "top level" in result.error


@pytest.mark.parametrize(
    "condition",
    ["false", "not true", "anyof(false, false)", "allof(true, false)", 'ihave "frobnicate"', "not not false"],
)
def test_a_block_that_can_never_be_entered_is_neither_bound_nor_listed(files, condition):
    text = f'if {condition} {{ test "x" {{ unknown; }} }} test "a" {{ }}'
    assert [case.name for case in files.run(text).cases] == ["a"]


def test_an_else_of_what_is_always_true_is_not_bound_either(files):
    files.passes('if true { } elsif true { test "x" { } } else { unknown; test "y" { } } test "a" { }')


def test_a_test_of_an_included_script_counts_where_it_is_reached(files):
    files.write("included/x.sieve", 'require "vnd.dovecot.testsuite"; test "inner" { test_fail "no"; }')
    result = files.run('test "a" { } include "x"; test "b" { }')
    assert [(case.index, case.name, case.status) for case in result.cases] == [
        (1, "a", "passed"),
        (2, "inner", "failed"),
        (3, "b", "passed"),
    ]


def test_the_name_of_a_test_may_be_empty_and_have_variables(files):
    result = files.run('set "x" "seven"; test "" { } test "number ${x}" { }')
    assert [case.name for case in result.cases] == ["", "number seven"]


def test_an_abort_is_at_the_line_of_the_included_script_that_did_it(files):
    files.write("included/x.sieve", 'require "ihave";\n\nerror "deep";')
    result = files.run('test "a" { include "x"; }')
    assert "deep (line 3 in x)" in result.error


# -- files that do not compile -------------------------------------------------------------------------------------


def test_the_tests_of_a_file_that_does_not_compile_are_listed(files):
    result = files.run('test "a" { frob; }\n\ntest "b" { }')
    assert [(case.index, case.name, case.line, case.status) for case in result.cases] == [
        (1, "a", 2, "not run"),
        (2, "b", 4, "not run"),
    ]
    assert result.status == "error"
    assert result.error == "does not compile: line 2: unknown command 'frob'"
    assert [problem.line for problem in result.problems] == [2]


def test_a_file_that_does_not_even_parse_has_no_tests(files):
    result = files.run('test "a" { keep }')
    assert (statuses(result), result.status) == ([], "error")


def test_a_file_larger_than_a_script_can_be_does_not_compile(files):
    result = files.run("#" + "x" * (1 << 20))
    assert (result.trouble, "too large" in result.error) == ("invalid", True)


@pytest.mark.parametrize("require", ["", 'require "vnd.stalwart.testsuite";'])
def test_the_test_language_must_be_required_by_one_of_its_names(files, require):
    path = files.write("x.svtest", f'{require} test "a" {{ }}')
    assert run_file(path).status == ("passed" if require else "error")


def test_the_rest_of_the_other_dialect_is_refused_by_its_name(files):
    path = files.write("x.svtest", 'require "vnd.stalwart.testsuite"; test "a" { test_set "message" :smtp 0; }')
    assert "vnd.stalwart.testsuite" in run_file(path).error


@pytest.mark.parametrize("name", ["none.svtest", "."])
def test_a_file_that_cannot_be_read_is_told_of(tmp_path, name):
    result = run_file(tmp_path / name)
    assert (result.trouble, result.status) == ("unreadable", "error")


# -- time ----------------------------------------------------------------------------------------------------------


def hang(_text):
    """Wait for an alarm, which then comes at once."""
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    signal.pause()


def test_a_test_that_takes_too_long_fails_and_the_rest_is_not_run(files):
    path = files.write("t.svtest", REQUIRE + 'test "a" { } test "b" { test_result_print; } test "c" { }')
    result = run_file(path, Order(say=hang))
    assert (result.trouble, result.error, result.status) == ("timed out", "timed out after 60 seconds", "error")
    assert [(case.status, case.message) for case in result.cases] == [
        ("passed", None),
        ("failed", "timed out"),
        ("not run", None),
    ]


def test_the_tests_of_a_file_that_takes_too_long_to_compile_are_listed(files, monkeypatch):
    def slow(*_arguments):
        raise TimedOut

    monkeypatch.setattr(runner, "compile_script", slow)
    result = files.run('test "a" { }')
    assert (result.trouble, statuses(result)) == ("timed out", ["not run"])


def test_an_interrupt_ends_the_file(files):
    def interrupt(_text):
        raise KeyboardInterrupt

    path = files.write("t.svtest", REQUIRE + 'test "a" { test_result_print; } test "b" { }')
    result = run_file(path, Order(say=interrupt))
    assert (result.trouble, statuses(result)) == ("interrupted", ["failed", "not run"])


def test_a_fault_of_ours_is_told_of_and_ends_only_that_file(files):
    def broken(_text):
        raise ZeroDivisionError("oops")

    path = files.write("t.svtest", REQUIRE + 'test "a" { test_result_print; } test "b" { }')
    result = run_file(path, Order(say=broken))
    assert (result.trouble, statuses(result)) == ("internal", ["failed", "not run"])
    assert "ZeroDivisionError: oops (test_endings.py:" in result.error


def test_a_file_that_never_comes_is_interrupted(tmp_path):
    os.mkfifo(tmp_path / "t.svtest")
    assert run_file(tmp_path / "t.svtest", Order(timeout=0.1)).trouble == "timed out"


def test_an_alarm_ends_what_catches_every_exception():
    def stubborn():
        while True:
            try:
                while True:
                    pass
            except Exception:  # noqa: BLE001 - that is the point
                continue

    with pytest.raises(TimedOut), alarm(0.05):
        stubborn()
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_an_alarm_comes_again_when_an_exception_was_lost():
    def ringing():
        lost = False
        while True:
            try:
                signal.pause()
            except TimedOut:
                if lost:
                    raise
                lost = True

    with pytest.raises(TimedOut), alarm(0.02):
        ringing()


@pytest.mark.parametrize("seconds", [0, float("inf")])
def test_without_a_time_nothing_is_interrupted(seconds):
    with alarm(seconds):
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_another_thread_is_not_interrupted():
    armed = []

    def work():
        with alarm(5):
            armed.append(signal.getitimer(signal.ITIMER_REAL))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert armed == [(0.0, 0.0)]


def test_processor_time_is_a_run_time_error_of_the_script():
    with pytest.raises(RunError, match="processor time"), processor_time(0.02):
        while True:
            pass


def test_a_script_under_test_has_so_much_processor_time(files):
    parts = "--x\n\n\n" * 150
    files.write("s.sieve", 'require ["foreverypart", "mime"];' + BUSY * 400)
    result = files.run(
        f"""test_set "message" "Content-Type: multipart/mixed; boundary=x

{parts}--x--
";
        test "a" {{
            test_config_set "sieve_max_cpu_time" "5ms";
            test_config_reload;
            if not test_script_compile "s.sieve" {{ test_fail "compile"; }}
            if test_script_run {{ test_fail "run"; }}
            if not test_error :contains "processor time" {{ test_fail "error"; }}
        }}"""
    )
    assert (result.error, [case.message for case in result.cases]) == (None, [None])


# -- choices of the command line -----------------------------------------------------------------------------------


def test_only_tests_whose_name_matches_are_run_and_all_that_is_between_them(files):
    text = 'test "one" { test_fail "x"; } set "v" "1"; test "two" { if not string "${v}" "1" { test_fail "v"; } }'
    result = files.run(text, only=re.compile("^two"))
    assert [(case.index, case.name, case.status) for case in result.cases] == [(1, "two", "passed")]


def test_after_the_first_failure_the_rest_is_not_run(files):
    text = 'test "a" { } test "b" { test_fail "x"; } debug; test "c" { }'.replace("debug;", 'set "v" "1";')
    assert statuses(files.run(text, fail_fast=True)) == ["passed", "failed", "not run"]


def test_a_file_can_be_listed_without_running_it(files):
    result = list_file(files.write("x.svtest", 'test "a" { frob; } test "b" { }'), Order())
    assert [(case.name, case.status) for case in result.cases] == [("a", "not run"), ("b", "not run")]
    assert result.status == "failed"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('test "a" { test_fail "x"; }', "passed"),
        ('test "a" { test_fail "x"; } test "b" { test_fail "y"; }', "passed"),
        ('test "a" { test_fail "x"; } test "b" { }', "failed"),
        ('test "a" { }', "failed"),
        ("frob;", "passed"),
        ('test "a" { frob; }', "passed"),
        ('test "a" { redirect "${x}"; } test "b" { }', "passed"),
        ('test_fail "outside"; test "a" { }', "passed"),
        ('test "a" { } test_fail "outside";', "passed"),
        ('test "a" { } test "b" { } test_fail "outside";', "error"),
    ],
)
def test_with_failure_expected_a_file_passes_when_there_are_as_many_failures_as_tests(files, text, status):
    assert files.run(text, expect_failure=True).status == status


def test_a_time_out_is_never_what_was_expected(tmp_path):
    os.mkfifo(tmp_path / "t.svtest")
    assert run_file(tmp_path / "t.svtest", Order(timeout=0.1, expect_failure=True)).status == "error"
