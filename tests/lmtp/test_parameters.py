from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.lmtp.parameters import parse_mail, parse_rcpt
from sievemda.mail.address import Address
from sievemda.mail.envelope import Recipient, Sender
from sievemda.mail.xtext import to_xtext, xtext

ALICE = Address("alice", "x.example")


@pytest.mark.parametrize(
    ("argument", "sender"),
    [
        ("FROM:<>", Sender(None)),
        ("FROM:<alice@x.example>", Sender(ALICE)),
        ("from:<alice@x.example>  SIZE=007 ", Sender(ALICE, size=7)),
        ("FROM:<alice@x.example> BODY=7bit", Sender(ALICE, body="7BIT")),
        ("FROM:<alice@x.example> AUTH=<>", Sender(ALICE)),
        ("FROM:<alice@x.example> AUTH=+3C+3E", Sender(ALICE)),
        ("FROM:<alice@x.example> AUTH=e+3Dmc2@example.com", Sender(ALICE, auth="e=mc2@example.com")),
        ("FROM:<alice@x.example> AUTH=fred", Sender(ALICE, auth="fred")),
        ("FROM:<alice@x.example> AUTH=f+C3+BC", Sender(ALICE, auth="fü")),
        ("FROM:<alice@x.example> AUTH=f+FF", Sender(ALICE)),  # nobody's name: anonymous
        ("FROM:<alice@x.example> AUTH=f+0A", Sender(ALICE)),
        ("FROM:<alice@x.example> RET=hdrs ENVID=QQ+2B1+20x", Sender(ALICE, ret="HDRS", envid="QQ+1 x")),
        ("FROM:<jürgen@bücher.example> SMTPUTF8", Sender(Address("jürgen", "bücher.example"), smtputf8=True)),
        ('FROM:<"a b>c"@x.example>', Sender(Address("a b>c", "x.example"))),
        (r'FROM:<"a\"b"@x.example>', Sender(Address('a"b', "x.example"))),
        (r"FROM:<a\@b@x.example>", Sender(Address("a@b", "x.example"))),
        ("FROM:<@relay,@other.example:alice@x.example>", Sender(ALICE)),
        ("FROM:<postmaster>", Sender(Address("postmaster"))),
        ("FROM:<a@[192.0.2.1]>", Sender(Address("a", "[192.0.2.1]"))),
    ],
)
def test_mail_is_understood(argument, sender):
    assert parse_mail(argument) == sender


@pytest.mark.parametrize(
    ("argument", "recipient"),
    [
        ("TO:<alice@x.example>", Recipient(ALICE)),
        ("to:<alice@x.example>", Recipient(ALICE)),
        ("TO:<alice+Lists.A@x.example>", Recipient(Address("alice+Lists.A", "x.example"))),
        ("TO:<+board@x.example>", Recipient(Address("+board", "x.example"))),
        ('TO:<""@x.example>', Recipient(Address("", "x.example"))),
        ("TO:<>", Recipient(Address(""))),
        ("TO:<alice@x.example> NOTIFY=never", Recipient(ALICE, notify=("NEVER",))),
        ("TO:<alice@x.example> NOTIFY=SUCCESS,DELAY", Recipient(ALICE, notify=("SUCCESS", "DELAY"))),
        (
            "TO:<alice@x.example> ORCPT=rfc822;Bob+2Bx@y.example",
            Recipient(ALICE, orcpt_type="rfc822", orcpt="Bob+x@y.example"),
        ),
        (r"TO:<alice@x.example> ORCPT=utf-8;\x{FC}\x{2B}@y", Recipient(ALICE, orcpt_type="utf-8", orcpt="ü+@y")),
        ("TO:<alice@x.example> ORCPT=utf-8;ü@y", Recipient(ALICE, orcpt_type="utf-8", orcpt="ü@y")),
        ("TO:<alice@x.example> IGNOREQUOTA", Recipient(ALICE, ignore_quota=True)),
    ],
)
def test_rcpt_is_understood(argument, recipient):
    assert parse_rcpt(argument) == recipient


