"""Which messages have an attachment, by the disposition of their parts."""

import pytest

from sievemda.mail.attachment import has_attachment
from sievemda.mail.message import Message


def with_part(*fields):
    head = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\n"
    return Message(head + "".join(f"{field}\n" for field in fields).encode() + b"\nx\n--b--\n")


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Disposition: attachment"],
        ["content-disposition: ATTACHMENT; filename=a"],
        ['Content-Disposition: inline; filename="a.png"'],
        ["Content-Disposition: inline; name=a"],
        ["Content-Disposition: attachment", "Content-Type: no type"],
        ["Content-Disposition: inline; filename*=utf-8''a"],
    ],
)
def test_a_part_that_is_one(fields):
    assert has_attachment(with_part(*fields))


@pytest.mark.parametrize(
    "fields",
    [
        [],
        ["Content-Disposition: inline"],
        ["Content-Type: image/png; name=a"],
        ["Content-Disposition: attachment", "Content-Type: application/signature"],
        ["Content-Disposition: form-data; name=a"],
    ],
)
def test_a_part_that_is_none(fields):
    assert not has_attachment(with_part(*fields))


def test_a_message_that_is_nothing_but_an_attachment():
    assert has_attachment(Message(b"Content-Disposition: attachment\n\nx\n"))


def test_a_message_without_anything():
    assert not has_attachment(Message(b""))
