import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import actions, failure, filed, hints, holds, outcome, problems

FWD = b"Subject: [acme-users] [fwd] version 1.0 is out\nList-ID: Users <users@lists.acme.example>\nX-N: 007\n\nbody\n"


def test_a_value_matches_where_the_expression_is_found_in_it():
    assert holds('header :regex "subject" "fwd"', FWD, "regex")
    assert holds('header :regex "subject" ["nothing", "VERSION [0-9.]+"]', FWD, "regex")
    assert not holds('header :regex "subject" "^fwd"', FWD, "regex")
    assert not holds('header :regex "x-missing" ""', FWD, "regex")


def test_case_counts_as_the_comparator_says():
    assert not holds('header :regex :comparator "i;octet" "subject" "FWD"', FWD, "regex")
    assert holds('header :regex :comparator "i;ascii-casemap" "subject" "FWD"', FWD, "regex")
    assert holds('header :regex :comparator "i;unicode-casemap" "subject" "É"', "Subject: é\n\n".encode(), "regex")


def test_every_test_with_a_match_type_has_it():
    assert holds('address :regex :domain "from" "^desert\\\\."', require="regex")
    assert holds('envelope :regex "to" "^road.*@"', require="regex envelope")
    assert holds('string :regex "abc" "^a.c$"', require="regex variables")
    assert holds('date :regex :originalzone "date" "year" "^19"', require="regex date")


def test_match_variables_are_the_match_and_its_groups():
    script = """require ["regex", "variables", "fileinto"];
        if header :regex "subject" "\\\\[([a-z]+)(-[a-z]+)?(x)?\\\\]" { fileinto "${0}/${1}/${2}/${3}."; }"""
    assert actions(script, FWD) == [filed("[acme-users]/acme/-users/.")]


def test_comparing_ends_with_the_first_value_and_key_that_match():
    script = """require ["regex", "variables", "fileinto"];
        if header :regex ["x-n", "subject"] ["q(.)", "0(.)", "(7)"] { fileinto "${1}"; }"""
    assert actions(script, FWD) == [filed("0")]


def test_match_variables_keep_their_values_when_nothing_matches():
    script = """require ["regex", "variables", "fileinto"];
        if header :regex "x-n" "(.)" { if not header :regex "x-n" "(a)" { fileinto "${1}"; } }"""
    assert actions(script, FWD) == [filed("0")]


def test_there_are_no_more_match_variables_than_can_be_named():
    script = f"""require ["regex", "variables", "fileinto"];
        if string :regex "{"a" * 40}" "{"(a)" * 40}" {{ fileinto "${{32}}"; }}"""
    assert actions(script) == [filed("a")]


def test_octets_that_are_no_utf8_can_be_matched():
    mail = b"Subject: caf\xe9\n\n"
    assert holds('header :regex "subject" "^caf.$"', mail, "regex")
    script = (
        'require ["regex", "variables"]; if header :regex "subject" "f(.)" { if string "${1}" "${1}" { discard; } }'
    )
    assert actions(script, mail) == [{"action": "discard"}]


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "a{2", "[[:foo:]]", "a\\\\", "(a)\\\\1"])
def test_a_wrong_constant_is_an_error_when_compiling(pattern):
    (found,) = problems(f'require "regex"; if header :regex "subject" ["a", "{pattern}"] {{ stop; }}')
    assert "invalid regular expression" in found


def test_numbers_cannot_be_matched():
    script = 'require ["regex", "comparator-i;ascii-numeric"]; if header :regex :comparator "i;ascii-numeric" "x" "1" { stop; }'
    (found,) = problems(script)
    assert "comparator 'i;ascii-numeric' cannot be used with match type ':regex'" in found


def test_it_needs_the_capability():
    assert 'add require ["regex"]' in hints('if header :regex "subject" "a" { stop; }')[0]
    assert problems('require ["variables"]; set :quoteregex "a" "b";')


def test_a_wrong_pattern_in_a_variable_matches_nothing_and_is_noted():
    script = """require ["regex", "variables", "fileinto"]; set "p" "(";
        if header :regex "subject" "${p}" { fileinto "one"; }
        if header :regex "subject" ["${p}", "fwd"] { fileinto "two"; }"""
    found = outcome(script, FWD)
    assert found.failure is None
    assert [effect.mailbox for effect in found.effects] == ["two"]
    assert "invalid regular expression '('" in found.notes[0].text


@pytest.mark.parametrize("pattern", ["(x+x+)+y", "(x?){500}x{500}y", "(.*)(.*)(.*)(.*)(.*)y", "(x|xx|xxx)*y"])
def test_hostile_patterns_end_in_time(pattern):
    mail = b"Subject: " + b"x" * 20_000 + b"\n\n"
    found = outcome(f'require "regex"; if header :regex "subject" "{pattern}" {{ discard; }}', mail)
    assert found.implicit_keep


def test_the_work_for_hostile_patterns_is_charged():
    mail = b"Subject: " + b"x" * 500_000 + b"\n\n"
    script = 'require "regex"; if header :regex "subject" "(x?){900}x{900}y" { discard; }'
    assert "too much text to compare" in failure(script, mail)
    many = 'if header :regex "subject" "[\u00e0-\u00fc]{1000}" { discard; }' * 4_000
    assert "too much text to compare" in failure(f'require "regex"; {many}', b"Subject: a\n\n")


