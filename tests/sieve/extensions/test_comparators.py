import pytest

from sievemda.sieve.extensions.comparators import AsciiNumeric
from tests.sieve.trying import holds, problems


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("0", "1", -1), ("1", "4294967298", -1), ("4294967298", "04294967298", 0), ("4294967298", "4294967298b", 0),
        ("04294967298", "", -1), ("", "x", 0), ("x", "y", 0), ("10", "9", 1), ("-5", "3", 1), ("9" * 6000, "8" * 6000, 1),
        ("00", "0", 0), (" 1", "1", 1), ("٣", "x", 0),
    ],
)  # fmt: skip
def test_numbers_compare_as_rfc_4790_says(one, other, order):
    numeric = AsciiNumeric()
    assert (numeric.fold(one) == numeric.fold(other)) is (order == 0)
    assert (numeric.rank(one) > numeric.rank(other)) - (numeric.rank(one) < numeric.rank(other)) == order


def test_a_header_is_compared_as_a_number():
    message = b"X-Count: 007 bonds\n\n"
    numeric = "comparator-i;ascii-numeric"
    assert holds('header :comparator "i;ascii-numeric" "x-count" "7"', message, require=numeric)
    assert not holds('header :comparator "i;ascii-numeric" "x-count" "70"', message, require=numeric)


@pytest.mark.parametrize("match", ["contains", "matches"])
def test_numbers_have_no_substrings(match):
    script = f'require "comparator-i;ascii-numeric"; if header :comparator "i;ascii-numeric" :{match} "a" "1" {{}}'
    (problem,) = problems(script)
    assert problem.endswith(f"comparator 'i;ascii-numeric' cannot be used with match type ':{match}'")
