"""test_set, the default message and the envelope that follows from a message; the variable ${tst.path}."""

import pytest

from sievemda.sieve.testing.paths import smtp_path
from sievemda.sieve.testing.subject import user_name


def message(text):
    return f'test_set "message" text:\n{text}\n.\n;\n'


def check(*conditions):
    return 'test "t" { ' + "".join(f"if not {c} {{ test_fail text:\n{c}\n.\n; }}" for c in conditions) + " }"


def test_there_is_a_message_from_the_start(files):
    files.passes(
        check(
            'address "from" "sender@example.com"',
            'address "to" "recipient@example.org"',
            'envelope "from" "sender@example.com"',
            'envelope "to" "recipient@example.org"',
            f'envelope "auth" "{user_name()}"',
            'header :count "eq" :comparator "i;ascii-numeric" ["from", "to", "subject"] "3"',
            'not exists "date"',
        )
    )


@pytest.mark.parametrize(
    ("header", "sender", "recipient"),
    [
        ("From: a@b.example\nTo: c@d.example", "a@b.example", "c@d.example"),
        ("From: a@b.example\nSender: s@b.example", "s@b.example", "recipient@example.com"),
        ("Sender: s@b.example\nReturn-Path: <r@b.example>", "r@b.example", "recipient@example.com"),
        ("To: c@d.example\nEnvelope-To: e@d.example", "sender@example.com", "e@d.example"),
        ("From: One <a@b.example>, Two <x@y.example>", "a@b.example", "recipient@example.com"),
        ("Return-Path: <>\nFrom: a@b.example", "a@b.example", "recipient@example.com"),
        ("To: undisclosed-recipients:;", "sender@example.com", "recipient@example.com"),
        ("X-Nothing: here", "sender@example.com", "recipient@example.com"),
    ],
)
def test_the_envelope_follows_from_the_header(files, header, sender, recipient):
    files.passes(message(f"{header}\n\nbody") + check(f'envelope "from" "{sender}"', f'envelope "to" "{recipient}"'))


def test_a_new_message_takes_what_was_set_of_the_envelope_with_it(files):
    mail = message("From: a@b.example\nTo: c@d.example\n\nx")
    files.passes(f'{mail} test_set "envelope.from" "x@y.example"; {mail}' + check('envelope "from" "a@b.example"'))


def test_a_new_message_undoes_what_was_edited(files):
    mail = message("Subject: one\n\nx")
    files.passes(f'{mail} addheader "X-A" "1"; {mail}' + check('not exists "x-a"'))


def test_a_change_of_the_envelope_undoes_what_was_edited(files):
    files.passes('addheader "X-A" "1"; test_set "envelope.from" "x@y.example";' + check('not exists "x-a"'))


def test_a_message_without_a_blank_line_has_no_body(files):
    files.passes(
        'require "body";' + message("Subject: x") + check('not body :raw :contains ""', 'header "subject" "x"')
    )


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_both_line_ends_are_one(files, end):
    text = f"Subject: x{end}X-Y: z{end}{end}body{end}"
    files.passes(f'test_set "message" "{text}";' + check('header "x-y" "z"', "size :over 27", "size :under 29"))


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("a@b.example", "a@b.example"),
        ("<a@b.example>", "a@b.example"),
        ("<@x.example,@y.example:a@b.example>", "a@b.example"),
        (".a..b.@c.example", ".a..b.@c.example"),
        ('"a b"@c.example', '"a b"@c.example'),
        ('"a\\"b"@c.example', '"a\\"b"@c.example'),
        ("a@-b_.c-", "a@-b_.c-"),
        ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("a@[IPv6:::1]", "a@[IPv6:::1]"),
    ],
)
def test_a_path_is_an_address_with_brackets_or_without(path, address):
    assert str(smtp_path(path)) == address


@pytest.mark.parametrize(
    "path",
    [
        "", "<>", "<a@b.example", "a@b.example>", " a@b.example", "a@b.example ", "<<a@b.example>>", "Name <a@b.example>",
        "a@", "@b.example", "a@b..example", "a@.example", "a@b.", "a b@c.example", "a@b@c.example", '"a@b.example',
        "\u00fc@b.example", "a@\u00fc.example", "@x.example:a@b.example", "<@:a@b.example>", "<@x.example a@b.example>",
        "a@[1.2.3.4", "postmaster@", "a\n@b.example",
    ],
)  # fmt: skip
def test_other_paths_are_none(path):
    assert smtp_path(path) is None
    assert smtp_path(path, bare=True) is None


