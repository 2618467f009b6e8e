"""Words that carry out, fetch and store: wrong uses, what ends a file, and what is shown."""

import pytest

from sievemda.delivery.scratch import ScratchWorld
from sievemda.sieve.testing.runner import Order, run_file

REQUIRE = b"""require ["vnd.dovecot.testsuite", "fileinto", "reject", "vacation", "variables", "imap4flags", "relational",
    "encoded-character", "mboxmetadata", "editheader", "foreverypart", "mime", "copy"];
"""


@pytest.fixture
def run(tmp_path):
    def run(text, **order):
        path = tmp_path / "t.svtest"
        path.write_bytes(REQUIRE + (text if isinstance(text, bytes) else text.encode()))
        return run_file(path, Order(**{"say": lambda _text: None, "make_world": ScratchWorld, **order}))

    return run


@pytest.mark.parametrize(
    "text",
    [
        "test_message 0;",
        'test_message :smtp :folder "INBOX" 0;',
        "test_message :smtp;",
        'test_message :folder "INBOX";',
        'test_message :smtp "INBOX" 0;',
        "if test_message 0 { }",
        b'test_message :folder "\xff" 0;',
        b'if test_message :folder "\xff" 0 { }',
        b'test_mailbox_create "\xff";',
        b'test_mailbox_delete "\xff";',
        b'test_imap_metadata_set :mailbox "\xff" "/private/a" "b";',
        "test_mailbox_create;",
        'test_mailbox_create ["a", "b"];',
        'test_imap_metadata_set "/private/a";',
        "test_result_execute;",
        "test_script_run;",
        'test_multiscript ["a"];',
        'test_script_compile "a";',
        "if test_result_reset { }",
        "if test_result_print { }",
        'if test_mailbox_create "a" { }',
        'if test_binary_save "a" { }',
        "if test_script_run :append { }",
        'if test_result_action :index "1" "keep" { }',
        "if test_result_action { }",
        "if test_multiscript { }",
        "test_binary_load;",
    ],
)
def test_a_wrong_use_does_not_compile(run, text):
    assert run(text).trouble == "invalid"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('test_binary_save "a";', "no script was compiled"),
        ('test_binary_load "a";', "nothing was saved as 'a'"),
        ('test_imap_metadata_set "a" "b";', "invalid annotation name 'a'"),
        ('test_imap_metadata_set :mailbox "None" "/private/a" "b";', "does not exist"),
        ('set "x" "${hex:ff}"; test_mailbox_create "${x}";', "invalid folder name"),
        ('set "x" "${hex:ff}"; test_mailbox_delete "${x}";', "invalid folder name"),
        ('set "x" "${hex:ff}"; test_imap_metadata_set :mailbox "${x}" "/private/a" "b";', "invalid folder name"),
        ('reject "no"; keep;', "cannot be combined"),
        ('keep; reject "no";', "cannot be combined"),
        ('reject "no"; reject "no";', "cannot be combined"),
        ('vacation "a"; vacation "b";', "cannot be combined"),
        ('vacation "a"; reject "b";', "cannot be combined"),
        ('set "x" "no address"; redirect "${x}";', "invalid address"),
        ("test_message :smtp 0;", "outside of any test"),
        ('test_mailbox_delete "None";', "outside of any test"),
    ],
)
def test_what_cannot_be_done_outside_of_a_test_aborts_the_file(run, text, why):
    result = run(f'test "before" {{ }} {text} test "after" {{ }}')
    assert result.trouble == "aborted"
    assert why in result.error
    assert [case.status for case in result.cases] == ["passed", "not run"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("test_message :smtp 0;", "no message 0 was sent"),
        ('test_message :folder "INBOX" 0;', "no message 0 in 'INBOX'"),
        ('test_message :folder "None" 0;', "no message 0 in 'None'"),
        ('test_mailbox_delete "None";', "cannot be deleted"),
        ('test_mailbox_delete "inbox";', "cannot be deleted"),
        ('set "x" "${hex:ff}"; test_message :folder "${x}" 0;', "invalid folder name"),
        ('set "x" "${hex:ff}"; if test_message :folder "${x}" 0 { }', "invalid folder name"),
    ],
)
def test_in_a_test_it_fails_that_one_alone(run, text, why):
    result = run(f'test "this" {{ {text} }} test "after" {{ }}')
    assert result.error is None
    assert [case.status for case in result.cases] == ["failed", "passed"]
    assert why in result.cases[0].message


def test_running_without_a_script_is_false_and_told(run, capsys):
    result = run('test "a" { if test_script_run { test_fail "true"; } if test_script_run :append_result { stop; } }')
    assert result.status == "passed"
    assert "no script was compiled" in capsys.readouterr().err


def test_a_failure_leaves_loops_and_later_loops_work(run):
    text = """
    test "a" { foreverypart { test_fail "out"; } }
    test "b" { foreverypart { break; } test_message :smtp 0; }
    test "c" { if not header "subject" "Test" { test_fail "message"; } }
    """
    assert [case.status for case in run(text).cases] == ["failed", "failed", "passed"]


