"""What is told of the word under the pointer, and of the command that is being written."""

import pytest

from sievemda.lsp.hovering import hover, signature_help
from tests.lsp.scripts import at_cursor


def told(text, **changes):
    found, position = at_cursor(text, **changes)
    card = hover(found, position, markdown=False)
    return card.contents.value if card else ""


def extent(text):
    found, position = at_cursor(text)
    card = hover(found, position, markdown=True)
    return found.text[found.lines.offset(card.range.start) : found.lines.offset(card.range.end)]


@pytest.mark.parametrize(
    ("text", "line", "source"),
    [
        ("ke|ep;", "keep", "RFC 5228 §4.3"),
        ("|keep;", "keep", "RFC 5228 §4.3"),
        ("keep|;", "keep", "RFC 5228 §4.3"),
        ("KE|EP;", "keep", "RFC 5228 §4.3"),
        ('require "fileinto"; file|into "x";', "fileinto <mailbox: string>", "RFC 5228 §4.1"),
        ('if head|er "a" "b" {}', "header [COMPARATOR] [MATCH-TYPE]", "RFC 5228 §5.7"),
        ('if header :cont|ains "a" "b" {}', ":contains", "RFC 5228 §2.7.1"),
        ('if header :compa|rator "i;octet" "a" "b" {}', '":comparator"', "RFC 5228 §2.7.3"),
        ('if header :comparator "i;o|ctet" "a" "b" {}', ':comparator "i;octet"', "RFC 4790 §9.3"),
        ('if address :dom|ain "from" "b" {}', ":domain", "RFC 5228"),
        ('require "vacation"; vacation :da|ys 3 "x";', '":days" <number>', "RFC 5230 §4"),
        ('require "relational"; if header :cou|nt "gt" "a" "1" {}', ':count <"gt"', "RFC 5231 §4.2"),
        ('require ["fileinto", "mailbox"]; fileinto :cre|ate "x";', ":create", "RFC 5490 §3.2"),
        ("if header :is :is| ", ":is", "RFC 5228"),
    ],
)
def test_words_are_told_with_their_usage_and_source(text, line, source):
    found = told(text)
    assert found.startswith(line)
    assert source in found


def test_a_word_that_is_not_required_says_so():
    assert 'require "fileinto", which is missing' in told('file|into "x";')
    assert "missing" not in told('require "fileinto"; file|into "x";')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if size :over 10|0K {}", "100K = 102400 octets (100 KiB)"),
        ("if size :over 2|M {}", "2M = 2097152 octets (2 MiB)"),
        ("if size :over 1|000 {}", "1000 = 1000 octets"),
        ('require "vacation"; vacation :days 1|K "x";', "1K = 1024"),
        ('require "vacation"; vacation :days 7| "x";', ""),
    ],
)
def test_numbers_are_told_in_octets_where_a_size_is_meant(text, expected):
    assert told(text).startswith(expected)
    assert bool(told(text)) == bool(expected)


def test_a_capability_is_told_with_its_words():
    found = told('require ["vari|ables"];')
    assert "RFC 5229" in found
    assert "set, string, :lower" in found


def test_a_capability_that_does_not_exist_or_is_not_allowed_says_so():
    assert "no such capability" in told('require "no|thing";')
    assert "not allowed" in told('require "vari|ables";', available=frozenset({"fileinto"}))


def test_a_variable_is_told_with_the_line_that_sets_it():
    text = 'require ["variables", "fileinto"];\nset :lower "Who" "Bob";\nfileinto "a${w|ho}b";'
    assert told(text) == 'Variable Who, first set in line 2:\n\nset :lower "Who" "Bob";'
    assert extent(text) == "${who}"


def test_match_variables_and_unset_ones_are_told():
    assert "wildcard or group 1" in told('require ["variables", "fileinto"]; fileinto "${|1}";')
    assert "all that the last" in told('require ["variables", "fileinto"]; fileinto "${0|}";')
    assert "set nowhere" in told('require ["variables", "fileinto"]; fileinto "${n|o}";')


@pytest.mark.parametrize(
    "text", ["|", "keep;|", "keep; |", "# ke|ep", 'if header "Sub|ject" "x" {}', "nothi|ng;", "if :nothi|ng"]
)
def test_nothing_is_told_of_what_has_no_meaning(text):
    assert told(text) == ""


def test_the_extent_is_the_word():
    assert extent('if header :cont|ains "a" "b" {}') == ":contains"
    assert extent('📫; file|into "x";') == "fileinto"


def test_markdown_has_the_usage_as_code():
    found, position = at_cursor("ke|ep;")
    assert hover(found, position, markdown=True).contents.value.startswith("```sieve\nkeep\n```")


# -- signature help --------------------------------------------------------------------------------------------


def active(text):
    """The part of the usage line that is being written."""
    found, position = at_cursor(text)
    help_ = signature_help(found, position)
    if help_ is None:
        return None
    (signature,) = help_.signatures
    if signature.active_parameter is None:
        return ""
    start, end = signature.parameters[signature.active_parameter].label
    return signature.label[start:end]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("redirect |", "<address: string>"),
        ('redirect "|', "<address: string>"),
        ('if header "a|"', "<header-names: string-list>"),
        ('if header :is "a" |', "<key-list: string-list>"),
        ('if header :is "a" ["b", |', "<key-list: string-list>"),
        ('if header ["a", "b"] "|', "<key-list: string-list>"),
        ("if size :over |", "<limit: number>"),
        ("vacation :days |", '[":days" number]'),
        ('vacation :days 3 :subject "|', '[":subject" string]'),
        ("vacation :days 3 |", "<reason: string>"),
        ('deleteheader :is "X" |', "[<value-patterns: string-list>]"),
        ('if anyof(header "a" |', "<key-list: string-list>"),
    ],
)
def test_the_argument_that_is_being_written_is_marked(text, part):
    assert active(text) == part


@pytest.mark.parametrize("text", ["|", "keep; |", "# redirect |", "if true { |", "nothing |", "if anyof(true, |"])
def test_there_is_no_help_outside_of_a_command(text):
    assert active(text) is None


def test_an_argument_too_many_marks_nothing():
    assert active('redirect "a" |') == ""
