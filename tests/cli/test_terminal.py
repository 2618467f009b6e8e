import io

import pytest

from sievemda.cli.terminal import Screen, clean, columns, screen


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_lines_are_broken_at_blanks_and_indented():
    assert list(Screen(width=30).wrapped("one two three four five six seven", 4)) == [
        "    one two three four five",
        "    six seven",
    ]


def test_what_has_no_blank_is_broken_where_the_line_ends():
    assert list(Screen(width=24).wrapped("x" * 45, 4)) == ["    " + "x" * 20, "    " + "x" * 20, "    " + "x" * 5]


def test_wide_characters_take_two_columns_and_combining_ones_none():
    assert (columns("abc"), columns("日本"), columns("e\u0301")) == (3, 4, 1)
    assert [line.strip() for line in Screen(width=24).wrapped("日" * 15, 4)] == ["日" * 10, "日" * 5]


def test_without_a_width_a_line_stays_one():
    assert list(Screen().wrapped("a b " * 100, 2)) == ["  " + "a b " * 100]


def test_what_does_not_fit_is_cut_and_says_so():
    assert Screen(width=10).cut("0123456789") == "0123456789"
    assert Screen(width=10).cut("0123456789x") == "012345678…"
    assert columns(Screen(width=10).cut("日本語日本語")) <= 10
    assert Screen().cut("x" * 200) == "x" * 200


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\rb", "\x9b31m", "\u202eabc", "\u2028", "\udcff\udcfe", "\ud800", "\x00"]
)
def test_nothing_that_moves_the_cursor_is_left(text):
    cleaned = clean(text)
    assert cleaned.isprintable()
    cleaned.encode("utf-8")


@pytest.mark.parametrize(
    ("color", "environment", "expected"),
    [
        ("auto", {}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"NO_COLOR": ""}, True),
        ("auto", {"TERM": "dumb"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {}, False),
    ],
)
def test_who_decides_on_colours_of_a_terminal(monkeypatch, color, environment, expected):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert screen(color, Terminal()).colours is expected


def test_what_is_no_terminal_has_no_colours_unless_it_must_and_no_width(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert screen("auto", io.StringIO()) == Screen(False, 0)
    assert screen("always", io.StringIO()).colours
    assert Screen(colours=True).style("x", fg="red") == "\x1b[31mx\x1b[0m"
    assert Screen().style("x", fg="red") == "x"
