import random
import re

import pytest

from sievemda.sieve import patterns
from sievemda.sieve.ere import Case, translate
from sievemda.sieve.text import octets


def found(source, value, case=Case.EXACT):
    """What the match and its groups hold, or None."""
    match = patterns.pattern(source, case).search(octets(value))
    return None if match is None else [part.decode("utf-8", "surrogateescape") for part in match]


@pytest.mark.parametrize(
    ("source", "value", "match"),
    [
        ("b", "abc", "b"), ("^b", "abc", None), ("c$", "abc", "c"), ("b$", "abc", None), ("a.c", "abc", "abc"),
        ("a.c", "a\nc", "a\nc"), ("", "abc", ""), ("()", "abc", ""), ("a||b", "b", "b"), ("a|", "x", ""), ("a|ab", "abc", "ab"),
        ("ab*", "abbb", "abbb"), ("ab+", "a", None), ("ab?", "abb", "ab"), ("a{2}", "aaa", "aa"), ("a{,2}b", "aaab", "aab"),
        ("a{2,}", "aaaa", "aaaa"), ("a{0}b", "ab", "b"), ("a**", "aa", "aa"), ("a+?", "aa", "aa"), ("a??", "aa", "a"),
        ("a.*?b", "aab ab", "aab ab"), ("(ab){2}", "ababab", "abab"), ("a)", "a)", "a)"), ("a]", "a]", "a]"),
        ("a}", "a}", "a}"), (r"a\.b", "a.b", "a.b"), (r"a\.b", "axb", None), (r"\/\-\"\@\_\!", '/-"@_!', '/-"@_!'),
        (r"\\", "a\\b", "\\"), ("x{1000}", "x" * 1000, "x" * 1000), ("a$b", "a$b", None), ("a^b", "a^b", None),
        ("(^a|b)c", "bc", "bc"), ("x" * 500, "x" * 500, "x" * 500),
    ],
)  # fmt: skip
def test_an_expression_finds_the_first_and_longest(source, value, match):
    hit = found(source, value)
    assert (hit and hit[0]) == match


@pytest.mark.parametrize(
    ("source", "value", "match"),
    [
        (r"[]x]", "]", "]"), ("[^]x]", "]y", "y"), (r"[a\]b]", r"x\b]", r"\b]"), (r"[\d]", "5d", "d"), ("[a-c]+", "xabcd", "abc"),
        ("[a-]", "-", "-"), ("[-a]", "-", "-"), ("[--/]", ".", "."), ("[%--]", "+", "+"), ("[[:alpha:]]+", "1ab2", "ab"),
        ("[^[:lower:]]+", "abCD", "CD"), ("[[:digit:][:upper:]_]+", "aA_9z", "A_9"), ("[:alpha:]", "b:", ":"),
        ("[[.a.]]", "a", "a"), ("[[=a=]]", "a", "a"), ("[a-[.z.]]", "m", "m"), ("[[.-.]]", "-", "-"), ("[[]", "[", "["),
        ("[.]", "a.", "."), ("[[:punct:]]", "a~", "~"), ("[[:space:]]", "a\tb", "\t"), ("[[:xdigit:]]+", "xFa0g", "Fa0"),
        ("[[:cntrl:]]", "a\x7f", "\x7f"), ("[[:blank:]]", "a b", " "), ("[[:graph:]]", " é!", "!"), ("[[:print:]]", "\x01 ", " "),
        ("[[:alnum:]]", "-1", "1"), ("[a*.(]", "(", "("),
    ],
)  # fmt: skip
def test_brackets_are_those_of_posix(source, value, match):
    hit = found(source, value)
    assert (hit and hit[0]) == match


@pytest.mark.parametrize(
    ("source", "value", "match"),
    [
        ("^.$", "é", None), ("^..$", "é", "é"), ("^[é]$", "é", "é"), ("^[äöü]+$", "üöä", "üöä"), ("[ä]", "ß", None), ("^[à-ü]$", "é", "é"),
        ("^[^ä]$", "ö", "ö"), ("^[^ä]$", "ä", None), ("^[^äx]$", "x", None), ("^[^ä]$", "a", "a"), ("^é+$", "ééé", "ééé"), ("é{2}", "ééé", "éé"),
        ("^[一-龥]{2}$", "中文", "中文"), ("^[\u0100-\U0001ffff]$", "\U0001f600", "\U0001f600"), ("\udcff", "a\udcff", "\udcff"),
        ("^[\udcff]$", "\udcff", "\udcff"), ("^[^ä]$", "\udcff", "\udcff"), ("[^a]+", "a\udcff", "\udcff"), ("^[^a]$", "é", None),
    ],
)  # fmt: skip
def test_characters_beyond_ascii_are_whole_and_dots_are_octets(source, value, match):
    hit = found(source, value)
    assert (hit and hit[0]) == match


@pytest.mark.parametrize(
    ("source", "value", "match"),
    [
        (r"\w+", "-a_1-", "a_1"), (r"\W", "a-", "-"), (r"\d+", "a12", "12"), (r"\D", "1a", "a"), (r"\sb", "a b", " b"), (r"\S+", " ab ", "ab"),
        (r"\bfoo\b", "a foo b", "foo"), (r"\bfoo\b", "afoo", None), (r"\<foo\>", "a foo b", "foo"), (r"\Bb", "ab", "b"), (r"\`a", "ba", None),
        (r"a\'", "ab", None), (r"(?:ab)+c", "ababc", "ababc"), ("(?i)ab", "AB", "AB"), (r"\t\n", "\t\n", "\t\n"),
    ],
)  # fmt: skip
def test_what_posix_leaves_undefined_has_the_meaning_that_people_expect(source, value, match):
    hit = found(source, value)
    assert (hit and hit[0]) == match


