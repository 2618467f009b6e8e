"""RFC 5228, sentences that no other test has: each case names its section."""

import pytest

from tests.sieve.trying import COYOTE, KEEP, actions, failure, filed, holds, outcome, problems, warnings


@pytest.mark.parametrize(
    "script",
    [
        "keep\t;\r\n\tkeep ;",  # §2.2
        "# one\r\n# two\nkeep; # three",  # §2.3: also where the script ends in it
        'if header "a" "# no comment" {}',
        'if header "a" "/* no comment */" {}',
        "/* # */ keep; /* ; */",
        "/***/ keep /**/ ; /*/**/",
        "if/**/not/**/true/**/{}",
        "if size :over 0 {} if size :over 2147483647 {} if size :over 1g {}",  # §2.4.1
        'if header ["a"] ["b"] {} if header "a" ["b", "c"] {}',  # §2.4.2.1
        'if address :all :comparator "i;octet" :contains "from" "a" {}',  # §2.6.2: tags in any order
        'if address :comparator "i;octet" :contains :all "from" "a" {}',
        'if address :contains :all :comparator "i;octet" "from" "a" {}',
        'require "comparator-i;octet"; require ["comparator-i;ascii-casemap"];',  # §2.7.3
        'require "fileinto"; require "fileinto"; require ["fileinto", "fileinto"];',  # §3.2
        "if true {} elsif true {} elsif true {} else {}",  # §3.1
        'if address ["From", "To", "Cc", "Bcc", "Sender", "Resent-From", "Resent-To"] "a" {}',  # §5.1
    ],
)
def test_a_script_that_is_right(script):
    assert problems(script) == []


@pytest.mark.parametrize(
    "script",
    [
        "keep\x0b;",  # §2.2: no other white space
        "keep;\x00",
        "/* /* */ keep; */",  # §2.3: comments do not nest
        "if size :over -1 {}",  # §2.4.1
        "if size :over 1.5K {}",
        "if size :over 1KB {}",
        "if size :over 99999999999999999999 {}",
        'redirect "a@b.example', 'redirect "a\0b@c.example";',  # §2.4.2
        'if header [] "a" {}', 'if header ["a",] "a" {}', 'if header ["a" "b"] "a" {}',  # §2.4.2.1
        "keep ();",  # §2.5
        'if header "a" :is "b" {}',  # §2.6.2: a tag behind a positional argument
        'if header :is :contains "a" "b" {}',  # §2.7.1
        'if header :matches :comparator "i;unknown" "a" "b" {}',  # §2.7.3
        'if address :all :domain "from" "a" {}',  # §2.7.4
        "fileinto;", 'reject "a";', "vacation;",  # §2.10.5
        'keep "a";', 'stop "a";', "discard true;",  # §2.10.6
        'require "keep";', 'require "no-such-thing";', 'keep; require "fileinto";', 'if true { require "fileinto"; }',  # §3.2
        "else {}", "elsif true {}", "if true {} keep; else {}", "if true {} else {} else {}", "if true { } else { } elsif true { }",
        "if true { else {} }", "if true { elsif true {} }",  # §3.1
        "redirect;", 'redirect "a";', 'redirect ["a@b.example", "c@d.example"];', 'redirect "a@b.example, c@d.example";',  # §4.2
        'redirect "G: a@b.example;";', 'redirect "<@r.example:a@b.example>";', 'redirect "a@b.example.";',
        'if address "subject" "a" {}',  # §5.1
        "if anyof () {}", "if allof true {}", "if not (true) {}", "if (true) {}", "if not true, false {}",
        "if size 5 {}", "if size :over {}", "if size :over :under 5 {}", 'if size :over "5" {}', "if size :contains 5 {}",  # §5.9
        'exists "a";', "if keep {}", "if true;", "keep {}",  # §8.2
        "5;", '"a";', '["a"];', "(true);", "{}", ":tag;", "keep", "keep;;", "if true { keep }", "if true { keep;",
    ],
)  # fmt: skip
def test_a_script_that_is_wrong(script):
    assert problems(script)


