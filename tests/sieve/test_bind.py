import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import actions, filed, problems, warnings


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('fileinto "x";', ["1:1: error: unknown command 'fileinto'"]),
        ('if envelope "to" "x" {}', ["1:4: error: unknown test 'envelope'"]),
        ('redirct "a@b";', ["1:1: error: unknown command 'redirct'"]),
        ("frobnicate;", ["1:1: error: unknown command 'frobnicate'"]),
        ("frob; frob; if frob {}", ["1:1: error: unknown command 'frob'"]),
        ("keep :copy;", ["1:6: error: unknown tagged argument ':copy' for the keep command (it has no such tag)"]),
        ("keep :foo; keep :foo; discard :foo;", [
            "1:6: error: unknown tagged argument ':foo' for the keep command (it has no such tag)",
            "1:31: error: unknown tagged argument ':foo' for the discard command (it has no such tag)",
        ]),
        ('redirect :contain "a@b";', ["1:10: error: unknown tagged argument ':contain' for the redirect command (it has no such tag)"]),
        ("header;", ["1:1: error: cannot use test 'header' as a command"]),
        ("if keep {}", ["1:4: error: cannot use command 'keep' as a test"]),
        ("if {}", ["1:1: error: the if command requires a single test, but none was found"]),
        ("if (true, false) {}", ["1:1: error: the if command requires a single test, but a list of tests was found"]),
        ("if anyof true {}", ["1:4: error: the anyof test requires a list of tests, but a single test without parentheses was found"]),
        ("if true;", ["1:1: error: the if command requires a block"]),
        ("keep {}", ["1:1: error: the keep command takes no block, yet one is specified"]),
        ("keep true;", ["1:6: error: the keep command accepts no sub-tests, yet some are specified"]),
        ("keep discard;", ["1:6: error: missing semicolon after the keep command"]),
        ("keep\nfrob;", ["2:1: error: missing semicolon after the keep command"]),
        ('if header contains "a" "b" {}', ["1:4: error: the header test requires 2 positional arguments, but 0 are specified",
                                          "1:11: error: missing colon in front of the contains tag of the header test"]),
        ('keep "x" true;', ["1:1: error: the keep command requires 0 positional arguments, but 1 are specified",
                            "1:10: error: the keep command accepts no sub-tests, yet some are specified"]),
        ('if header "a" {}', ["1:4: error: the header test requires 2 positional arguments, but 1 are specified"]),
        ('if header 5 "b" {}', ["1:11: error: the header test expects a string list for argument 1 (header names), but a number was found"]),
        ('if header "a" 5 {}', ["1:15: error: the header test expects a string list for argument 2 (key list), but a number was found"]),
        ('if address 5 "b" {}', ["1:12: error: the address test expects a string list for argument 1 (header list), but a number was found"]),
        ('redirect ["a@b", "c@d"];', ["1:11: error: the redirect command expects a string for argument 1 (address), but a string list was found"]),
        ('if size :over "x" {}', ["1:15: error: the size test expects a number for argument 1 (limit), but a string was found"]),
        ("if size 5 {}", ["1:4: error: the size test needs one of ':over' and ':under'"]),
        ("if size :over :under 5 {}", ["1:4: error: the size test needs one of ':over' and ':under', not both"]),
        ('if header "a" :is "b" {}', ["1:15: error: unexpected tag ':is' among the arguments of the header test"]),
        ('if header :is :contains "a" "b" {}', ["1:15: error: duplicate match type ':contains' for the header test: it may be given only once"]),
        ('if header :is :is "a" "b" {}', ["1:15: error: duplicate match type ':is' for the header test: it may be given only once"]),
        ('if address :domain :localpart "to" "b" {}', ["1:20: error: duplicate address part ':localpart' for the address test: it may be given only once"]),
        ('if header :comparator "i;octet" :comparator "i;octet" "a" "b" {}',
         ["1:33: error: duplicate ':comparator' for the header test: it may be given only once"]),
        ('if header :comparator "i;klingon" "a" "b" {}', ["1:11: error: unknown comparator 'i;klingon'"]),
        ('if header :comparator "i;ascii-numeric" "a" "b" {}',
         ["1:11: error: unknown comparator 'i;ascii-numeric'"]),
        ("if header :comparator {}", ["1:11: error: the ':comparator' tag of the header test expects a string, but nothing was found"]),
        ('if header :comparator 5 "a" "b" {}', ["1:11: error: the ':comparator' tag of the header test expects a string, but a number was found"]),
        ('if address "subject" "x" {}', ["1:12: error: header field 'subject' is not allowed for the address test"]),
        ('redirect "nobody";', ["1:10: error: invalid address for redirect: 'nobody'"]),
        ("else {}", ["1:1: error: else must follow if or elsif"]),
        ("elsif true {}", ["1:1: error: elsif must follow if or elsif"]),
        ('if header "a" "b" {} keep; else {}', ["1:28: error: else must follow if or elsif"]),
        ('if header "a" "b" {} else {} else {}', ["1:30: error: else must follow if or elsif"]),
        ('require "frob";', ["1:9: error: unknown capability 'frob'"]),
        ('require "fileinot";', ["1:9: error: unknown capability 'fileinot'"]),
        ('require ["frob", "fileinto", "nix"];', ["1:10: error: unknown capability 'frob'", "1:30: error: unknown capability 'nix'"]),
        ('require "keep";', ["1:9: error: 'keep' is part of the base language: it needs no require"]),
        ('require "comparator-i;klingon";', ["1:9: error: unknown capability 'comparator-i;klingon'"]),
        ('keep; require "fileinto";', ["1:7: error: require must come before all other commands, outside of any block"]),
        ('if true { require "fileinto"; }', ["1:11: error: require must come before all other commands, outside of any block"]),
        ("require 5;", ["1:9: error: the require command expects a string list for argument 1 (capabilities), but a number was found"]),
        ('require "";', ["1:9: error: unknown capability ''"]),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(script, expected):
    assert problems(script) == expected