def test_the_result_is_printed_with_what_belongs_to_it(run):
    said = []
    run('fileinto :copy :flags "\\\\Seen" "A"; redirect "a@b.example"; test_result_print;', say=said.append)
    assert said == [
        (
            'Result:\n  1. fileinto mailbox="A" flags=["\\\\Seen"] copy=true\n  2. redirect address="a@b.example"\n'
            "  The implicit keep is not due."
        )
    ]


def test_the_current_message_is_printed_with_its_edits(run):
    said = []
    run('addheader "X-A" "b"; test_message_print;', say=said.append)
    assert said[0].startswith("X-A: b\nFrom: sender@example.com\n")


def test_what_a_script_says_when_it_fails_is_shown(run, tmp_path):
    (tmp_path / "s.sieve").write_text('require "vnd.dovecot.testsuite"; test_fail "my reason";')
    said = []
    text = 'test "a" { if not test_script_compile "s.sieve" { stop; } if test_script_run { test_fail "true"; } }'
    assert run(text, say=said.append).status == "passed"
    assert "my reason" in said[0]


def test_entries_of_the_error_log_are_told_as_they_are_made(run):
    told = []
    run('test "a" { fileinto "None"; if test_result_execute { } }', told=told.append)
    assert [problem.text for problem in told] == ["failed to store into mailbox 'None': the mailbox does not exist"]


def test_a_test_of_the_test_extension_in_a_script_under_test_is_an_error_of_it(run, tmp_path):
    (tmp_path / "s.sieve").write_text('require "vnd.dovecot.testsuite"; test "x" { }')
    text = 'test "a" { if test_script_compile "s.sieve" { if test_script_run { test_fail "ran"; } } }'
    assert [case.status for case in run(text).cases] == ["passed"]


def test_without_a_world_what_needs_one_aborts_and_the_rest_runs(run):
    text = 'test "a" { if test_message :smtp 0 { test_fail "sent"; } } test "b" { if test_result_execute { } }'
    result = run(text, make_world=None)
    assert [case.status for case in result.cases] == ["passed", "failed"]
    assert "no mail store" in result.error


def test_each_file_has_a_world_of_its_own_and_a_temporary_one_goes(run):
    worlds = []

    def make():
        worlds.append(ScratchWorld())
        return worlds[-1]

    text = 'test "a" { if test_message :folder "INBOX" 0 { test_fail "there"; } if not test_result_execute { stop; } }'
    for _ in range(2):
        assert run(text, make_world=make).status == "passed"
    assert len(worlds) == 2
    assert not any(world.directory.exists() for world in worlds)


def test_a_work_directory_stays(run, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    run('test "a" { if not test_result_execute { } }', make_world=lambda: ScratchWorld(work))
    assert [path for path in work.rglob("new/*") if path.is_file()] or list(work.rglob("cur/*"))


def test_no_world_is_made_for_a_file_that_needs_none(run):
    worlds = []
    run('test "a" { if test_message :smtp 0 { } keep; }', make_world=lambda: worlds.append(1))
    assert worlds == []


@pytest.mark.parametrize(
    "command",
    [
        "if test_script_run { }",
        "if test_script_run :append_result { }",
        'if test_multiscript "s.sieve" { }',
        "if test_result_execute { }",
    ],
)
@pytest.mark.parametrize("way", ['test_script_compile "s.sieve"', 'test_multiscript "s.sieve"'])
def test_a_script_under_test_runs_no_other_nor_itself(run, tmp_path, command, way):
    (tmp_path / "s.sieve").write_text(f'require "vnd.dovecot.testsuite"; {command}')
    text = f"""
    test "a" {{
        if {way} {{ if test_script_run {{ test_fail "ran"; }} }}
        if not test_error :count "eq" "1" {{ test_fail "log"; }}
        if not test_error :contains "a script under test" {{ test_fail "words"; }}
    }}
    """
    assert [case.message for case in run(text).cases] == [None]


def test_in_a_row_a_script_that_says_it_fails_is_an_error_and_the_message_is_kept(run, tmp_path):
    (tmp_path / "s.sieve").write_text('require "vnd.dovecot.testsuite"; discard; test_fail "my reason";')
    text = """
    test "a" {
        if test_multiscript "s.sieve" { test_fail "true"; }
        if not test_error :contains "my reason" { test_fail "log"; }
        test_message :folder "INBOX" 0;
    }
    """
    assert [case.message for case in run(text).cases] == [None]


def test_programs_may_be_run_many_times_in_one_file(run, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/p").write_text("#!/bin/sh\n")
    (tmp_path / "bin/p").chmod(0o755)
    text = b'require ["vnd.dovecot.testsuite", "vnd.dovecot.execute"]; test_config_set "sieve_execute_bin_dir" "bin";'
    text += b'test_config_reload :extension "vnd.dovecot.execute"; test "a" {' + 12 * b' execute "p";' + b" }"
    path = tmp_path / "p.svtest"
    path.write_bytes(text)
    assert run_file(path, Order(make_world=ScratchWorld)).error is None


def test_a_store_that_cannot_be_made_aborts_the_file_that_needs_it(run, tmp_path):
    (tmp_path / "file").write_text("")
    result = run('test "a" { test_mailbox_create "A"; }', make_world=lambda: ScratchWorld(tmp_path / "file"))
    assert result.trouble == "aborted"
    assert "the mail store cannot be made: Not a directory" in result.error