@pytest.mark.parametrize(
    "path",
    [
        "alice@x.example",
        "<alice@x.example",
        "<alice@x.example>>",
        "<<alice@x.example>>",
        "<alice@>",
        "<alice@x..example>",
        "<alice@-x>",
        "<a@b@x.example>",
        "<al ice@x.example>",
        "<al,ice@x.example>",
        "<al(x)ice@x.example>",
        "<alice@x.example\x00>",
        "<al\tice@x.example>",
        "<\x7f@x.example>",
        '<"alice@x.example>',
        '<"alice"bob@x.example>',
        "<@x.example>",
        "<@relay:>",
        "<@relay,@other>",
        "<@relay alice@x.example>",
        "<" + "a" * 300 + "@x.example>",
        "<a@" + "b" * 300 + ">",
        " <alice@x.example>",
    ],
)
def test_a_bad_path_is_501(path):
    assert parse_rcpt("TO:" + path).startswith(b"501 5.5.4 ")
    assert parse_mail("FROM:" + path).startswith(b"501 5.5.4 ")


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("SIZE", b"501 5.5.2"),
        ("SIZE=x", b"501 5.5.2"),
        ("SIZE=\u0661", b"501 5.5.2"),
        ("SIZE=" + "1" * 21, b"501 5.5.2"),
        ("SIZE=1=1", b"501 5.5.2"),
        ("BODY=9BIT", b"501 5.5.4"),
        ("BODY=", b"501 5.5.4"),
        ("SMTPUTF8=", b"501 5.5.4"),
        ("SMTPUTF8 SMTPUTF8", b"501 5.5.4"),
        ("smtputf8 SMTPUTF8", b"501 5.5.4"),
        ("AUTH", b"501 5.5.4"),
        ("AUTH=+", b"501 5.5.4"),
        ("AUTH=+4", b"501 5.5.4"),
        ("AUTH=ü", b"501 5.5.4"),
        ("RET=BODY", b"501 5.5.4"),
        ("ENVID=", b"501 5.5.4"),
        ("ENVID=+E4", b"501 5.5.4"),
        ("IGNOREQUOTA", b"555 5.5.4"),
        ("=1", b"555 5.5.4"),
        ("X=\x01", b"555 5.5.4"),
    ],
)
def test_a_bad_parameter_of_mail_is_refused(parameters, code):
    assert parse_mail(f"FROM:<a@x> {parameters}")[:9] == code


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("NOTIFY=", b"501 5.5.4"),
        ("NOTIFY=NEVER,NEVER,DELAY", b"501 5.5.4"),
        ("NOTIFY=OFTEN", b"501 5.5.4"),
        ("NOTIFY=DELAY,", b"501 5.5.4"),
        ("ORCPT=alice@x", b"501 5.5.4"),
        ("ORCPT=rfc822;", b"501 5.5.4"),
        ("ORCPT=rf(c;a", b"501 5.5.4"),
        ("ORCPT=rfc822;ü@x", b"501 5.5.4"),
        (r"ORCPT=utf-8;\x{D800}", b"501 5.5.4"),
        (r"ORCPT=utf-8;\x{FFFFFF}", b"501 5.5.4"),
        ("ORCPT=rfc822;a ORCPT=rfc822;a", b"501 5.5.4"),
        ("RET=FULL", b"555 5.5.4"),
    ],
)
def test_a_bad_parameter_of_rcpt_is_refused(parameters, code):
    assert parse_rcpt(f"TO:<a@x> {parameters}")[:9] == code


def test_eight_bit_addresses_need_smtputf8():
    assert parse_rcpt("TO:<ä@x>").startswith(b"501 ")
    assert parse_rcpt("TO:<ä@x>", utf8=True) == Recipient(Address("ä", "x"))


def test_what_is_not_utf8_is_refused_even_under_smtputf8():
    latin1 = b"TO:<\xe4@x>".decode("utf-8", "surrogateescape")
    assert parse_rcpt(latin1, utf8=True).startswith(b"501 5.5.4")


def test_each_eight_bit_octet_becomes_x_where_addresses_are_not_strict():
    assert parse_rcpt("TO:<ä@x>", strict=False) == Recipient(Address("XX", "x"))


@given(st.text(st.characters(codec="utf-8")))
def test_xtext_has_an_inverse(text):
    encoded = to_xtext(text)
    assert encoded.isascii()
    assert not set(encoded) & set(" =\r\n")
    assert xtext(encoded) == (text or None)


@given(st.text())
def test_no_line_makes_the_parser_fail(text):
    for parse, word in ((parse_mail, "FROM:"), (parse_rcpt, "TO:")):
        for argument in (text, word + text, f"{word}<{text}>", f"{word}<a@x> {text}"):
            assert isinstance(parse(argument), bytes | Sender | Recipient)


@pytest.mark.parametrize(
    ("value", "seconds", "mode", "trace"),
    [("600;R", 600, "R", False), ("-40;n", -40, "N", False), ("+1;RT", 1, "R", True), ("0;nt", 0, "N", True)],
)
def test_by_when_the_message_is_wanted(value, seconds, mode, trace):
    before = datetime.now(UTC)
    by = parse_mail(f"FROM:<alice@x.example> BY={value}", deliverby=True).by
    assert (by.mode, by.trace) == (mode, trace)
    assert abs((by.until - before).total_seconds() - seconds) < 5


@pytest.mark.parametrize("value", ["600", "600;X", "0;R", "-1;R", "1234567890;N", ";N", "600;RTT", ""])
def test_a_by_that_is_none(value):
    assert parse_mail(f"FROM:<alice@x.example> BY={value}", deliverby=True).startswith(b"501 5.5.4")


def test_by_is_unknown_where_it_is_not_announced():
    assert parse_mail("FROM:<alice@x.example> BY=600;R").startswith(b"555 5.5.4")
