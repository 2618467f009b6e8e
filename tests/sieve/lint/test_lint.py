"""Warnings: each for what it is meant, and not for what looks like it."""

import pytest

from sievemda.sieve import Limits
from sievemda.sieve.check import check_script
from sievemda.sieve.lint import Known

R = 'require ["fileinto", "mailbox", "variables", "date", "envelope", "relational", "vacation", "fcc", "copy"];\n'
N = 'require "comparator-i;ascii-numeric";\n'
HERE = Known(lambda name: name in {"INBOX", "Lists"}, frozenset({"me@example.org"}))


def warned(script, known=HERE):
    found = check_script((R + script).encode(), Limits(), None, None, known)
    assert all(problem.severity == "warning" for problem in found), found
    return [f"{problem.line - 1}:{problem.column} {problem.code}" for problem in found]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("stop; keep;", ["1:7 unreachable"]),
        ("if true { stop; keep; } keep;", ["1:17 unreachable"]),
        ('if header "a" "b" { stop; } else { discard; stop; } keep;', ["1:53 unreachable"]),
        ('if header "a" "b" { stop; } elsif header "a" "b" { keep; }', ["1:35 shadowed"]),
        ('if header "a" "b" { discard; }\nif header "a" "b" { discard; }', ["2:1 duplicate-rule"]),
        ("if allof (size :over 10K, size :under 5K) { keep; }", ["1:27 never-true"]),
        ("if allof (size :over 4, size :under 5) { keep; }", ["1:25 never-true"]),
        ("if anyof (size :over 4, size :under 6) { keep; }", ["1:25 always-true"]),
        ("if size :under 0 { keep; }", ["1:4 never-true"]),
        ("if size :over 0 { keep; }", ["1:4 always-true"]),
        ('if allof (header "a" "b", not header "a" "b") { keep; }', ["1:27 never-true"]),
        ('if anyof (header "a" "b", true) { keep; }', ["1:4 always-true"]),
        ('if allof (header "a" "b", false) { keep; }', ["1:4 never-true"]),
        ('if address :domain "from" "@example.org" { keep; }', ["1:27 never-true"]),
        ('if address :localpart "from" "bob@example.org" { keep; }', ["1:30 never-true"]),
        ('if address :is "from" "bob" { keep; }', ["1:23 never-true"]),
        ('if header :is "subject" " x" { keep; }', ["1:25 never-true"]),
        ('if header :contains "subject" "a\nb" { keep; }', ["1:31 never-true"]),
        ('if header :contains "subject" "*sale*" { keep; }', ["1:31 literal-star"]),
        ('if header :is "from" "bob@example.org" { keep; }', ["1:22 address-as-header"]),
        ('if header :value "gt" "x-score" "10" { keep; }', ["1:33 text-order"]),
        ('if currentdate :value "ge" "hour" "9" { keep; }', ["1:35 text-order"]),
        ('if currentdate :is "month" "1" { keep; }', ["1:28 never-true"]),
        ('if date "date" "weekday" "sun" { keep; }', ["1:26 never-true"]),
        (f'{N}if header :value "gt" :comparator "i;ascii-numeric" "x" "5.5" {{ keep; }}', ["2:57 odd-number"]),
        (f'{N}if header :value "lt" :comparator "i;ascii-numeric" "x" "-5" {{ keep; }}', ["2:57 odd-number"]),
        ('if address "from" "Bob B <bob@example.org>" { keep; }', ["1:19 never-true"]),
        ('fileinto "Nowhere";', ["1:10 no-mailbox"]),
        ('vacation :fcc "Nowhere" "away";', ["1:15 no-mailbox"]),
        ('redirect :copy "Me <me@EXAMPLE.org>";', ["1:16 self-redirect"]),
        ('if header :matches "to" "*" { redirect "${1}"; }', ["1:40 stranger-redirect"]),
        ('if header :matches "to" "*" { set "x" "a${1}"; set "y" "${x}"; }\nredirect "${y}";', ["2:10 stranger-redirect"]),
        ('if envelope :matches "to" "*+*@*" { fileinto :create "${2}"; }', ["1:54 stranger-mailbox"]),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_is_a_warning(script, expected):
    assert warned(script) == expected


