import pytest

from sievemda.mail.header import charset, decode, decode_words


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b" plain ", "plain"),
        (b"a\n b", "a b"),
        (b"a \n\t  b", "a  b"),
        (b"a\n\tb\n c", "a b c"),
        (b"=?windows-31j?b?k/qWew==?=", "日本"),
        (b"=?ISO-8859-8-I?q?=E0?=", "א"),
        (b"\n a", "a"),
        (b"", ""),
        ("grün".encode(), "grün"),
        (b"gr\xfcn", "gr\udcfcn"),
        (b"=?utf-8?q?gr=C3=BCn?=", "grün"),
        (b"=?UTF-8?B?Z3LDvG4=?=", "grün"),
        (b"=?iso-8859-1?q?gr=FCn?= x", "grün x"),
        (b"x =?iso-8859-1?q?gr=FCn?=", "x grün"),
        (b"=?us-ascii?q?a?= =?us-ascii?q?b?=", "ab"),
        (b"=?us-ascii?q?a?=\n =?us-ascii?q?b?=", "ab"),
        (b"=?us-ascii?q?a_?= =?us-ascii?q?b?=", "a b"),
        (b"=?us-ascii?q?a?= c =?us-ascii?q?b?=", "a c b"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),  # one character cut in two
        (b"=?iso-8859-1?q?=FC?= =?utf-8?q?=C3=BC?=", "üü"),
        (b"=?utf-8*de?q?a?=", "a"),
        (b"=?utf-8?q?a?==?utf-8?q?b?=", "ab"),
        (b"x=?utf-8?q?a?=y", "xay"),
        (b"=?klingon?q?a?=", "=?klingon?q?a?="),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?a b?=", "=?utf-8?q?a b?="),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        (b"=?utf-8?b?Z3LDvG4?=", "grün"),  # padding missing
        (b"=?utf-8?b?Z3L!DvG4=?=", "grün"),
        (b"=?utf-8?b?A?=", "=?utf-8?b?A?="),
        (b"=?utf-8?q?=FF?=", "\ufffd"),
        (b"=?utf-8?q?=4?=", "=4"),
        (b"=?utf-8?q?a=00b?=", "a\0b"),
        (b"=?idna?q?a?=", "=?idna?q?a?="),
        (b"=?base64?q?a?=", "=?base64?q?a?="),
        (b"=?koi8-r?b?8NLJ18XU?=", "Привет"),
        (b"=?utf-8?q?a?= =?klingon?q?b?=", "a =?klingon?q?b?="),
        (b"=?gb2312?b?xOO6ww==?=", "你好"),
        (b"=?utf-8?q??=", ""),
    ],
)
def test_a_raw_value_is_read(raw, value):
    assert decode(raw) == value


def test_plain_text_is_left_alone():
    assert decode_words("a = ? b") == "a = ? b"


@pytest.mark.parametrize("name", ["", "\0", "rot13", "hex", "zlib", "a" * 64, "../x"])
def test_what_is_no_charset(name):
    assert charset(name) is None


def test_half_a_surrogate_pair_is_no_character():
    assert decode(b" =?utf-7?q?a+2AA-b_+3IA-?=") == "a\ufffdb \ufffd"