@pytest.mark.parametrize(
    ("source", "value", "groups"),
    [
        (r"^\[(.*)\] (.*)$", "[acme-users] [fwd] version 1.0", ["acme-users] [fwd", "version 1.0"]),
        ("(a|ab)(c|bcd)(d*)", "abcd", ["a", "bcd", ""]), ("(.*)(.*)", "abc", ["abc", ""]), ("(a*)+", "aaa", ["aaa"]), ("(a|b)*", "abab", ["b"]),
        ("(a)(b)?", "a", ["a", ""]), ("((a)(b))", "ab", ["ab", "a", "b"]), ("(?:a)(b)", "ab", ["b"]),
    ],
)  # fmt: skip
def test_groups_are_counted_by_their_openings_and_take_what_they_can(source, value, groups):
    assert found(source, value)[1:] == groups


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("*a", "nothing stands before '*'"), ("+a", "nothing"), ("?", "nothing"), ("(*a)", "nothing"), ("a|*b", "nothing"), ("^*a", "nothing"), ("$*a", "nothing"), (r"\b{2}", "nothing"),
        ("{1}", "nothing"), ("(a", "'(' is not closed"), ("[a", "'[' is not closed"), ("[", "'[' is not closed"), ("[]", "'[' is not closed"),
        ("[[:alpha:]", "'[' is not closed"), ("[[.a", "'[' is not closed"), ("[a-", "'[' is not closed"), ("[z-a]", "ends before it begins"),
        ("[[:foo:]]", "unknown character class 'foo'"), ("[[:ALPHA:]]", "unknown character class"), ("[[.hyphen.]]", "unknown collating element"),
        ("[a-[:digit:]]", "cannot end a range"), ("[a-c-e]", "must be the first or the last"), ("a{2", "does not begin a repetition"),
        ("a{", "does not begin a repetition"), ("a{x}", "does not begin"), ("a{}", "does not begin"), ("a{,}", "does not begin"), ("a{3,2}", "wrong way round"),
        ("a{1001}", "the limit is 1000"), ("(a{100}){11}", "the limit is 1000"), ("a\\", "quotes nothing"), (r"(a)\1", "back-reference"),
        ("(?=a)", "no extended regular expression"), ("(?P<x>a)", "no extended"), ("(" * 101 + ")" * 101, "nested too deeply"),
        ("a" + "{1}" * 11, "too many repetitions"), ("(.{100}b){10}" * 20, "too large"), ("x" * 70_000, "too long"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(source, fault):
    with pytest.raises(ValueError, match=re.escape(fault)):
        patterns.check(source, Case.ASCII)


@pytest.mark.parametrize(
    ("source", "value", "case", "hit"),
    [
        ("abc", "ABC", Case.EXACT, False), ("abc", "ABC", Case.ASCII, True), ("É", "é", Case.ASCII, False), ("É", "é", Case.UNICODE, True),
        ("[a-c]", "B", Case.ASCII, True), ("[^a]", "A", Case.ASCII, False), ("[[:lower:]]", "A", Case.ASCII, True), ("^[^[:lower:]]+$", "ABC", Case.ASCII, False),
        ("^[^[:lower:]]+$", "ABC", Case.EXACT, True), ("[é]", "É", Case.UNICODE, True), ("k", "\u212a", Case.ASCII, False), ("(?i)a", "A", Case.EXACT, True),
        ("Ã", "ã", Case.ASCII, False), ("ß", "ẞ", Case.UNICODE, False), ("a", "A", Case.UNICODE, True),
    ],
)  # fmt: skip
def test_case_counts_as_the_comparator_says(source, value, case, hit):
    assert (found(source, value, case) is not None) is hit


def test_whatever_can_be_translated_the_engine_compiles():
    marks = [
        *"ab()|*+?.^$[]-{}\\,:=1é€",
        "[^",
        "[:alpha:]",
        "{2}",
        "{2,3}",
        "{10,}",
        "{0}",
        "\\w",
        "\\b",
        "(?:",
        "à-ü]",
        "[é]",
        "\udcff",
    ]
    chance, good = random.Random(3), 0
    for _ in range(4_000):
        source = "".join(chance.choice(marks) for _ in range(chance.randint(1, 12)))
        case = chance.choice(list(Case))
        try:
            translate(source, case)
        except ValueError:
            continue
        patterns.pattern(source, case).search(b"ab \xc3\xa9")
        good += 1
    assert good > 500


def test_the_largest_patterns_that_are_allowed_compile():
    for source in ("." * 24_000, "[à-ü]{1000}", "(a?){1000}a{1000}", "(x{1,30}){1,30}"):
        assert patterns.pattern(source, Case.ASCII).weight >= 1


def test_what_is_remembered_is_bounded():
    for number in range(60):
        patterns.pattern("." * 3_000 + str(number), Case.EXACT)
    assert patterns._used <= patterns._ROOM
    assert sum(size for _, size in patterns._known.values()) == patterns._used
    assert patterns.pattern("." * 3_000 + "59", Case.EXACT) is patterns.pattern("." * 3_000 + "59", Case.EXACT)
