"""Sets of numbers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.upkeep.importing.numbers import Numbers


@pytest.mark.parametrize("text", ["", "1", "1:500,502", "7,9,11:12"])
def test_what_is_written_can_be_read(text):
    assert str(Numbers.parse(text)) == text


@pytest.mark.parametrize("text", ["x", "1:", "1,,2", "1:2:3", "-1", "1:*", "9" * 30])
def test_what_is_no_set_is_refused(text):
    with pytest.raises(ValueError, match="no number"):
        Numbers.parse(text)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9))))
def test_it_has_what_was_added_and_nothing_else(ranges):
    numbers, expected = Numbers(), set()
    for first, more in ranges:
        numbers.add(first, first + more)
        expected |= set(range(first, first + more + 1))
    assert {number for number in range(80) if number in numbers} == expected
    assert len(numbers) == len(expected)
    assert str(Numbers.parse(str(numbers))) == str(numbers)
    pairs = list(numbers.ranges())
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(pairs))  # as few as can be
