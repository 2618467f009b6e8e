"""mailto URIs: RFC 2368 with its examples, and each way to be wrong."""

import pytest

from sievemda.mail.mailto import quoted, read_mailto
from tests.sieve.steps import steps


def addresses(found):
    return [str(address) for _, address in found]


@pytest.mark.parametrize(
    ("uri", "to", "cc", "subject", "body", "headers"),
    [
        ("mailto:chris@example.com", ["chris@example.com"], [], None, None, ()),
        ("mailto:infobot@example.com?subject=current-issue", ["infobot@example.com"], [], "current-issue", None, ()),
        ("mailto:infobot@example.com?body=send%20current-issue", ["infobot@example.com"], [], None, "send current-issue", ()),
        (
            "mailto:infobot@example.com?body=send%20current-issue%0D%0Asend%20index",
            ["infobot@example.com"], [], None, "send current-issue\nsend index", (),
        ),
        ("mailto:majordomo@example.com?body=subscribe%20bamboo-l", ["majordomo@example.com"], [], None, "subscribe bamboo-l", ()),
        ("mailto:joe@example.com?cc=bob@example.com&body=hello", ["joe@example.com"], ["bob@example.com"], None, "hello", ()),
        ("mailto:?to=joe@example.com&cc=bob@example.com&body=hello", ["joe@example.com"], ["bob@example.com"], None, "hello", ()),
        ("mailto:gorby%25kremvax@example.com", ["gorby%kremvax@example.com"], [], None, None, ()),
        ("mailto:unlikely%3Faddress@example.com?blat=foop", ["unlikely?address@example.com"], [], None, None, (("Blat", "foop"),)),
        ("MAILTO:a@example.com?SUBJECT=x", ["a@example.com"], [], "x", None, ()),
        ("mailto:", [], [], None, None, ()),
        ("mailto:a@example.com?", ["a@example.com"], [], None, None, ()),
        ("mailto:a@example.com?subject=", ["a@example.com"], [], "", None, ()),
        ("mailto:a+b@example.com?subject=a+b", ["a+b@example.com"], [], "a+b", None, ()),
        ("mailto:a@EXAMPLE.com", ["a@example.com"], [], None, None, ()),
        ("mailto:a@example.com?subject=caf%C3%A9", ["a@example.com"], [], "café", None, ()),
        ("mailto:a@example.com?body=http://example.com/x", ["a@example.com"], [], None, "http://example.com/x", ()),
    ],
)  # fmt: skip
def test_what_a_uri_says(uri, to, cc, subject, body, headers):
    found = read_mailto(uri)
    assert (addresses(found.to), addresses(found.cc)) == (to, cc)
    assert (found.subject, found.body, found.headers, found.ignored) == (subject, body, headers, ())


def test_three_ways_to_name_two_recipients_are_one():
    """RFC 2368 §2."""
    ways = ("addr1%40x.example%2C%20addr2%40x.example", "?to=addr1@x.example%2C%20addr2@x.example")
    for way in (*ways, "addr1@x.example?to=addr2@x.example"):
        assert addresses(read_mailto(f"mailto:{way}").to) == ["addr1@x.example", "addr2@x.example"]


def test_a_recipient_may_have_a_name():
    assert read_mailto("mailto:Wile%20E.%20%3ccoyote@example.com%3e").to[0][0] == "Wile E."


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("mailto", "does not begin"),
        ("http://example.com", "does not begin"),
        ("mailto:joe@example.com?cc=bob@example.com?body=hello", "invalid character '?' in the field cc"),
        ("mailto:a@example.com,b@example.com", "invalid character ','"),
        ("mailto:a b@example.com", "invalid character ' '"),
        ("mailto:<a@example.com>", "invalid character '<'"),
        ("mailto:a%zz@example.com", "invalid character '%'"),
        ("mailto:a@example.com#x", "invalid character '#'"),
        ("mailto:caf\u00e9@example.com", "invalid character 'é'"),
        ("mailto:caf%C3%A9@example.com", "invalid recipient"),
        ("mailto:nobody", "invalid recipient"),
        ("mailto:a@example.com%2C", "invalid recipient"),
        ("mailto:group%3Aa@example.com%3B", "invalid recipient"),
        ("mailto:a@example.com?cc=", "invalid recipient"),
        ("mailto:a@example.com?cc=c%20d", "invalid recipient"),
        ("mailto:a@example.com?subject", "has no '='"),
        ("mailto:a@example.com?subject=x&", "has no '='"),
        ("mailto:a@example.com?=x", "invalid name of a field"),
        ("mailto:a@example.com?%3Ax=y", "invalid name of a field"),
        ("mailto:a@example.com?sub%20ject=y", "invalid name of a field"),
        ("mailto:a@example.com?subject=a%0D%0ABcc:%20x@example.com", "control character"),
        ("mailto:a@example.com?x-y=a%0Ab", "control character"),
        ("mailto:a@example.com?body=a%00b", "NUL"),
        ("mailto:a@example.com?subject=%E9", "not UTF-8"),
        ("mailto:a@example.com?subject=[x]", "invalid character '['"),
        ("mailto:" + "a" * 70_000, "too long"),
    ],
)
def test_what_is_wrong_with_a_uri(uri, fault):
    with pytest.raises(ValueError, match="^.*" + fault.replace("?", r"\?").replace("[", r"\[")):
        read_mailto(uri)


@pytest.mark.parametrize(
    "name",
    ["from", "Sender", "Auto-Submitted", "received", "Date", "Message-ID", "bcc", "Resent-To", "Content-Type", "Precedence", "Return-Path"],
)  # fmt: skip
def test_fields_that_a_uri_may_not_set_are_ignored(name):
    """RFC 5436 §2.7; RFC 2368 §4."""
    found = read_mailto(f"mailto:a@example.com?{name}=x&x-a=1")
    assert found.headers == (("X-a", "1"),)
    assert found.ignored == (f"a URI may not set the field {name}",)


def test_a_recipient_counts_once_wherever_he_is_named():
    found = read_mailto("mailto:a@example.com?cc=b@example.com&to=a@EXAMPLE.com")
    assert [str(address) for address in found.recipients] == ["a@example.com", "b@example.com"]
    assert found.ignored == ("a@example.com is named twice",)


def test_the_first_subject_and_the_first_body_count():
    found = read_mailto("mailto:a@example.com?subject=1&body=2&subject=3&body=4")
    assert (found.subject, found.body, len(found.ignored)) == ("1", "2", 2)


def test_recipients_and_fields_are_bounded():
    many = "%2C".join(f"u{n}@example.com" for n in range(9))
    fields = "&".join(f"x-{n}=y" for n in range(17))
    found = read_mailto(f"mailto:{many}?{fields}")
    assert len(found.recipients) == 8
    assert len(found.headers) == 16
    assert len(found.ignored) == 2


def test_a_flood_of_fields_is_read_in_linear_time():
    few, _ = steps(lambda: read_mailto("mailto:a@example.com?" + "&".join(["x=%41"] * 1_000)))
    many, _ = steps(lambda: read_mailto("mailto:a@example.com?" + "&".join(["x=%41"] * 10_000)))
    assert many < 11 * few


def test_what_is_quoted_can_be_read_back():
    text = "Safe body&evil=evilbody é/\\\x01"
    assert quoted("a-Z0._~ é") == "a-Z0._~%20%C3%A9"
    assert read_mailto(f"mailto:a@example.com?body={quoted(text)}").body == text