def test_a_string_need_not_be_utf8():
    """§2.4.2: implementations MUST accept all strings that match the grammar."""
    script = b'if header :contains "subject" "\xfc" { discard; }'
    assert problems(script) == []
    assert actions(script, b"Subject: gr\xfcn\n\n") == [{"action": "discard"}]
    assert actions(script, "Subject: grün\n\n".encode()) == [KEEP]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ('"a\\"b\\\\c\\d"', 'a"b\\cd'),  # an unneeded backslash is dropped
        ('"a\nb"', "a\r\nb"),  # a line end in a script is CRLF
        ("text:\na\n.\n", "a\r\n"),  # the CRLF before the final period is part of the value
        ("text:\n.\n", ""),
        ("text:\n..\n...a\n.a\n.\n", ".\r\n..a\r\n.a\r\n"),  # dot-stuffing, and a dot that is not stuffed
        ("text: # a comment\r\na\r\n.\r\n", "a\r\n"),
        ("TEXT:\na\n.\n", "a\r\n"),
        ("text:\n# no comment\n/* nor this */\n.\n", "# no comment\r\n/* nor this */\r\n"),
        ('text:\n"a" \\"b\n.\n', '"a" \\"b\r\n'),  # no escapes
    ],
)
def test_what_a_string_stands_for(literal, value):
    (effect,) = outcome(f'require "reject"; reject {literal};').effects
    assert effect.reason == value


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('header "subject" "\\*"', False),  # §2.7.1: `:is` knows no wildcards
        ('header :contains "subject" "*"', False),
        ('header :matches "subject" "i have*"', True),
        ('header :matches "subject" "have"', False),  # the entire value
        ('header :matches "subject" "*?present*"', True),
        ('header :matches "subject" "**present**"', True),
        ('header :contains ["from", "subject"] ["nothing", "anvil", "present"]', True),
        ('header :is :comparator "i;ascii-casemap" "subject" "I HAVE A PRESENT FOR YOU"', True),
        ('header "Subject " "I have a present for you"', False),  # §2.4.2.2: no such field
        ('header "Subject:" "I have a present for you"', False),
        ('exists ["Subject", "From", "To", "Date"]', True),  # §5.5
        ('exists ["Subject", "X"]', False),
        ('address :is :all "from" "Coyote@DESERT.example.org"', True),  # §5.1
        ('address :domain :contains "from" "desert"', True),
    ],
)
def test_a_comparison(test, expected):
    assert holds(test, COYOTE) is expected


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (b"Subject: =?us-ascii?q?plain?=\n\n", "plain"),  # §2.7.2: charsets that must be converted
        (b"Subject: =?iso-8859-1?q?caf=E9?=\n\n", "café"),
        (b"Subject: =?iso-8859-15?q?100_=A4?=\n\n", "100 €"),
        (b"Subject: =?iso-8859-7?b?4eHh?=\n\n", "\u03b1\u03b1\u03b1"),
        (b"Subject: =?utf-8?b?ZMOpasOg?=\n\n", "déjà"),
        (b"Subject: =?windows-1252?q?=80?=\n\n", "€"),
        (b"Subject: =?utf-8?q?a=00b?=\n\n", "b"),  # an encoded NUL does not end the value
        (b"Subject: =?x-nobody-knows?q?a?=\n\n", "=?x-nobody-knows?q?a?="),  # MAY be treated as plain US-ASCII
    ],
)
def test_charsets_are_converted_before_comparing(message, key):
    assert holds(f'header :contains "subject" "{key}"', message)


def test_a_header_name_with_bad_characters_is_warned_of_and_matches_nothing():
    """§2.4.2.2."""
    (warning,) = warnings('if header :contains "from:" "" {}')
    assert "no header field can have the name 'from:'" in warning


def test_fifteen_blocks_and_fifteen_tests_may_be_nested():
    """§2.10.7."""
    assert problems("if true {" * 15 + "}" * 15) == []
    assert problems("if " + "not " * 15 + "true {}") == []
    assert problems("if " + "anyof (" * 15 + "true" + ")" * 15 + " {}") == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", [KEEP]),  # §2.10.2: the implicit keep
        ("if false { discard; }", [KEEP]),
        ("stop; discard;", [KEEP]),  # §3.3
        ('require "fileinto"; fileinto "a"; stop; fileinto "b";', [filed("a")]),
        ("discard;", [{"action": "discard"}]),  # §4.4
        ("discard; keep;", [{"action": "discard"}, {"action": "keep", "flags": []}]),  # §4.3
        ('require "fileinto"; fileinto "a"; discard;', [filed("a"), {"action": "discard"}]),
        ('require "fileinto"; fileinto "a"; fileinto "b"; fileinto "a";', [filed("a"), filed("b")]),  # §2.10.3
        ('redirect "a@b.example"; redirect "a@b.example";', [{"action": "redirect", "address": "a@b.example"}]),
        ("if true { keep; } elsif true { discard; }", [{"action": "keep", "flags": []}]),  # §3.1
    ],
)
def test_actions_and_the_implicit_keep(script, expected):
    assert actions(script) == expected


def test_a_run_time_error_ends_the_script_and_keeps_the_message():
    """§2.10.6."""
    script = 'require ["variables", "fileinto"];\nfileinto "a";\nredirect "${nothing}";\nfileinto "b";'
    assert failure(script).startswith("3:1: error: invalid address for redirect")
    assert [(one.mailbox, one.implicit) for one in outcome(script).carried_out] == [(None, True)]


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('envelope "from" ""', True),  # §5.4: the null reverse-path is the empty string
        ('envelope :localpart "from" ""', True),
        ('envelope :domain :contains "from" ""', True),
        ('envelope :matches "from" "?*"', False),
        ('envelope :domain "to" "acme.example.com"', True),
    ],
)
def test_the_null_reverse_path(test, expected):
    assert holds(test, require="envelope", sender="") is expected
