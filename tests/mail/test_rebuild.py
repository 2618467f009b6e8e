import pytest

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, tree
from sievemda.mail.rebuild import (
    Entity,
    Replacement,
    breaks_out,
    data_entity,
    enclosed,
    replaced,
    retyped,
    superseded,
    text_entity,
)

BOUNDS = Bounds(100, 20)
MIXED = b"Subject: x\nContent-Type: multipart/mixed; boundary=a\n\npro\n--a\nX-A: 1\n\none\n--a\n\n--a\n\nthree\n--a--\nepi\n"
NEW = Entity(b"Content-Type: text/x\n", b"new")


def read(entity):
    """The text of an entity, as a reader of mail has it."""
    return tree(Message(entity.fields + b"\n" + entity.body), BOUNDS).exact()


@pytest.mark.parametrize(
    "text",
    [
        "plain\r\n", "", "für", "--a\r\n-- \r\n", "--" + "x" * 200, "-" * 300, "x" * 2_000, "a\0b", "=3D = \t\r\n \r\n",
        "\r\n\r\n", ".", "From here", "\u2028 😀" * 50,
    ],
)  # fmt: skip
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_a_text_comes_back_as_it_was(text, charset):
    assert read(text_entity(text, charset=charset)) == text


@pytest.mark.parametrize(
    "text", ["--a", "x\n--a\n--a--", "-" * 300, "ü\n" + "-" * 75 + "\n" + "-" * 76, "--" * 50 + "ü"]
)
def test_no_line_of_a_text_begins_with_two_hyphens(text):
    body = text_entity(text).body
    assert not any(line.startswith(b"--") for line in body.split(b"\n"))
    assert all(len(line) <= 76 for line in body.split(b"\n"))


def test_a_text_that_a_charset_lacks_is_an_error():
    with pytest.raises(UnicodeError):
        text_entity("für", charset="us-ascii")


def test_data_travels_in_base64():
    assert data_entity("image/png", b"\0" * 100).body.splitlines()[0] == b"A" * 76


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((0,), b"--a\nX-A: 1\nContent-Type: text/x\n\nnew\n--a\n\n--a\n\nthree\n--a--\n"),
        ((1,), b"--a\nX-A: 1\n\none\n--a\nContent-Type: text/x\n\nnew\n--a\n\nthree\n--a--\n"),
        ((2,), b"--a\nX-A: 1\n\none\n--a\n\n--a\nContent-Type: text/x\n\nnew\n--a--\n"),
    ],
)
def test_a_part_is_replaced_and_all_else_stays(path, expected):
    message = Message(MIXED)
    root = tree(message, BOUNDS)
    changed = replaced(message, root, [Replacement(root.at(path), NEW)])
    assert changed.data == MIXED.partition(b"--a")[0] + expected + b"epi\n"
    assert tree(changed, BOUNDS).at(path).text == "new"


def test_several_parts_are_replaced_at_once():
    message = Message(MIXED)
    root = tree(message, BOUNDS)
    changed = replaced(message, root, [Replacement(part, NEW) for part in root.children])
    assert [part.text for part in tree(changed, BOUNDS).children] == ["new"] * 3


def test_the_message_itself_keeps_its_other_fields():
    message = Message(
        b"From x\nReceived: a\n b\nMIME-version: 0\nContent-Type: a/b;\n c=d\nSubject: s\nCONTENT-X: y\n\nold\n"
    )
    changed = replaced(message, tree(message, BOUNDS), [Replacement(tree(message, BOUNDS), NEW)])
    assert changed.data == (b"From x\nReceived: a\n b\nSubject: s\nMIME-Version: 1.0\nContent-Type: text/x\n\nnew\n")


@pytest.mark.parametrize("head", [b"", b"\n", b"Content-Type: x/y", b"Content-Type: x/y\n", b"MIME-Version: 1\n\n"])
def test_a_header_of_nothing_else_becomes_the_new_fields(head):
    assert retyped(head, b"A: b\n") == b"A: b\n\n"


def test_a_field_that_is_superseded_is_kept_under_another_name():
    head = b"SUBJECT: =?utf-8?q?=C3=BC?=\n more\nFrom: a\nSubject: b\n\n"
    assert superseded(head, "Subject", b"Subject: new\n") == (
        b"Subject: new\nOriginal-Subject: =?utf-8?q?=C3=BC?=\n more\nFrom: a\nOriginal-Subject: b\n\n"
    )
    assert superseded(b"A: b\n\n", "Subject", b"Subject: new\n") == b"Subject: new\nA: b\n\n"


@pytest.mark.parametrize(
    "data",
    [MIXED, b"", b"\n", b"no header", b"Subject: \xfc\n\n\xfc", b"X: y\n\n--=_\n--=_--\n", b"X: y\n\nno line end"],
)
def test_an_enclosed_message_is_there_octet_for_octet(data):
    message = enclosed(Message(data), b"From: a@b\n", "see\nbelow")
    root = tree(message, Bounds(100, 20))
    assert [part.type.name for part in root.children] == ["text/plain", "message/rfc822"]
    assert root.children[0].text == "see\r\nbelow"
    inside = root.children[1]
    assert inside.data[inside.body : inside.end] == data


def test_an_enclosed_message_with_octets_beyond_ascii_is_said_to_have_them():
    assert b"Content-Transfer-Encoding: 8bit" in enclosed(Message(b"X: y\n\n\xfc\n"), b"", "").head
    assert b"8bit" not in enclosed(Message(b"X: y\n\nu\n"), b"", "").data


def test_a_boundary_at_the_beginning_of_a_line_breaks_out():
    assert breaks_out(b"--a\n", [b"b", b"a"])
    assert breaks_out(b"x\n--abc\n", [b"a"])
    assert not breaks_out(b"x --a\n-a", [b"a"])
