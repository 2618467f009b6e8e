"""What an IMAP server answers is understood, and nothing that it says costs more than its bound."""

import io

import pytest

from sievemda.upkeep.importing.imap import answers
from sievemda.upkeep.importing.imap.answers import Answers, BadAnswer, Lost, Stored
from sievemda.upkeep.importing.imap.messages import moment


def read(octets, longest=1 << 20):
    return Answers(io.BytesIO(octets), longest).read()


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b'* LIST (\\HasNoChildren \\Sent) "/" "Sent Items"', [["\\HasNoChildren", "\\Sent"], b"/", b"Sent Items"]),
        (b"* LIST () NIL INBOX", [[], None, "INBOX"]),
        (b'* LIST () "/" "a\\"b\\\\c"', [[], b"/", b'a"b\\c']),
        (b"* LIST () / [Gmail]/Trash", [[], "/", "[Gmail]/Trash"]),
        (b'* LIST () "/" {5}\r\na\r\nbc', [[], b"/", b"a\r\nbc"]),
        (b"* LIST () / {0}\r\n", [[], "/", b""]),
        (b"* SEARCH 1 2 300", ["1", "2", "300"]),
        (b"* SEARCH", []),
        (b"* CAPABILITY IMAP4rev1 AUTH=PLAIN", ["IMAP4rev1", "AUTH=PLAIN"]),
        (b'* NAMESPACE (("" "/")("#mh/" "/")) NIL (())', [[[b"", b"/"], [b"#mh/", b"/"]], None, [[]]]),
    ],
)
def test_a_response_is_its_values(line, values):
    assert read(line + b"\r\n").values == values


def test_a_message_is_in_its_response():
    found = read(
        b'* 12 FETCH (UID 7 FLAGS (\\Seen $Junk) BODY[] {6}\r\nab\r\ncd INTERNALDATE " 1-Feb-2020 10:00:00 +0100")\r\n'
    )
    assert (found.kind, found.number) == ("FETCH", 12)
    assert found.values == [
        ["UID", "7", "FLAGS", ["\\Seen", "$Junk"], "BODY[]", b"ab\r\ncd", "INTERNALDATE", b" 1-Feb-2020 10:00:00 +0100"]
    ]


def test_parts_of_a_message_are_one_word():
    (values,) = read(b'* 1 FETCH (BODY[HEADER.FIELDS (From "To")]<0> "x" BODY[1.2] "y")\r\n').values
    assert values == ['BODY[HEADER.FIELDS (From "To")]<0>', b"x", "BODY[1.2]", b"y"]


def test_a_long_literal_is_a_file():
    content = b"x" * (answers.IN_MEMORY + 1)
    (values,) = read(b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\n" % (len(content), content)).values
    assert isinstance(values[1], Stored)
    assert b"".join(values[1].blocks()) == b"".join(values[1].blocks()) == content


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        (b"* LIST (\r\n", "open"),
        (b"* LIST )\r\n", "not opened"),
        (b"* LIST " + b"(" * 100 + b"\r\n", "without end"),
        (b'* LIST "x\r\n', "no IMAP"),
        (b"* LIST a\0b\r\n", "NUL"),
        (b"* LIST a\0b {1}\r\nx\r\n", "NUL"),
        (b"* 1 FETCH (BODY[] {99999999999999999999}\r\n", "announces"),
        (b"* 1 FETCH (BODY[] {1048577}\r\n", "announces"),
        (b"* X" + b" {1}\r\nx" * 100 + b"\r\n", "too many"),
        (b"hello world\r\n", "no IMAP"),
        (b"* LIST [unclosed\r\n", "no IMAP"),
    ],
)
def test_nonsense_is_refused(octets, what):
    with pytest.raises(BadAnswer, match=what):
        read(octets)


@pytest.mark.parametrize("octets", [b"", b"* LIST", b"* 1 FETCH (BODY[] {10}\r\nabc", b"* 1 FETCH (BODY[] {3}\r\nabc"])
def test_an_end_in_the_middle_is_a_lost_connection(octets):
    with pytest.raises(Lost):
        read(octets)


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(answers, "MAX_LINE", 1000)
    with pytest.raises(BadAnswer, match="more than 1000"):
        read(b"* SEARCH" + b" 1" * 1000 + b"\r\n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"01-Jan-1970 00:00:00 +0000", 0),
        (b" 1-Jan-1970 01:00:00 +0100", 0),
        (b"15-Jul-2021 12:30:00 -0130", 1626357600),
        (b"31-Dec-1969 23:59:59 +0000", -1),
        (b"32-Dec-1969 23:59:59 +0000", None),
        (b"01-Foo-1970 00:00:00 +0000", None),
        (b"yesterday", None),
        ("01-Jan-1970 00:00:00 +0000", None),
        (None, None),
    ],
)
def test_a_date_is_a_moment(text, seconds):
    assert moment(text) == seconds
