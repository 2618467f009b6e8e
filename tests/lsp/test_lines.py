"""Positions of the protocol: units of the agreed encoding, and the line ends that the protocol knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position

from sievemda.lsp.lines import Lines, whole

MAIL = "📫"  # two units of UTF-16, four of UTF-8
TEXT = f"a{MAIL}b\r\né\rc\n\n{MAIL}"


@pytest.mark.parametrize(
    ("encoding", "units"), [("utf-8", [0, 1, 5, 6]), ("utf-16", [0, 1, 3, 4]), ("utf-32", [0, 1, 2, 3])]
)
def test_characters_are_units_of_the_encoding(encoding, units):
    lines = Lines(TEXT, encoding)
    assert [lines.position(offset).character for offset in range(4)] == units
    assert [lines.offset(Position(0, unit)) for unit in units] == [0, 1, 2, 3]


def test_a_unit_within_a_character_is_its_beginning():
    assert Lines(TEXT, "utf-16").offset(Position(0, 2)) == 1
    assert Lines(TEXT, "utf-8").offset(Position(0, 3)) == 1


def test_lines_end_at_each_of_the_three_line_ends():
    lines = Lines(TEXT)
    assert [lines.offset(Position(line, 0)) for line in range(5)] == [0, 5, 7, 9, 10]


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_other_line_ends_of_unicode_end_no_line(end):
    lines = Lines(f"a{end}b\nc")
    assert lines.position(2) == Position(0, 2)
    assert lines.position(4) == Position(1, 0)


def test_a_place_between_cr_and_lf_is_the_end_of_the_line():
    assert Lines("ab\r\nc").position(3) == Position(0, 2)


@pytest.mark.parametrize(
    ("position", "offset"),
    [(Position(0, 99), 2), (Position(99, 0), 5), (Position(1, 1), 4)],
)
def test_a_position_that_does_not_exist_is_the_nearest_that_does(position, offset):
    assert Lines("ab\ncd").offset(position) == offset


def test_a_problem_counts_lines_by_lf_and_columns_by_characters():
    lines = Lines(f"a\rb\n{MAIL}x")
    assert lines.told(1, 3) == 2
    assert lines.told(2, 2) == 5
    assert lines.told(99, 1) == 4
    assert lines.told(2, 99) == 6


def test_halves_of_surrogate_pairs_are_replaced_one_for_one():
    assert whole("a\ud800b") == "a\ufffdb"
    assert whole(MAIL) == MAIL


@given(st.text(alphabet="a\r\n\u2028é📫漢", max_size=40), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_every_offset_comes_back(text, encoding):
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        between = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
        assert lines.offset(lines.position(offset)) == (offset - 1 if between else offset)
