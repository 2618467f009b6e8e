import pytest

from sievemda.mail.decoding import body_octets, exact_text, to_text


@pytest.mark.parametrize(
    ("data", "encoding", "expected"),
    [
        (b"as it is", "", b"as it is"),
        (b"as it is", "binary", b"as it is"),
        (b"aGVsbG8=", "base64", b"hello"),
        (b"aGVs\nbG8=\n", "base64", b"hello"),
        (b"aGVs!bG8*", "base64", b"hello"),
        (b"aGVsbG8", "base64", b"hello"),
        (b"aGVsbG8gd", "base64", b"hello "),
        (b"", "base64", b""),
        (b"****", "base64", b""),
        (b"f=C3=BCr =\nx", "quoted-printable", "für x".encode()),
        (b"blanks  \t\nx", "quoted-printable", b"blanks\nx"),
        (b"broken =ZZ =", "quoted-printable", b"broken =ZZ "),
        (b"x", "x-nobody", None),
    ],
)
def test_a_transfer_encoding_is_undone_as_far_as_it_goes(data, encoding, expected):
    assert body_octets(data, encoding) == expected


@pytest.mark.parametrize(
    ("octets", "charset", "lenient", "exact"),
    [
        ("für".encode(), "utf-8", "für", "für"),
        (b"f\xfcr", "ISO-8859-1", "für", "für"),
        ("für".encode(), None, "für", "für"),
        ("für".encode(), "us-ascii", "für", "für"),
        (b"f\xfcr", "utf-8", "f\udcfcr", None),
        (b"f\xfcr", "x-nobody", "f\udcfcr", None),
        (b"a\nb\r\nc", None, "a\r\nb\r\nc", "a\r\nb\r\nc"),
        ("für".encode("utf-16"), "utf-16", "für", "für"),
        (b"+2D3eAA- +2AA-", "utf-7", "\U0001f600 \ufffd", None),
        (b"\xff", "euc-jp", "\ufffd", None),
    ],
)
def test_a_text_is_read_leniently_or_exactly(octets, charset, lenient, exact):
    assert to_text(octets, charset) == lenient
    assert exact_text(octets, charset) == exact


def test_runs_of_blanks_in_quoted_printable_are_looked_at_once():
    assert body_octets(b" " * 300_000 + b"x\n", "quoted-printable") == b" " * 300_000 + b"x\n"
