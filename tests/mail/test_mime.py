import mmap

import pytest

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, is_read, tree

BOUNDS = Bounds(1_000, 50)
MIXED = b"Content-Type: multipart/mixed; boundary=%s\n\n"


def parts(data, bounds=BOUNDS):
    return list(tree(Message(data), bounds).walk())


def shape(data, bounds=BOUNDS):
    return [(part.path, part.type and part.type.name) for part in parts(data, bounds)]


def bodies(data):
    """The bodies of the parts without parts."""
    return [part.data[part.body : part.end] for part in parts(data) if not part.children]


def test_a_message_without_mime_is_one_text():
    assert shape(b"Subject: x\n\nhello\n") == [((), "text/plain")]
    assert bodies(b"Subject: x\n\nhello\n") == [b"hello\n"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\nX: y"])
def test_a_message_that_has_no_body_holds_no_other(end):
    """Whatever took the place of one would become a part of the header."""
    assert shape(b"Content-Type: message/rfc822" + end) == [((), "message/rfc822")]
    assert shape(b"Content-Type: message/rfc822\n\n") == [((), "message/rfc822"), ((0,), "text/plain")]


NESTED = (
    MIXED % b"outer"
    + b"prologue\n--outer\n"
    + MIXED % b"inner"
    + b"--inner\n\none\n--inner\nContent-Type: text/html\n\ntwo\n--inner--\nepilogue of inner\n--outer\n"
    + b"Content-Type: message/rfc822\n\nSubject: inside\n\nthree\n--outer--\nepilogue\n"
)


def test_parts_stand_depth_first():
    assert shape(NESTED) == [
        ((), "multipart/mixed"), ((0,), "multipart/mixed"), ((0, 0), "text/plain"), ((0, 1), "text/html"),
        ((1,), "message/rfc822"), ((1, 0), "text/plain"),
    ]  # fmt: skip
    assert bodies(NESTED) == [b"one", b"two", b"three"]


def test_prologue_and_epilogue_are_what_is_outside_of_the_parts():
    outer, inner = (part for part in parts(NESTED) if part.is_multipart)
    assert outer.outer_texts() == ("prologue", "epilogue\r\n")
    assert inner.outer_texts() == ("", "epilogue of inner")


def test_a_part_has_its_own_header():
    inside = parts(NESTED)[5]
    assert inside.header.values("subject") == ("inside",)
    assert parts(NESTED)[2].header.fields == ()


def test_a_path_leads_to_a_part():
    root = tree(Message(NESTED), BOUNDS)
    assert root.at((0, 1)) is root.children[0].children[1]
    assert root.at((0, 2)) is None
    assert root.at((0, 0, 0)) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (MIXED % b"a" + b"--a\n\nx\n--a--\n", [b"x"]),
        (MIXED % b"a" + b"--a  \t\n\nx\n--a-- \n", [b"x"]),
        (MIXED % b"a" + b"--a\n\nno end\n", [b"no end\n"]),
        (MIXED % b"a" + b"--a\n\nx\n--a", [b"x", b""]),
        (MIXED % b"a" + b"--a\n\n\n--a\n\n--a--", [b"", b""]),
        (MIXED % b"a" + b"--a\nX: only a header\n--a\n\ny\n--a--", [b"", b"y"]),
        (MIXED % b"a" + b"--a\n--a\n--a--", [b"", b""]),
        (MIXED % b"a" + b"nothing", [b"nothing"]),
        (MIXED % b"a" + b"--a--\n--a\n\nx", [b"--a--\n--a\n\nx"]),
        (b"Content-Type: multipart/mixed\n\n--a\n\nx\n--a--\n", [b"--a\n\nx\n--a--\n"]),
        (b'Content-Type: multipart/mixed; boundary=""\n\n--\n\nx\n----\n', [b"--\n\nx\n----\n"]),
        (b"Content-Type: multipart/mixed; boundary=a\n", [b""]),
        (b"Content-Type: message/rfc822\n\n", [b""]),
        (b"", [b""]),
        (b"\n", [b""]),
    ],
)
def test_any_multipart_has_parts_or_none(data, expected):
    assert bodies(data) == expected


def test_a_delimiter_of_the_outer_multipart_ends_the_inner_one():
    data = MIXED % b"outer" + b"--outer\n" + MIXED % b"inner" + b"--inner\n\none\n--outer\n\ntwo\n--outer--\n"
    assert shape(data)[2:] == [((0, 0), "text/plain"), ((1,), "text/plain")]
    assert bodies(data) == [b"one", b"two"]


@pytest.mark.parametrize(("outer", "inner"), [(b"foo", b"foobar"), (b"foobar", b"foo")])
def test_of_boundaries_that_begin_alike_the_longest_is_meant(outer, inner):
    data = MIXED % outer + b"--%b\n" % outer + MIXED % inner + b"--%b\n\none\n--%b--\n--%b\n\ntwo\n--%b--\n" % (
        inner, inner, outer, outer,
    )  # fmt: skip
    assert bodies(data) == [b"one", b"two"]


