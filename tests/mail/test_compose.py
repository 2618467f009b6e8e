import email.header

import pytest

from sievemda.mail.address import Address
from sievemda.mail.compose import encoded_words, field, mailbox, structured, text_part


def read_back(raw):
    _name, _, value = raw.decode("ascii").partition(": ")
    return str(email.header.make_header(email.header.decode_header(value.rstrip("\n"))))


@pytest.mark.parametrize(
    "text", ["short", "grün", "ü" * 200, "📬" * 50, "a ü b", "=?utf-8?q?kept?=", "", "x" * 60], ids=len
)
def test_a_field_reads_back_as_it_was_meant(text):
    raw = field("Subject", text)
    assert raw.isascii()
    assert all(len(line) <= 78 for line in raw.split(b"\n"))
    assert read_back(raw) == text.replace("=?utf-8?q?kept?=", "kept")


def test_long_ascii_is_folded_at_blanks():
    raw = field("Subject", "word " * 40)
    assert all(len(line) <= 78 for line in raw.split(b"\n"))
    assert raw.replace(b"\n ", b" ") == b"Subject: " + b"word " * 39 + b"word\n"


@pytest.mark.parametrize(
    "evil", ["a\nBcc: x@y", "a\r\nBcc: x@y", "a\rBcc: x@y", "a\x00b", "a\u2028b", "a\x85b", "ü\nBcc: x"]
)
def test_no_value_begins_a_new_field(evil):
    raw = field("Subject", evil)
    assert raw.count(b"\n") == 1 + raw.count(b"\n ")
    assert b"\nBcc" not in raw
    assert structured("From", [evil]).count(b"\n") == 1


@pytest.mark.parametrize("length", [980, 990, 998, 1_500])
@pytest.mark.parametrize("letter", ["a", "ä", "\U0001f600"])
@pytest.mark.parametrize("before", [[], ["<1@a>"], ["ä" * 30]])
def test_no_line_is_longer_than_a_mail_may_have_it(before, letter, length):
    """RFC 5322 §2.1.1: 998 octets with all that is in front of a word that cannot be broken."""
    written = structured("References", [*before, letter * length])
    assert max(map(len, written.split(b"\n"))) <= 998
    assert max(map(len, field("X" * 100, letter * length).split(b"\n"))) <= 998
    assert written.decode().replace("\n", "").count(letter) > 200


def test_words_are_of_whole_characters_and_no_longer_than_75():
    words = encoded_words("aü📬" * 40)
    assert all(len(word) <= 75 for word in words)
    assert "".join(str(email.header.make_header(email.header.decode_header(word))) for word in words) == "aü📬" * 40


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("", "a@b"), ("A B", "A B <a@b>"), ("A. B", '"A. B" <a@b>'), ('A "B"', '"A \\"B\\"" <a@b>'),
     ("Jürgen", "=?utf-8?B?SsO8cmdlbg==?= <a@b>"), ("A\nB", "A B <a@b>")],
)  # fmt: skip
def test_a_mailbox_with_its_phrase(phrase, expected):
    assert mailbox(phrase, Address("a", "b")) == expected


@pytest.mark.parametrize(
    ("text", "encoding", "body"),
    [
        ("plain", b"7bit", b"plain\n"),
        ("a\r\nb\r\n", b"7bit", b"a\nb\n"),
        ("grün", b"quoted-printable", b"gr=C3=BCn\n"),
        ("a\0b", b"7bit", b"ab\n"),
        ("\udcff", b"quoted-printable", b"=EF=BF=BD\n"),
    ],
)
def test_a_text_part(text, encoding, body):
    head, _, found = text_part(text).partition(b"\n\n")
    assert head.endswith(b"Content-Transfer-Encoding: " + encoding)
    assert found == body


def test_long_lines_are_never_sent():
    assert max(len(line) for line in text_part("x" * 5000).split(b"\n")) <= 78
