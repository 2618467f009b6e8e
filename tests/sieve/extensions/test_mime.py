import pytest

from tests.sieve.trying import actions, filed, hints, holds, outcome, problems

MESSAGE = b"""\
From: Tim <tim@example.com>
Subject: root
Content-Type: multipart/mixed; boundary=b
Content-From: tim@example.com

--b
Content-Type: text/html; charset="UTF-8"
X-Part: yes

<p>hello</p>
--b
Content-Type: application/pdf;
 name*0*=utf-8''wichtig%20f%C3%BCr; name*1=" alle.pdf"
Content-Disposition: ATTACHMENT; filename="=?utf-8?q?f=C3=BCr?= important.pdf"
Content-Description: =?utf-8?q?f=C3=BCr?=
Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==

%PDF
--b
Content-Type: message/rfc822

From: Someone Else <else@example.com>
Subject: inside

hi
--b
Content-Type: rubbish

x
--b--
"""
IMAGE = b"Content-Type: image/png; name=a.png\n\nx\n"


def mime(test, message=MESSAGE, require=""):
    return holds(test, message, f"mime {require}")


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (':mime :type "Content-Type" "multipart"', True),
        (':mime :subtype "Content-Type" "mixed"', True),
        (':mime :contenttype "Content-Type" "multipart/mixed"', True),
        (':mime :param "boundary" "Content-Type" "b"', True),
        (':mime :param ["x", "BOUNDARY"] "Content-Type" "b"', True),
        (':mime :param "x" "Content-Type" ""', False),
        (':mime :type "Subject" ""', True),
        (':mime :type "Subject" "root"', False),
        (':mime :subtype "Subject" ""', True),
        (':mime :contenttype "Subject" ""', True),
        (':mime "Subject" "root"', True),
        (':mime "X-Part" "yes"', False),
        (':mime :anychild "X-Part" "yes"', True),
        (':mime :anychild "Subject" "inside"', True),
        (':mime :anychild "Subject" "root"', True),
        ('"X-Part" "yes"', False),
        (':mime :anychild :contenttype "Content-Type" "text/html"', True),
        (':mime :anychild :type "Content-Type" "image"', False),
        (':mime :anychild :type "Content-Disposition" "attachment"', True),
        (':mime :anychild :contenttype "Content-Disposition" "attachment"', True),
        (':mime :anychild :subtype "Content-Disposition" ""', True),
        (':mime :anychild :param "filename" "Content-Disposition" "für important.pdf"', True),
        (':mime :anychild :param "name" "Content-Type" "wichtig für alle.pdf"', True),
        (':mime :anychild :param ["filename", "name"] :contains ["Content-Type", "Content-Disposition"] "alle"', True),
        (':mime :anychild :param "charset" "Content-Type" "utf-8"', True),
        (':mime :anychild :param "charset" :comparator "i;octet" "Content-Type" "utf-8"', False),
        (':mime :anychild "Content-Description" "für"', True),
        (':mime :anychild :contenttype :contains "Content-Type" "rubbish"', False),
        (':mime :anychild "Content-Type" "rubbish"', True),
    ],
)
def test_header_looks_at_the_fields_of_parts(test, expected):
    assert mime(f"header {test}") is expected


@pytest.mark.parametrize(
    ("test", "count"),
    [
        (':mime :anychild :type "Content-Type"', 4),
        (':mime :anychild :param "name" "Content-Type"', 1),
        (':mime :anychild :param ["name", "charset", "boundary"] "Content-Type"', 3),
        (':mime :anychild :param "nobody" "Content-Type"', 0),
        (':mime :type "X-Nobody"', 0),
        (':mime :anychild :subtype "Content-Disposition"', 1),
        (':mime :anychild "Subject"', 2),
    ],
)
def test_what_was_parsed_is_counted(test, count):
    options = ':count "eq" :comparator "i;ascii-numeric"'
    more = "relational comparator-i;ascii-numeric"
    assert mime(f'header {options} {test} "{count}"', require=more)


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('address :mime :is :all "content-from" "tim@example.com"', True),
        ('address :mime "from" "else@example.com"', False),
        ('address :mime :anychild "from" "else@example.com"', True),
        ('address :mime :anychild :localpart "from" ["else", "x"]', True),
        ('address :mime :anychild :domain :contains "from" "example"', True),
        ('address "from" "else@example.com"', False),
        ('exists :mime :anychild "content-md5"', True),
        ('exists :mime "content-md5"', False),
        ('exists "content-md5"', False),
        ('exists :mime :anychild ["content-md5", "x-part"]', True),
        ('exists :mime :anychild ["content-md5", "x-nobody"]', False),
    ],
)
def test_address_and_exists_look_at_the_fields_of_parts(test, expected):
    assert mime(test) is expected