def test_every_fault_of_a_script_is_reported_at_once():
    found = problems(
        """require "frob";
fileinto "x";
if header "a" { redirect "nobody"; discard :foo; }
elsif true { keep 5; }
"""
    )
    assert [problem.split(":")[0] for problem in found] == ["1", "2", "3", "3", "3", "4"]


@pytest.mark.parametrize(
    "script",
    [
        "if false { frob; }",
        "if not true { frob; }",
        "if anyof(false, not true) { frob; }",
        "if allof(true, false) { frob; }",
        "if true {} else { frob; }",
        'if true {} elsif header "a" "b" { frob; } else { frob; }',
    ],
)
def test_a_block_that_can_never_run_is_not_looked_at(script):
    assert problems(script) == []


def test_a_block_that_may_run_is_looked_at():
    assert len(problems('if header "a" "b" {} else { frob; } if true { nix; }')) == 2


@pytest.mark.parametrize(
    "script",
    [
        'require "fileinto"; require ["copy"]; fileinto :copy "x";',
        'require ["comparator-i;octet", "comparator-i;ascii-casemap"]; keep;',
        'IF HEADER :CONTAINS :COMPARATOR "i;octet" "a" "b" { KEEP; } ELSE { Discard; }',
        'if header :comparator "i;octet" :contains ["a", "b"] ["c"] {}',
        'if address :comparator "i;octet" :all :is "to" "b" {}',
        'redirect "Road Runner <roadrunner@acme.example.com>";',
        "if true {}",
        "stop;",
        "",
    ],
)
def test_a_valid_script_has_no_problem(script):
    assert problems(script) == []


def test_capabilities_that_are_not_available_are_refused_by_name():
    allowed = frozenset({"fileinto"})
    assert problems('require ["fileinto", "copy"];', available=allowed) == [
        "1:22: error: the capability 'copy' is not allowed here"
    ]
    assert problems('require "fileinto"; fileinto :copy "x";', available=allowed) == [
        "1:30: error: unknown tagged argument ':copy' for the fileinto command (it has no such tag)"
    ]
    assert problems('require "comparator-i;octet";', available=allowed) == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('if header "from:" "x" {}', ["1:11: warning: no header field can have the name 'from:'"]),
        ('if exists "a b" {}', ["1:11: warning: no header field can have the name 'a b'"]),
        ('require "fileinto"; fileinto "";', ["1:30: warning: no mailbox has an empty name"]),
    ],
)
def test_what_is_only_odd_is_a_warning(script, expected):
    assert warnings(script) == expected


def test_the_number_of_problems_is_bounded():
    found = problems("keep 1;\n" * 1000)
    assert len(found) == Limits().problems + 1
    assert found[-1] == "201:1: error: too many errors: the rest was not checked"


def test_redirect_is_refused_at_upload_where_it_is_forbidden():
    assert problems('redirect "a@b";', limits=Limits(redirects=0)) == [
        "1:1: error: local policy prohibits the use of a redirect action"
    ]


def test_a_warning_in_a_block_leaves_the_block_as_it_is():
    script = 'require "fileinto"; if true { if header "from:" "x" { stop; } fileinto "Lists"; }'
    assert warnings(script)
    assert actions(script) == [filed("Lists")]


@pytest.mark.parametrize(
    "script",
    [
        "if true { frob; } else { zonk; }",
        "if not false { frob; } elsif false { zonk; } else { zonk; }",
        "if anyof (true, false) { if true { frob; } else { zonk; } } elsif size :over 1 { zonk; }",
    ],
)
def test_a_fault_in_a_block_does_not_make_those_behind_it_reachable(script):
    (problem,) = problems(script)
    assert "'frob'" in problem


@pytest.mark.parametrize(
    ("script", "columns"),
    [
        ("keep :foo :bar;", [6]),
        ("keep :foo :bar; keep :bar;", [6, 22]),
        ("keep :foo; keep :foo :bar;", [6]),
        ('if header :is :is :foo "a" "b" {}', [19]),
    ],
)
def test_behind_the_first_unknown_tag_of_a_command_none_is_looked_at(script, columns):
    assert [int(problem.split(":")[1]) for problem in problems(script)] == columns
