import pytest

from sievemda.sieve import Limits
from tests.sieve.trying import failure, holds, outcome, problems

# RFC 5173 §5.2, without the marks that the RFC puts in front of the lines.
EXAMPLE = b"""\
From: Whomever
To: Someone
Date: Whenever
Subject: whatever
Content-Type: multipart/mixed; boundary=outer

& This is a multi-part message in MIME format.
&
--outer
Content-Type: multipart/alternative; boundary=inner

& This is a nested multi-part message in MIME format.
&
--inner
Content-Type: text/plain; charset="us-ascii"

$ Hello
$
--inner
Content-Type: text/html; charset="us-ascii"

% <html><body>Hello</body></html>
%
--inner--
&
& This is the end of the inner MIME multipart.
&
--outer
Content-Type: message/rfc822

! From: Someone Else
! Subject: hello request

$ Please say Hello
$
--outer--
&
& This is the end of the outer MIME multipart.
"""


def body(test, message=EXAMPLE, require="", **options):
    return holds(f"body {test}", message, f"body {require}", **options)


def seen(test, message=EXAMPLE):
    """The strings that a body test looks at."""
    found = outcome(f'require "body"; if body {test} "" {{ keep; }}', message)
    assert found.failure is None
    (compared,) = found.tests[0].compared
    return list(compared.values)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (
            '"multipart"',
            [
                "& This is a multi-part message in MIME format.\r\n&",
                "&\r\n& This is the end of the outer MIME multipart.\r\n",
                "& This is a nested multi-part message in MIME format.\r\n&",
                "&\r\n& This is the end of the inner MIME multipart.\r\n&",
            ],
        ),
        ('"text/plain"', ["$ Hello\r\n$", "$ Please say Hello\r\n$"]),
        ('"text/html"', ["% <html><body>Hello</body></html>\r\n%"]),
        ('"text"', ["$ Hello\r\n$", "% <html><body>Hello</body></html>\r\n%", "$ Please say Hello\r\n$"]),
        ('"message/rfc822"', ["! From: Someone Else\r\n! Subject: hello request\r\n"]),
        ('["TEXT/HTML", "image"]', ["% <html><body>Hello</body></html>\r\n%"]),
        ('["/", "text/", "/plain", "text/plain/x", "tex", "image/png"]', []),
    ],
)
def test_content_is_what_the_example_of_the_rfc_marks(types, expected):
    assert seen(f":content {types}") == expected


def test_the_empty_content_type_is_every_part():
    assert len(seen(':content ""')) == 4 + 3 + 1


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (':content "multipart" :contains "MIME"', True),
        (':content "text/plain" :contains "Hello"', True),
        (':content "text/html" :contains "Hello"', True),
        (':content "text" :contains "Hello"', True),
        (':content "message/rfc822" :contains "Hello"', True),
        (':content "message/rfc822" :contains "Please"', False),
        (':content "text" :contains "MIME"', False),
        (':content "multipart" :contains "Hello"', False),
        (':content "audio/mp3" :contains ""', False),
        (':content "message/rfc822" :contains ""', True),
        (':raw :contains "Content-Type: text/html"', True),
        (':raw :contains "Whomever"', False),
        (':raw :contains "--inner--"', True),
        (':text :contains "Hello"', True),
        (':contains "please say hello"', True),
        (':comparator "i;octet" :contains "please say hello"', False),
        (':contains "<body>"', False),
        (':content "text" :contains ["missile", "coordinates"]', False),
        (':contains "Hello\r\n$\r\n%"', False),
    ],
)
def test_body_on_the_example(test, expected):
    assert body(test) is expected


@pytest.mark.parametrize(
    ("script", "message", "cancelled"),
    [
        ('require "body"; if body :raw :contains "MAKE MONEY FAST" { discard; }', b"X: y\n\nmake money fast\n", True),
        ('require "body"; if body :raw :contains "MAKE MONEY FAST" { discard; }', b"X: make money fast\n\nno\n", False),
        (
            (
                'require ["body", "fileinto"]; if body :content "text" :contains ["missile", "coordinates"]'
                ' { fileinto "secrets"; }'
            ),
            b"X: y\n\nthe coordinates\n",
            True,
        ),
        (
            'require ["body", "fileinto"]; if body :content "audio/mp3" :contains "" { fileinto "jukebox"; }',
            b"Content-Type: audio/mp3\nContent-Transfer-Encoding: base64\n\nAAAA\n",
            True,
        ),
        (
            'require ["body", "fileinto"]; if body :text :contains "project schedule" { fileinto "project/schedule"; }',
            b"Content-Type: text/html\n\n<p>the <b>project</b>\nschedule</p>\n",
            True,
        ),
    ],
)
def test_the_other_examples_of_the_rfc(script, message, cancelled):
    assert outcome(script, message).implicit_keep is not cancelled


@pytest.mark.parametrize("transform", [":raw", ":text", "", ':content ""', ':content "text"'])
def test_without_an_empty_line_there_is_no_body(transform):
    message = b"Subject: only a header\n"
    assert not body(f'{transform} :is ""', message)
    assert not body(f'{transform} :contains ""', message)
    count = f'{transform} :count "eq" :comparator "i;ascii-numeric" "0"'
    assert not body(count, message, "relational comparator-i;ascii-numeric")