@pytest.mark.parametrize(
    "script",
    [
        "if false { stop; keep; }",
        "if true { discard; }",
        'if header "a" "b" { stop; } keep;',
        'if header "a" "b" { stop; } else { discard; } keep;',
        "if allof (size :over 4, size :under 6) { keep; }",
        'if header :matches "subject" "*sale*" { keep; }',
        'if header :is "subject" "bob@example.org" { keep; }',
        'if address :all :contains "from" "bob" { keep; }',
        'if address :is "from" "" { keep; }',
        'if envelope :is "from" "" { keep; }',
        'if header :contains "from" "bob@example.org" { keep; }',
        'fileinto "Lists"; fileinto "INBOX"; fileinto :create "New";',
        'if mailboxexists "Maybe" { fileinto "Maybe"; }',
        'if currentdate :matches "year" "*" { fileinto :create "Archive/${1}"; }',
        'if currentdate :matches "year" "*" { set "y" "${1}"; }\nfileinto :create "Archive/${y}";',
        'if header :matches "to" "*" { set "x" "${1}"; set "x" "fixed"; redirect "${x}@example.net"; }',
        'if header :matches "subject" "*" { fileinto "${1}"; }',
        'redirect "you@example.org";',
        'if header "a" "b" { keep; }\nif header "a" "c" { keep; }',
        'if header :value "eq" "x-score" "10" { keep; }',
        'if date :value "ge" :originalzone "date" "hour" "09" { keep; }',
        'if allof (currentdate :value "ge" "date" "2026-07", currentdate :is "weekday" ["0", "6"]) { keep; }',
        'if currentdate :value "lt" "hour" "24" { keep; }',
        f'{N}if currentdate :value "ge" :comparator "i;ascii-numeric" "hour" "9" {{ keep; }}',
    ],
)
def test_what_is_meant_is_no_warning(script):
    assert warned(script) == []


@pytest.mark.parametrize(
    ("name", "today"),
    [
        ("imapflags", "imap4flags"),
        ("notify", "enotify"),
        ("vnd.dovecot.duplicate", "duplicate"),
        ("x-cyrus-snooze", "snooze"),
    ],
)
def test_a_capability_of_old_is_deprecated(name, today):
    (problem,) = check_script(f'require "{name}"; keep;'.encode(), Limits())
    assert (problem.code, problem.hint) == ("deprecated", f'write require "{today}"')


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("fileinto", 'fileinto "x";'),
        ("copy", 'redirect :copy "a@b.example";'),
        ("variables", 'redirect "${x}";'),
        ("encoded-character", 'redirect "${hex:61}@b.example";'),
        ("relational", 'if header :count "eq" "a" "1" { stop; }'),
        ("comparator-i;ascii-numeric", 'if header :comparator "i;ascii-numeric" "a" "1" { stop; }'),
        ("subaddress", 'if address :user "from" "x" { stop; }'),
        ("imap4flags", 'addflag "x";'),
        ("index", 'if header :index 1 "a" "x" { stop; }'),
        ("vacation-seconds", 'vacation :seconds 9 "x";'),
    ],
)
def test_a_capability_is_unused_only_where_nothing_asks_for_it(name, script):
    tidy = Known(style=True)
    used = check_script(
        f'require ["{name}", "fileinto"]; {script} fileinto "INBOX";'.encode(), Limits(), None, None, tidy
    )
    unused = check_script(f'require "{name}"; keep;'.encode(), Limits(), None, None, tidy)
    assert "unused-require" not in {problem.code for problem in used}
    assert [problem.code for problem in unused] == ["unused-require"]
    assert check_script(f'require "{name}"; keep;'.encode(), Limits()) == ()


def test_warnings_are_bounded():
    assert len(check_script(b'if header :is "a" " x" { keep; }\n' * 500, Limits())) <= Limits().problems
