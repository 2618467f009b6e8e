import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.sieve.glob import glob
from tests.sieve.steps import steps

TEXT = st.text(alphabet="ab*?\\", max_size=12)


def slow(pattern, value):
    """The same by a backtracking regular expression, with what each wildcard took."""
    source = ""
    for escaped, special, plain in re.findall(r"\\(.)|([*?])|([^*?\\]|\\)", pattern, re.DOTALL):
        source += {"*": "(.*?)", "?": "(.)"}[special] if special else re.escape(escaped or plain)
    found = re.fullmatch(source, value, re.DOTALL)
    return None if found is None else list(found.groups())


@given(pattern=TEXT, value=st.text(alphabet="ab*?\\", max_size=20))
def test_it_matches_what_a_backtracking_matcher_does(pattern, value):
    spans = glob(pattern).match(value)
    assert (None if spans is None else [value[a:b] for a, b in spans]) == slow(pattern, value)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("", "", True), ("", "a", False), ("*", "", True), ("?", "", False), ("a\\", "a\\", True), ("\\a", "a", True),
        ("\\*", "*", True), ("\\*", "x", False), ("\\\\", "\\", True), ("a*a", "a", False), ("ab*ba", "aba", False),
        ("*\n*", "a\nb", True), ("?", "\n", True),
    ],
)  # fmt: skip
def test_corner_cases(pattern, value, expected):
    assert (glob(pattern).match(value) is not None) is expected


@pytest.mark.parametrize("pattern", ["*a" * 200 + "b", "*?a" * 50 + "b", "a" * 200 + "*b", "*" * 400 + "b"])
def test_patterns_made_to_be_slow_are_not(pattern):
    compiled = glob(pattern)
    count, found = steps(lambda: compiled.match("a" * 20_000))
    assert found is None
    assert count < 5_000
