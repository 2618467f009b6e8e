import unicodedata

import pytest

from sievemda.sieve.extensions.unicode_casemap import UnicodeCasemap
from tests.sieve.trying import actions, filed, holds, problems

CASEMAP = UnicodeCasemap()
USE = ':comparator "i;unicode-casemap"'


def subject(text):
    return f"Subject: {text}\n\n".encode("utf-8", "surrogateescape")


def test_example_of_section_2_a_letter_becomes_titlecase_and_is_decomposed():
    assert CASEMAP.fold("\u01c4") == "\u0044\u007a\u030c"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("école", "ÉCOLE"), ("école", "e\u0301cole"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("привет", "ПРИВЕТ"),
        ("Ⅷ", "VIII"), ("①", "1"), ("\u212a", "k"), ("ǆ", "ǅ"), ("\uff41", "A"), ("가", "\u1100\u1161"),
    ],
)  # fmt: skip
def test_strings_are_equal_but_for_case_and_composition(one, other):
    assert CASEMAP.fold(one) == CASEMAP.fold(other)


def test_what_a_letter_is_decomposed_into_is_not_titlecased():
    assert CASEMAP.fold("ﬁsh") == "fiSH"


@pytest.mark.parametrize(("one", "other"), [("ß", "ss"), ("A", "\u0391"), ("e", "é"), ("i\u0307", "i")])
def test_strings_are_different(one, other):
    assert CASEMAP.fold(one) != CASEMAP.fold(other)


def test_a_string_that_is_no_utf8_is_compared_as_it_is():
    assert CASEMAP.fold("caf\udce9É") == "caf\udce9É"
    assert holds(f'header {USE} "subject" "${{hex:ff}}a"', subject("\udcffa"), "encoded-character")
    assert not holds(f'header {USE} "subject" "${{hex:ff}}A"', subject("\udcffa"), "encoded-character")


def test_it_needs_no_require_and_may_be_required():
    assert holds(f'header {USE} "subject" "ÜBER"', subject("über"))
    assert holds(f'header {USE} "subject" "ÜBER"', subject("=?utf-8?q?=C3=BCber?="), "comparator-i;unicode-casemap")
    assert not problems('require "comparator-i;unicode-casemap";', available=frozenset())


def test_it_has_substrings():
    assert holds(f'header :contains {USE} "subject" "ÜB"', subject("darüber"))
    assert holds(f'header :contains {USE} "subject" "U"', subject("darüber"))  # what `ü` is decomposed into


def test_it_orders():
    assert holds(f'header :value "lt" {USE} "subject" "ÖL"', subject("öd"), "relational")
    assert not holds(f'header :value "lt" {USE} "subject" "öd"', subject("ÖL"), "relational")


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("darÜber", "*ü*"), ("é", "??"), ("É", "é"), ("Straße", "stra??e"), ("ÉCOLE", "é?ole"), ("Österreich", "öst*"),
        ("\udcffX", "?X"), ("ǅx", "ǆx"),
    ],
)  # fmt: skip
def test_wildcards_take_octets_of_the_value(value, key):
    assert holds(f'header :matches {USE} "subject" "{key}"', subject(value))


@pytest.mark.parametrize(("value", "key"), [("é", "?"), ("é", "???"), ("ab", "É*"), ("\udcffx", "??X")])
def test_patterns_that_do_not_match(value, key):
    assert not holds(f'header :matches {USE} "subject" "{key}"', subject(value))


def test_match_variables_hold_the_value_as_it_is():
    script = f"""require ["variables", "fileinto"];
        if header :matches {USE} "subject" "ÉCOLE *: *" {{ fileinto "${{1}}/${{2}}"; }}"""
    assert actions(script, subject("école Été: où")) == [filed("Été/où")]


def test_every_character_is_prepared():
    for code in range(0x20, 0x30000, 7):
        if not 0xD800 <= code < 0xE000:
            prepared = CASEMAP.fold(chr(code))
            assert unicodedata.normalize("NFKD", prepared) == prepared
            assert len(CASEMAP.cells(chr(code))) == len(chr(code).encode())


def test_a_flood_of_accents_takes_linear_time():
    flood = "\u0323\u0301" * 200_000
    assert len(CASEMAP.fold(flood)) == len(flood)
