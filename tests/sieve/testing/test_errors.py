"""test_error: which entries of the error log are looked at, and how they are compared."""

import pytest

SCRIPTS = 'if test_script_compile "s.sieve" { test_fail "compiled"; }'


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("""test_error "unknown command 'first'" """, True),
        ("""test_error "UNKNOWN command 'first'" """, False),  # i;octet
        ("""test_error :comparator "i;ascii-casemap" "UNKNOWN command 'first'" """, True),
        ("""test_error "unknown command" """, False),  # :is
        ('test_error :contains "second"', True),
        ('test_error :matches "*second*"', True),
        ('test_error :regex "sec.nd"', True),
        ('test_error :contains ["nothing", "first"]', True),
        ('test_error :contains "error"', False),  # no severity
        ('test_error :contains "s.sieve"', False),  # no script
        ('test_error :index 1 :contains "first"', True),
        ('test_error :index 1 :contains "second"', False),
        ('test_error :index 2 :contains "second"', True),
        ('test_error :contains :index 2 "second"', True),
        ('test_error :index 0 :contains "second"', True),
        ('test_error :index 4 :contains ""', False),
        ('test_error :index 99999999999 :contains ""', False),
        ('test_error :count "eq" "3"', True),
        ('test_error :count "eq" :comparator "i;ascii-numeric" "03"', True),
        ('test_error :count "ne" "2"', True),
        ('test_error :count "gt" :comparator "i;ascii-numeric" "2"', True),
        ('test_error :index 2 :count "eq" "1"', True),
        ('test_error :index 9 :count "eq" "0"', True),
        ('test_error :value "ge" "validation"', True),
    ],
)
def test_errors_are_compared(files, condition, holds):
    files.write("s.sieve", "first;\nsecond;\n")
    wrong = f"if {'not ' if holds else ''}{condition}"
    files.passes(f'require "regex"; test "a" {{ {SCRIPTS} {wrong} {{ test_fail "no"; }} }}')


def test_warnings_are_not_in_the_log(files):
    files.write("s.sieve", 'stop; keep; if header :is "from:" "x" { }')
    files.passes("""test "a" {
        if not test_script_compile "s.sieve" { test_fail "compile"; }
        if test_error :contains "" { test_fail "warning"; }
    }""")


@pytest.mark.parametrize(
    "again",
    [
        'if not test_script_compile "good.sieve" { test_fail "compile"; }',
        'if not test_script_run { test_fail "run"; }',
        'if not test_result_execute { test_fail "execute"; }',
    ],
)
def test_the_log_is_emptied_by_what_fills_it(files, again):
    from sievemda.delivery.scratch import ScratchWorld

    files.write("s.sieve", "first;")
    files.write("good.sieve", "keep;")
    files.passes(
        f"""test "a" {{
        if not test_script_compile "good.sieve" {{ test_fail "good"; }}
        {SCRIPTS}
        {again}
        if test_error :contains "" {{ test_fail "still there"; }}
    }}""",
        make_world=ScratchWorld,
    )


@pytest.mark.parametrize(
    "between",
    [
        "test_result_reset;",
        'test_set "message" "Subject: x\r\n\r\n";',
        'test_set "envelope.from" "a@b.example";',
        'test_config_set "sieve_max_actions" "1"; test_config_reload;',
    ],
)
def test_the_log_is_left_alone_by_all_else(files, between):
    files.write("s.sieve", "first;")
    files.passes(f"""test "a" {{ {SCRIPTS} }} {between} test "b" {{
        if not test_error :index 1 :contains "first" {{ test_fail "gone"; }}
    }}""")


@pytest.mark.parametrize(
    "test",
    [
        "test_error",
        "test_error 1",
        'test_error :index "1" "x"',
        'test_error :is :contains "x"',
        'test_error :frob "x"',
        'test_error "x" "y"',
        'test_error :comparator "i;frob" "x"',
    ],
)
def test_a_wrong_use_does_not_compile(files, test):
    assert files.run(f'test "a" {{ if {test} {{ }} }}').trouble == "invalid"


def test_it_is_no_command(files):
    assert files.run('test "a" { test_error "x"; }').trouble == "invalid"


def test_a_pipe_is_no_script(files):
    import os

    os.mkfifo(files.directory / "pipe.sieve")
    (files.directory / "included").mkdir()
    os.mkfifo(files.directory / "included" / "pipe.sieve")
    files.write("includes.sieve", 'require "include"; include "pipe";')
    files.passes("""test "a" {
        if test_script_compile "pipe.sieve" { test_fail "compiled"; }
        if not test_error :contains "not found" { test_fail "another error"; }
        if test_script_compile "includes.sieve" { test_fail "included"; }
        if not test_error :count "eq" "2" { test_fail "errors"; }
    }""")