# -- :quoteregex ---------------------------------------------------------------------------------------------------


def quoted(value, modifiers=":quoteregex", limits=None):
    script = f'require ["regex", "variables", "fileinto"]; set {modifiers} "v" "{value}"; fileinto "-${{v}}";'
    (found,) = actions(script, limits=limits)
    return found["mailbox"][1:]


def test_every_character_with_a_special_meaning_is_quoted():
    assert quoted(".[\\\\()*+?{|^$") == "\\.\\[\\\\\\(\\)\\*\\+\\?\\{\\|\\^\\$"


def test_all_other_characters_stay():
    assert quoted("aB9-_/@ é") == "aB9-_/@ é"


@pytest.mark.parametrize("text", ["a.b*c?d[e]f(g)h{i}j^k$l|m+n\\o-p", "{2}", "^a$", "[[:alpha:]]", "(?i)a", "100% (é)"])
def test_what_is_quoted_matches_itself_and_nothing_else(text):
    written = text.replace("\\", "\\\\")
    script = f"""require ["regex", "variables"]; set "t" "{written}"; set :quoteregex "q" "${{t}}";
        if allof(string :regex "x${{t}}y" "x${{q}}y", not string :regex "xay" "x${{q}}y") {{ discard; }}"""
    assert actions(script) == [{"action": "discard"}]


def test_modifiers_of_higher_precedence_come_first():
    assert quoted("a.b", ":quoteregex :upper") == "A\\.B"
    assert quoted("a.b", ":length :quoteregex") == "4"


def test_it_has_the_precedence_of_quotewildcard():
    (found,) = problems('require ["regex", "variables"]; set :quoteregex :quotewildcard "a" "b";')
    assert "modifier of precedence 20" in found


def test_a_cut_never_parts_a_backslash_from_what_it_quotes():
    assert quoted("." * 20, limits=Limits(variable_size=9)) == "\\." * 4


# -- the examples of the drafts --------------------------------------------------------------------------------------


def test_example_of_section_7_1():
    script = """require ["fileinto", "regex", "variables"];
        if header :regex "List-ID" "<(.*)@" {
            fileinto "lists.${1}"; stop;
        }"""
    assert actions(script, FWD) == [filed("lists.users")]


def test_example_of_section_7_1_takes_as_much_as_it_can():
    script = """require ["fileinto", "regex", "variables"];
        if header :regex "Subject" "^\\\\[(.*)\\\\] (.*)$" { fileinto "${1}|${2}"; }"""
    assert actions(script, FWD) == [filed("acme-users] [fwd|version 1.0 is out")]


UNSOLICITED = """require "regex";
if anyof (
  not address :regex ["to", "cc", "bcc"] "me(\\\\+.*)?@company\\\\.com",
  header :regex :comparator "i;octet" "subject" "^[^[:lower:]]+$" ) {
  discard;
}"""


@pytest.mark.parametrize(
    ("to", "subject", "junk"),
    [
        ("me@company.com", "Hello", False), ("me+list@company.com", "Hello", False), ("you@company.com", "Hello", True),
        ("me@companyXcom", "Hello", True), ("me@company.com", "BUY NOW!", True),
    ],
)  # fmt: skip
def test_example_of_section_8(to, subject, junk):
    (found,) = actions(UNSOLICITED, f"To: {to}\nSubject: {subject}\n\n".encode())
    assert (found["action"] == "discard") is junk


NEWSLETTER = (
    b"From: news@shop.example\nSubject: x\n\n" + b"Dear reader, visit http://shop.example/offer today!\n" * 10_000
)
ORDINARY = [
    r"(viagra|cialis|lottery|winner|prize)[^a-z]{1,10}[0-9]+", r"[a-z]+@[a-z.]+\\.(ru|cn|top)", r"(.*)@example\\.com",
    r"https?://[^/ ]*\\.(xyz|top|click)/[^ ]*\\?", r"\\bfree\\b.*\\bmoney\\b", r"[0-9]{3}-[0-9]{3}-[0-9]{4}x",
    r"(hello|hi) +(friend|sir|madam|customer)", "(" + "|".join(f"word{n}" for n in range(500)) + ")",
]  # fmt: skip


def test_ordinary_patterns_over_half_a_megabyte_of_text_stay_far_from_the_limit():
    keys = ", ".join(f'"{pattern}"' for pattern in ORDINARY)
    assert not holds(f"body :regex [{keys}]", NEWSLETTER, "regex body")


@pytest.mark.parametrize("pattern", ["(x*)" * 90, "(x)?" * 900 + "y", ".*x.{900}y", "(((((x)|(y))*)|((x)|(y))*)*)*"])
def test_many_groups_and_open_places_are_charged_for(pattern):
    test = f'if header :regex "subject" "{pattern}" {{ discard; }}\n'
    found = outcome('require "regex";\n' + test * 100, b"Subject: " + b"x" * 30_000 + b"\n\n")
    assert "too much text to compare" in found.failure.text


def test_there_are_as_many_groups_as_match_variables():
    script = 'require ["regex", "variables", "fileinto"]; if header :regex "subject" "%s" { fileinto "${32}"; }'
    assert actions(script % ("(.)" * 40), b"Subject: " + bytes(range(65, 91)) * 2 + b"\n\n") == [filed("F")]