def test_the_boundary_has_only_to_begin_the_line():
    assert bodies(MIXED % b"a" + b"--a\n\none\n--a and more\n\ntwo\n--a--\n") == [b"one", b"two"]


def test_the_same_boundary_belongs_to_the_innermost():
    data = MIXED % b"a" + b"--a\n" + MIXED % b"a" + b"--a\n\none\n--a--\n--a\n\ntwo\n--a--\n"
    assert shape(data)[2:] == [((0, 0), "text/plain"), ((1,), "text/plain")]


def test_parts_of_a_digest_are_messages_unless_they_say_otherwise():
    data = b"Content-Type: multipart/digest; boundary=a\n\n--a\n\nSubject: x\n\none\n--a\nContent-Type: text/plain\n\ntwo\n--a--\n"
    assert [name for _, name in shape(data)] == ["multipart/digest", "message/rfc822", "text/plain", "text/plain"]


def test_an_encoded_message_is_not_opened():
    data = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAo=\n"
    assert [part.octets for part in parts(data)] == [b"Subject: x\n"]


def test_a_type_that_cannot_be_read_is_no_text():
    (part,) = parts(b"Content-Type: rubbish\n\nx\n")
    assert part.type is None
    assert not part.is_text


def test_parts_are_read_in_a_file_that_is_mapped(tmp_path):
    file = tmp_path / "message"
    file.write_bytes(NESTED)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        root = tree(Message(mapped), BOUNDS)
        assert [part.text for part in root.walk() if part.is_text] == ["one", "two", "three"]


def test_an_edited_header_does_not_make_the_parts_be_read_again():
    message = Message(NESTED)
    below = tree(message, BOUNDS).children
    edited = message.with_head(b"X-New: y\n" + message.head)
    assert is_read(edited, BOUNDS)
    assert tree(edited, BOUNDS).children is below
    assert tree(edited, BOUNDS).header.values("x-new") == ("y",)


def test_another_content_type_makes_them_be_read_again():
    message = Message(NESTED)
    assert len(tree(message, BOUNDS).children) == 2
    assert tree(message.with_head(b"Subject: x\n\n"), BOUNDS).children == []


# -- hostile mail --------------------------------------------------------------------------------------------------


def test_of_ten_thousand_parts_the_last_that_counts_takes_the_rest():
    found = parts(MIXED % b"a" + b"--a\n\nx\n" * 10_000)
    assert len(found) == 1_000
    assert [part.opaque for part in found] == [False] * 999 + [True]
    assert found[-1].data[found[-1].body : found[-1].end].count(b"--a") == 9_001


@pytest.mark.parametrize(
    "level", [MIXED % b"a%d" + b"--a%d\n", MIXED % b"a" + b"--a\n", b"Content-Type: message/rfc822\n\n"]
)
def test_five_thousand_levels_are_opened_as_far_as_the_bound(level):
    data = b"".join(level % ((number,) * level.count(b"%d")) for number in range(5_000))
    found = parts(data)
    assert max(len(part.path) for part in found) == 50
    assert len(found) <= 1_000
    assert any(part.opaque for part in found)


@pytest.mark.parametrize(
    "line",
    [
        b"--\n",
        b"--a\n",
        b"--bo\n",
        b"--boundarx\n",
        b"\n",
        b"x\n",
        b"--boundary",
        b"Content-Type: message/rfc822\n",
        b"X: y\n",
    ],
)
@pytest.mark.parametrize("begin", [b"", b"--boundary\n", b"--boundary\n\n"])
def test_lines_that_are_nearly_delimiters_cost_as_much_as_they_are_long(line, begin, count_steps):
    head = MIXED % b"boundary" + begin
    one = count_steps(lambda: parts(head + line * 2_000))
    four = count_steps(lambda: parts(head + line * 8_000))
    assert four <= 4 * one + 1_000


def test_twenty_megabytes_of_base64_are_passed_over_in_one_step(count_steps):
    data = MIXED % b"a" + b"--a\nContent-Type: x/y\n\n" + (b"A" * 76 + b"\n") * 270_000 + b"--a--\n"
    assert count_steps(lambda: parts(data)) < 1_000


def test_a_header_line_of_a_megabyte_is_read():
    data = b"Content-Type: text/plain; x=" + b"a" * 1_000_000 + b"\nSubject: y\n\nbody\n"
    (part,) = parts(data)
    assert part.type.name == "text/plain"
    assert part.header.values("subject") == ("y",)


@pytest.mark.parametrize("field", [b"base64", b" BASE64 (really)", b"(an encoding) base64", b"base64;x=y"])
def test_an_encoding_is_known_whatever_stands_around_it(field):
    part = tree(Message(b"Content-Transfer-Encoding: " + field + b"\n\nSGVsbG8=\n"), Bounds(10, 10))
    assert part.text == "Hello"
