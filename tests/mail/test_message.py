import mmap

import pytest

from sievemda.mail.address import Address
from sievemda.mail.message import Field, Message

ORDINARY = b"From: a@b\nSubject: one\n two\nX-Empty:\nsubject :three\n\nbody\n\nmore\n"


def test_a_message_keeps_its_bytes():
    message = Message(ORDINARY)
    assert message.data is ORDINARY
    assert message.data[message.header_end :] == b"body\n\nmore\n"
    assert message.stored_size == len(ORDINARY)
    assert message.size == len(ORDINARY) + ORDINARY.count(b"\n")


def test_fields_stand_in_order_as_they_came():
    assert Message(ORDINARY).fields == (
        Field("From", b" a@b"), Field("Subject", b" one\n two"), Field("X-Empty", b""), Field("subject", b"three"),
    )  # fmt: skip
    assert Message(ORDINARY).fields[1].value == "one two"


def test_values_are_found_by_name_whatever_its_case():
    message = Message(ORDINARY)
    assert message.values("SUBJECT") == ("one two", "three")
    assert message.raw_values("Subject") == (b" one\n two", b"three")
    assert message.values("x-empty") == ("",)
    assert message.values("x-none") == message.raw_values("x-none") == ()


@pytest.mark.parametrize("name", ["", "subject:", "sub ject", "ünï", "subject\n", "*"])
def test_an_impossible_name_has_no_values(name):
    assert Message(ORDINARY).values(name) == ()


@pytest.mark.parametrize(
    ("data", "header_end", "values"),
    [
        (b"", 0, ()),
        (b"\n", 1, ()),
        (b"\nSubject: body\n", 1, ()),
        (b"Subject: x", 10, ("x",)),
        (b"Subject: x\n", 11, ("x",)),
        (b"Subject: x\n\n", 12, ("x",)),
        (b"no header at all\nSubject: x\n\nbody", 29, ("x",)),
        (b"From someone Sat Jan  1\nSubject: x\n\n", 36, ("x",)),
        (b" continued\nSubject: x\n\n", 23, ("x",)),
        (b"Subject x\nSubject\n: y\n\n", 23, ()),
        (b"Subject: \x00\xff\n\n", 13, ("\x00\udcff",)),
        (b"Sub\xfcject: x\nSubject: y\n\n", 24, ("y",)),
    ],
)
def test_an_odd_header_is_read_as_far_as_it_goes(data, header_end, values):
    message = Message(data)
    assert message.header_end == header_end
    assert message.values("Subject") == values


def test_a_mapped_file_will_do(tmp_path):
    path = tmp_path / "message"
    path.write_bytes(ORDINARY + b"x\n" * 2_000_000)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        message = Message(data)
        assert message.values("subject") == ("one two", "three")
        assert message.size == message.stored_size + ORDINARY.count(b"\n") + 2_000_000


def test_addresses_or_the_text_where_there_are_none():
    message = Message(b"To: A <a@b>, c@d\nTo: nobody\nTo:\n\n")
    assert message.addresses("to") == ((Address("a", "b"), Address("c", "d")), "nobody", "")


@pytest.mark.parametrize(
    "data",
    [
        b"X: " + b"a" * 5_000_000,
        b"a" * 5_000_000,
        b"X" * 5_000_000 + b": y",
        b"A: b\n" * 200_000,
        b"X: a\n" + b" b\n" * 500_000,
        b"Subject: " + b"=?utf-8?q?a?= " * 100_000,
        b"Subject: " + b"=?" * 1_000_000,
        b"Subject: " + b"=?a?b?" * 500_000,
        b"To: " + b"(" * 1_000_000,
        b"To: " + b'"' * 1_000_001,
        b"To: " + b"a@b," * 200_000,
        b"To: " + b"<" * 1_000_000,
        b"To: " + b"\\(" * 500_000,
        b"To: " + b"a:" * 500_000,
    ],
    ids=lambda data: data[:12].decode(),
)
def test_a_hostile_header_takes_time_in_proportion_to_its_length(data):
    message = Message(data)
    assert isinstance(message.values("subject"), tuple)
    assert isinstance(message.addresses("to"), tuple)
    assert len(message.fields) <= data.count(b":")
