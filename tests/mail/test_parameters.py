import pytest

from sievemda.mail.parameters import content_type, disposition, structured


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b" text/plain", "text/plain"),
        (b" TEXT/Html; charset=utf-8", "text/html"),
        (b" text / plain (a comment; with a semicolon)", "text/plain"),
        (b"\n application/\n vnd.ms-excel;x=y", "application/vnd.ms-excel"),
        (b" text", None),
        (b" text/plain html", None),
        (b" ", None),
        (b" /plain", None),
        (b" text/", None),
        (b" a/b/c", None),
    ],
)
def test_a_media_type_is_read_or_there_is_none(raw, expected):
    kind = content_type(raw)
    assert (kind and kind.name) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(b" Attachment; filename=x", "Attachment"), (b" inline", "inline"), (b" a b", None), (b"", None)],
)
def test_a_disposition_is_read_or_there_is_none(raw, expected):
    assert disposition(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b' x; charset="us-ascii"', [("charset", "us-ascii")]),
        (b" x; CHARSET=us-ascii (Plain text)", [("charset", "us-ascii")]),
        (b" x;a=1;;b = 2 ; c", [("a", "1"), ("b", "2")]),
        (b" x; boundary=----=_Part/1?2", [("boundary", "----=_Part/1?2")]),
        (b" x; name=my own file.pdf; size=3", [("name", "my own file.pdf"), ("size", "3")]),
        (b' x; name="a;b\\"c\\\\d (e)"', [("name", 'a;b"c\\d (e)')]),
        (b' x; name="never closed; a=b', [("name", "never closed; a=b")]),
        (b" x; name=\xe4.txt", [("name", "\udce4.txt")]),
        (b' x; name="=?utf-8?q?f=C3=BCr?="', [("name", "für")]),
        (b" x; a=1; a=2", [("a", "1"), ("a", "2")]),
        (b' x; a=""', [("a", "")]),
        (b" x; a=(only a comment)b", [("a", "b")]),
    ],
)
def test_parameters_come_in_order_with_their_meaning(raw, expected):
    assert list(structured(raw).parameters) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b' x; URL*0="ftp://";\n URL*1="cs.utk.edu/pub"', [("url", "ftp://cs.utk.edu/pub")]),  # RFC 2231 §3
        (b" x; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", [("title", "This is ***fun***")]),  # §4
        (  # §4.1
            (
                b" x; title*0*=us-ascii'en'This%20is%20even%20more%20;\n title*1*=%2A%2A%2Afun%2A%2A%2A%20;\n"
                b' title*2="isn\'t it!"'
            ),
            [("title", "This is even more ***fun*** isn't it!")],
        ),
        (b" x; n*1=b; n*0=a", [("n", "ab")]),
        (b" x; n*0=a; n*2=c", [("n", "a")]),
        (b" x; n*1=b", [("n", "")]),
        (b" x; n*=iso-8859-1''f%FCr", [("n", "für")]),
        (b" x; n*=no-charset''%C3%BC", [("n", "ü")]),
        (b" x; n*=plain%20text", [("n", "plain text")]),
        (b" x; n*0*=utf-8''%C3; n*1*=%BC", [("n", "ü")]),
        (b" x; n=old; n*=utf-8''new", [("n", "new"), ("n", "old")]),
        (b" x; n*=utf-8''new; n=old; m=1", [("n", "new"), ("m", "1"), ("n", "old")]),
    ],
)
def test_parameters_in_pieces_and_charsets_are_one_value(raw, expected):
    assert list(structured(raw).parameters) == expected


def test_of_a_flood_of_pieces_a_bounded_number_counts():
    field = b" x" + b"".join(b"; n*%d=a" % number for number in range(10_000))
    assert structured(field).get("n") == "a" * 250


def test_of_a_flood_of_parameters_a_bounded_number_counts():
    assert len(structured(b" x" + b";a=b" * 10_000).parameters) == 250


@pytest.mark.parametrize(
    "hostile", [b"a", b'a="x;', b'"\\', b"(", b" ", b"; ", b"a*1=", b"=;", b'"', b"a\n ", b"\\", b"=?a?q?", b"a*0*=%"]
)
def test_a_field_of_a_megabyte_is_read_to_a_bound(hostile, count_steps):
    short = count_steps(lambda: structured(b"a/b;" + hostile * (40_000 // len(hostile))))
    long = count_steps(lambda: structured(b"a/b;" + hostile * (1_000_000 // len(hostile))))
    assert long < 3 * short + 100