@pytest.mark.parametrize("path", ["postmaster", "<postmaster>"])
def test_a_local_part_alone_is_for_recipients(path):
    assert smtp_path(path) is None
    assert str(smtp_path(path, bare=True)) == "postmaster"


@pytest.mark.parametrize("path", ["", "<>"])
def test_the_null_reverse_path_is_the_empty_string_for_every_part(files, path):
    files.passes(
        f'test_set "envelope.from" "{path}";'
        + check('envelope "from" ""', 'envelope :localpart "from" ""', 'envelope :domain "from" ""')
    )


def test_a_bad_path_is_logged_and_leaves_the_address_unset(files):
    files.passes(
        'test_set "envelope.from" "a@"; test_set "envelope.to" "b@";'
        + check(
            'test_error :count "eq" :comparator "i;ascii-numeric" "2"',
            'test_error :index 2 :contains "b@"',
            'envelope "from" ""',
            'not envelope :matches "to" "*"',
            'envelope :count "eq" :comparator "i;ascii-numeric" "to" "0"',
        )
    )
    assert [problem.severity for problem in files.told] == ["error", "error"]


def test_the_recipient_is_the_original_one_until_that_is_set(files):
    files.passes(
        'require "envelope-dsn";'
        'test_set "envelope.to" "a@b.example"; test_set "envelope.orig_to" "<o@b.example>";'
        + check('envelope "to" "a@b.example"', 'envelope "orcpt" "rfc822;o@b.example"')
    )


def test_the_identity_is_what_was_set(files):
    files.passes('test_set "envelope.auth" "kim";' + check('envelope "auth" "kim"'))


@pytest.mark.parametrize("name", ["Message", "ENVELOPE.FROM", "Envelope", "CurrentDate"])
def test_objects_have_no_case(files, name):
    assert files.run(f'test "a" {{ test_set "{name}" ""; }}').status == "passed"


@pytest.mark.parametrize(
    "command",
    [
        'test_set "frob" "x";',
        'test_set "envelope.frob" "x";',
        'test_set "message.from" "x";',
        'test_set "" "x";',
        'test_set "${x}" "y";',
        'test_set "currentdate" "tomorrow";',
        'test_set "message";',
        'test_set "message" "a" "b";',
        'test_set "message" ["a"];',
        'test_set :x "message" "a";',
        'test_set "message" 1;',
        'if test_set "message" "a" { }',
    ],
)
def test_a_wrong_use_does_not_compile(files, command):
    assert files.run(f'test "a" {{ {command} }}').trouble == "invalid"


def test_the_clock_stands_still_at_the_date_that_is_set_and_goes_on_without(files):
    files.passes("""test "a" {
        test_set "currentdate" "Mon, 29 Dec 2025 23:30:00 +0100";
        if not currentdate "iso8601" "2025-12-29T23:30:00+01:00" { test_fail "frozen"; }
        if not currentdate :zone "+0000" "hour" "22" { test_fail "zone"; }
        test_set "currentdate" "";
        if currentdate "year" "2025" { test_fail "still frozen"; }
    }""")


def test_scripts_under_test_see_the_same_clock(files):
    files.write("s.sieve", 'require ["date"]; if currentdate "year" "1999" { discard; }')
    files.passes("""test "a" {
        test_set "currentdate" "1 Jan 1999 10:00:00 +0000";
        if not test_script_compile "s.sieve" { test_fail "compile"; }
        if not test_script_run { test_fail "run"; }
        if not test_result_action "discard" { test_fail "clock"; }
    }""")


def test_the_directory_of_the_test_file_is_a_variable(files):
    files.passes(f'test "a" {{ if not string "${{tst.path}}|${{TST.Path}}|${{tst.x}}" '
                 f'"{files.directory}|{files.directory}|" {{ test_fail "${{tst.path}}"; }} }}')  # fmt: skip


@pytest.mark.parametrize("name", ["tst.path", "tst.x"])
def test_it_cannot_be_set(files, name):
    assert files.run(f'test "a" {{ set "{name}" "x"; }}').trouble == "invalid"


@pytest.mark.parametrize("name", ["tst.1", "tst.path.x", "tst.a.b"])
def test_numbers_and_further_namespaces_are_errors(files, name):
    assert files.run(f'test "a" {{ if string "${{{name}}}" "x" {{ }} }}').trouble == "invalid"


def test_without_variables_it_is_text(tmp_path, files):
    path = files.write("x.svtest", 'require "vnd.dovecot.testsuite"; test "${tst.path}" { }')
    from sievemda.sieve.testing.runner import run_file

    assert run_file(path).cases[0].name == "${tst.path}"