@pytest.mark.parametrize("transform", [":raw", ":text", "", ':content ""', ':content "text"'])
def test_an_empty_body_is_the_empty_string(transform):
    assert body(f'{transform} :is ""', b"Subject: x\n\n")
    assert body(f'{transform} :is ""', b"\n")


LATIN = b"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe aus =\nK=F6ln\n"
WRAPPED = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nR3LDvMOfZSBhdXMg\nS8O2bG4K\n"


@pytest.mark.parametrize("message", [LATIN, WRAPPED])
def test_encodings_and_charsets_are_undone(message):
    assert body(':contains "Grüße aus Köln"', message)
    assert body(':content "text" :is "Grüße aus Köln\r\n"', message)
    assert not body(':raw :contains "Grüße"', message)


@pytest.mark.parametrize(
    ("fields", "data", "text", "content"),
    [
        (b"Content-Type: text/plain; charset=x-nobody", b"ascii \xff", [b"ascii \xff"], [b"ascii \xff"]),
        (b"Content-Transfer-Encoding: x-nobody", b"weird", [], [b"weird"]),
        (b"Content-Type: rubbish", b"data", [], [b"data"]),
        (b"Content-Type: text/plain\nContent-Transfer-Encoding: base64", b"aGVsbG8", [b"hello"], [b"hello"]),
        (b"Content-Type: image/png\nContent-Transfer-Encoding: base64", b"AApC", [], [b"\0\nB"]),
        (b"Content-Type: text/plain", b"a\0b", [b"a\0b"], [b"a\0b"]),
    ],
)
def test_what_cannot_be_read_is_read_as_far_as_possible(fields, data, text, content):
    message = fields + b"\n\n" + data
    assert [value.encode("utf-8", "surrogateescape") for value in seen(":text", message)] == text
    assert [value.encode("utf-8", "surrogateescape") for value in seen(':content ""', message)] == content


def test_values_are_counted():
    more = "relational comparator-i;ascii-numeric"
    assert body(':text :count "eq" :comparator "i;ascii-numeric" "3"', EXAMPLE, more)
    assert body(':content "multipart" :count "eq" :comparator "i;ascii-numeric" "4"', EXAMPLE, more)
    assert body(':raw :count "eq" :comparator "i;ascii-numeric" "1"', EXAMPLE, more)


def test_wildcards_match_and_set_no_match_variables():
    script = """require ["body", "variables", "fileinto"];
        if header :matches "Subject" "what*" {
            if body :matches "*say *" { fileinto "${1}"; }
        }"""
    assert [effect.mailbox for effect in outcome(script, EXAMPLE).effects] == ["ever"]


def test_variables_are_filled_in_in_keys_and_types():
    script = """require ["body", "variables"];
        set "a" "text"; set "b" "Hello";
        if body :content "${a}/html" :contains "${b}" { discard; }"""
    assert not outcome(script, EXAMPLE).implicit_keep


@pytest.mark.parametrize(
    "test",
    [
        'body :raw :text "a"', 'body :raw :content "b" "a"', 'body :content "a"', "body :text", "body 1",
        'body :raw :raw "a"', 'body :content 1 "a"', 'body "a" "b"', 'body :is :contains "a"',
    ],
)  # fmt: skip
def test_wrong_uses_are_one_error_each(test):
    assert len(problems(f'require "body"; if {test} {{ keep; }}')) == 1


def test_it_needs_its_require():
    assert problems('if body "a" { keep; }')


def test_tags_stand_in_any_order():
    assert body(':contains :raw :comparator "i;octet" "Hello"')
    assert body(':comparator "i;octet" :content "text" :contains "Hello"')


def test_a_key_that_spans_lines_matches():
    assert body(":contains text:\nmulti-part message in MIME format.\n&\n.\n", EXAMPLE) is False
    assert body(":raw :contains text:\n&\n--inner\n.\n", EXAMPLE)


def test_looking_is_charged():
    message = b"Subject: x\n\n" + b"x" * 100_000
    assert "too much text" in failure(
        'require "body"; if body "y" { keep; }', message, limits=Limits(matching=50_000, looks=0)
    )
    script = 'require "body"; ' + 'if body :content "image" "y" { keep; }' * 20
    assert outcome(script, message, limits=Limits(matching=50_000, looks=0)).failure is None


def test_a_large_message_may_be_looked_at_several_times():
    message = b"Subject: x\n\n" + b"x" * 100_000
    script = 'require "body"; ' + 'if body :raw :contains "y" { keep; }' * 2
    assert outcome(script, message, limits=Limits(matching=0)).failure is None
    assert outcome(script + 'if body "y" { keep; }' * 5, message, limits=Limits(matching=0)).failure is not None


def test_letters_match_without_case_beside_letters_beyond_ascii():
    assert body(':contains "GRü"', "Subject: x\n\nein grüner\n".encode())
    assert not body(':contains "GRÜ"', "Subject: x\n\nein grüner\n".encode())
    assert body(':contains "ABC"', b"Subject: x\n\n\xff abc \xfe\n")
