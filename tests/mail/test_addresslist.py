import time

import pytest

from sievemda.mail.address import parse_address
from sievemda.mail.addresslist import address_list, mailboxes, sieve_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b", ["a@b"]),
        (" a@b , c@d ", ["a@b", "c@d"]),
        ("A B <a@b>", ["a@b"]),
        ('"B, A" <a@b>', ["a@b"]),
        ("a@b (comment, with (nested) comma)", ["a@b"]),
        ("(c) a (d) @ (e) b . c (f)", ["a@b.c"]),
        ("Team: a@b, C <c@d>;", ["a@b", "c@d"]),
        ("Team: a@b;, e@f", ["a@b", "e@f"]),
        ("undisclosed-recipients:;", []),
        ("", []),
        (",,,", []),
        ("a@b,,c@d,", ["a@b", "c@d"]),
        ("<@x,@y:a@b>", ["a@b"]),
        ('"a b"@c', ['"a b"@c']),
        ('"ab"@c', ["ab@c"]),
        (r'"a\"b"@c', [r'"a\"b"@c']),
        ("a@[127.0.0.1]", ["a@[127.0.0.1]"]),
        ("a@[IPv6:::1]", ["a@[IPv6:::1]"]),
        ("a..b@c, .a@c, a.@c", ["a..b@c", ".a@c", "a.@c"]),
        ("nobody", []),
        ("nobody@", []),
        ("@b", []),
        ("a@b@c", []),
        ("a b@c", []),
        ("a@b c", []),
        ("a@b..c", []),
        ("<a@b", []),
        ("a@b>", []),
        ("joe@x.example <a@b>", ["a@b"]),
        ("<>", []),
        ("grün@b.example, 用户@例子.广告", ["grün@b.example", "用户@例子.广告"]),
        ("=?utf-8?q?a=2C?= <a@b>", ["a@b"]),
        ('"unclosed <a@b>, c@d', ["a@b", "c@d"]),
        ("(unclosed a@b, c@d", []),
        ("broken, a@b", ["a@b"]),
        ("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
         ["mary@x.test", "jdoe@example.org", "one@y.test"]),
        ('<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>', ["boss@nil.test", "sysservices@example.net"]),
        ("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", ["pete@silly.test"]),
        ("A Group(Some people)\n :Chris Jones <c@(Chris's host.)public.example>,\n joe@example.org;",
         ["c@public.example", "joe@example.org"]),
        ("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", []),
    ],
)  # fmt: skip
def test_an_address_list_is_read_leniently(text, expected):
    assert [str(address) for address in address_list(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b", "a@b"),
        (" a @ B.Example ", "a@b.example"),
        ("A B <a@b>", "a@b"),
        ('"A, B" <a@b>', "a@b"),
        ('"a"@b', "a@b"),
        ('"a b"@c', '"a b"@c'),
        ("a@b, c@d", None),
        ("Team: a@b;", None),
        ("<@x:a@b>", None),
        ("", None),
        ("a", None),
        ("a@b\r\nBcc: x", None),
        ("ä@b", None),
        ("<a@b> x", None),
        ("a@b;", None),
        ("a@b\0", None),
        ("a" * 300 + "@b", None),
    ],
)
def test_a_sieve_address_is_read_strictly(text, expected):
    found = sieve_address(text)
    assert (str(found) if found else None) == expected


def test_mailboxes_keep_their_phrases():
    found = mailboxes('Wile E. Coyote <w@x>, "J, R" <j@x>, Jürgen <k@x>, l@x')
    assert [(phrase, str(address)) for phrase, address in found] == [
        ("Wile E. Coyote", "w@x"), ("J, R", "j@x"), ("Jürgen", "k@x"), ("", "l@x"),
    ]  # fmt: skip
    assert mailboxes("a@b, nobody") is None
    assert mailboxes("a@b,") is None


def test_quotes_that_are_never_closed_cost_linear_time():
    start = time.thread_time()
    assert [str(found) for found in address_list("a@b.c, " + '"\\' * 200_000)] == ["a@b.c"]
    assert time.thread_time() - start < 10


@pytest.mark.parametrize("text", ['"\udc95"@example.org', "\udc95@example.org", "a@\udc95.example.org"])
def test_octets_that_are_not_utf8_are_in_no_address_to_send_to(text):
    assert mailboxes(text) is None
    assert parse_address(text) is None
