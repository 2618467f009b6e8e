import mmap
import tempfile

import pytest

from sievemda.mail.edit import find, text_field, with_field, without
from sievemda.mail.header import decode
from sievemda.mail.message import Message

MAIL = b"Subject: s\nX-A: one\nX-B: b\nx-a:  two\n three\n\nbody\n"


def added(data, *, last=False):
    return bytes(with_field(Message(data), "X-New", "v", last=last).data)


def test_a_field_is_put_before_all_others():
    assert added(MAIL) == b"X-New: v\n" + MAIL


def test_a_field_is_put_behind_all_others():
    assert added(MAIL, last=True) == MAIL.replace(b"\n\n", b"\nX-New: v\n\n")


@pytest.mark.parametrize(
    ("data", "first", "last"),
    [
        (b"", b"X-New: v\n", b"X-New: v\n"),
        (b"\nbody", b"X-New: v\n\nbody", b"X-New: v\n\nbody"),
        (b"A: a", b"X-New: v\nA: a", b"A: a\nX-New: v\n"),
        (b"A: a\n", b"X-New: v\nA: a\n", b"A: a\nX-New: v\n"),
        (b"A: a\n\n", b"X-New: v\nA: a\n\n", b"A: a\nX-New: v\n\n"),
        (b" blank\nA: a\n\nb", b" blank\nX-New: v\nA: a\n\nb", b" blank\nA: a\nX-New: v\n\nb"),
        (b" blank", b" blank\nX-New: v\n", b" blank\nX-New: v\n"),
        (b"rubbish\nA: a\n\nb", b"X-New: v\nrubbish\nA: a\n\nb", b"rubbish\nA: a\nX-New: v\n\nb"),
    ],
)
def test_a_header_that_is_not_as_it_should_be_takes_a_field_too(data, first, last):
    assert added(data) == first
    assert added(data, last=True) == last


def test_fields_are_found_by_their_name_with_their_folds():
    assert [field.raw for field in find(Message(MAIL), "X-a")] == [b" one", b"  two\n three"]


def test_fields_are_taken_out_and_all_else_stays():
    message = Message(MAIL)
    assert bytes(without(message, find(message, "x-A")).data) == b"Subject: s\nX-B: b\n\nbody\n"


@pytest.mark.parametrize(
    ("data", "left"),
    [(b"A: a", b""), (b"A: a\n\nb", b"\nb"), (b"x\nA: a\n b\ny\n\nb", b"x\ny\n\nb"), (b"B: b\nA: a", b"B: b\n")],
)
def test_a_header_that_is_not_as_it_should_be_loses_a_field_too(data, left):
    message = Message(data)
    assert bytes(without(message, find(message, "a")).data) == left


def test_the_body_of_a_file_is_not_copied_for_an_edit():
    with tempfile.TemporaryFile() as file:
        file.write(b"A: a\n\n" + b"x" * 100_000)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            edited = with_field(Message(data), "B", "b", last=False)
            assert edited.head == b"B: b\nA: a\n\n"
            assert edited.stored_size == 100_011
            assert edited._data is None


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("v", b"X: v\n"), ("", b"X: \n"), ("  v  ", b"X: v\n"), ("a  b\tc", b"X: a  b\tc\n"), ("a\nb", b"X: a b\n"),
        ("a \r\n\r\n  b", b"X: a b\n"), ("é", b"X: =?utf-8?B?w6k=?=\n"), ("\udcff", b"X: =?utf-8?B?77+9?=\n"),
        ("a\x07", b"X: =?utf-8?B?YQc=?=\n"),
    ],
)  # fmt: skip
def test_a_value_is_written_so(value, field):
    assert text_field("X", value) == field


@pytest.mark.parametrize(
    "value",
    [
        "word " * 100 + "end", "w" * 500, "w" * 2000, "a  b" * 100, "é" * 500, "héllo wörld " * 60 + "x", "=?utf-8?q?foo?= bar",
        "a\x07b", "tab\there", " ".join(["x" * 75] * 5), "a " * 30 + "  " + "b " * 30 + "c", "\U0001f600 " * 40 + "x",
        "\t" * 1500 + "a", "日本語 " * 50 + "x",
    ],
)  # fmt: skip
def test_a_value_is_read_again_as_it_was_and_no_line_is_too_long(value):
    field = text_field("X-Long", value)
    assert decode(field.partition(b":")[2].removesuffix(b"\n")) == value.strip()
    assert all(len(line) <= 998 for line in field.split(b"\n"))
    assert field.isascii()


def test_long_text_is_folded_near_78_columns():
    lines = text_field("X", "word " * 100).split(b"\n")
    assert len(lines) == 8
    assert max(map(len, lines)) == 77