def test_the_values_of_a_parameter_are_matched_with_wildcards():
    script = """require ["mime", "variables", "fileinto"];
        if header :mime :anychild :param "filename" :matches "content-disposition" "*.pdf" { fileinto "${1}"; }"""
    assert actions(script, MESSAGE) == [filed("für important")]


@pytest.mark.parametrize("option", [":type", ":subtype", ":contenttype"])
def test_names_are_tested_as_they_are_written(option):
    message = b"Content-Type: TEXT/TEXT\nContent-Disposition: INLINE\n\nx\n"
    test = f'header :mime {option} :comparator "i;octet" :contains'
    assert holds(f'{test} "content-type" "TEXT"', message, require="mime")
    assert not holds(f'{test} "content-type" "text"', message, require="mime")
    assert holds(f'{test} "content-disposition" "INLINE"', message, require="mime") is (option != ":subtype")


@pytest.mark.parametrize("name", ["evil.exe", "good.txt"])
def test_of_two_forms_of_a_file_name_each_is_seen(name):
    message = b"Content-Disposition: attachment; filename=evil.exe; filename*=utf-8''good.txt\n\nx\n"
    assert holds(f'header :mime :param "filename" "content-disposition" "{name}"', message, require="mime")


def test_a_loop_decides_which_part_is_looked_at():
    script = """require ["mime", "foreverypart", "fileinto"];
        foreverypart {
            if header "subject" "inside" { fileinto "never"; }
            if header :mime "x-part" "yes" { fileinto "part"; }
            if header :mime :anychild "x-part" "yes" { fileinto "below"; }
            if address :mime "from" "else@example.com" { fileinto "address"; }
            if exists :mime "content-md5" { fileinto "exists"; }
            if allof (header :mime :contenttype "content-type" "message/rfc822",
                      header :mime :anychild "subject" "inside",
                      not header :mime :anychild "subject" "root") { fileinto "tree"; }
        }"""
    assert [effect.mailbox for effect in outcome(script, MESSAGE).effects] == [
        "below", "part", "exists", "tree", "address",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "mailbox"),
    [
        ('if header :mime :type "Content-Type" "image" { fileinto "INBOX.images"; }', "INBOX.images"),
        ('if header :mime :anychild :contenttype "Content-Type" "image/png" { fileinto "INBOX.html"; }', "INBOX.html"),
        ('if exists :mime :anychild "content-type" { fileinto "INBOX.md5"; }', "INBOX.md5"),
    ],
)
def test_examples_of_the_rfc(script, mailbox):
    assert actions('require ["mime", "fileinto"];' + script, IMAGE) == [filed(mailbox)]


def test_the_example_of_a_loop():
    """RFC 5703 §4.1, its size as a number, which RFC 5228 §5.9 wants; it is that of the message."""
    script = """require ["mime", "foreverypart", "fileinto"];
        foreverypart {
            if allof (header :mime :param "filename" :contains "Content-Disposition" "important",
                      header :mime :subtype "Content-Type" "pdf",
                      size :over 100) {
                fileinto "INBOX.important";
                break;
            }
        }"""
    assert actions(script, MESSAGE) == [filed("INBOX.important")]
    assert actions(script.replace("100)", "100K)"), MESSAGE) != [filed("INBOX.important")]


@pytest.mark.parametrize(
    ("test", "text"),
    [
        ('header :anychild "a" "b"', "':anychild' tag of the header test needs the ':mime' tag"),
        ('header :type "a" "b"', "':type' tag"),
        ('header :param "x" "a" "b"', "':param' tag"),
        ('address :anychild "from" "b"', "':anychild' tag"),
        ('exists :anychild "from"', "':anychild' tag"),
        ('header :mime :type :subtype "a" "b"', "MIME option"),
        ('header :mime :param "x" :contenttype "a" "b"', "MIME option"),
        ('header :mime :mime "a" "b"', "duplicate"),
        ('address :mime :type "from" "b"', "unknown tagged argument ':type'"),
        ('exists :mime :param "x" "from"', "unknown tagged argument ':param'"),
        ('address "content-from" "b"', "not allowed"),
        ('header :mime :param "a" "b"', "positional"),
        ('header :mime :param 1 "a" "b"', "expects a string list"),
        ("size :mime :over 1", "unknown tagged argument"),
    ],
)
def test_wrong_uses_are_errors(test, text):
    (found,) = problems(f'require "mime"; if {test} {{ keep; }}')
    assert text in found


def test_the_tags_need_their_require():
    assert 'add require ["mime"]' in hints('if header :mime "a" "b" { keep; }')[0]


def test_no_part_at_all_is_no_error():
    assert not mime('header :mime :anychild "a" "b"', b"")
    assert not mime('header :mime :anychild :contenttype :contains "content-type" ""', b"Subject: x\n\n\n")


def test_a_broken_or_empty_part_is_no_error():
    broken = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\n--b\nContent-Type: text/plain; charset\n--b--\n"
    assert mime('header :mime :anychild :type "content-type" "text"', broken)
