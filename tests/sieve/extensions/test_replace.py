import pytest

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, tree
from sievemda.sieve import Limits
from tests.sieve.trying import failure, outcome, problems

R = 'require ["foreverypart", "mime", "replace", "fileinto", "copy", "variables", "editheader", "extracttext"];\n'
PLAIN = b"""\
Received: from somewhere
From: Author <author@example.org>
Subject: =?utf-8?q?f=C3=BCr?= you
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8
Content-Disposition: inline
X-Other: kept

<p>old</p>
"""
MIXED = b"""\
Subject: files
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner

one
--inner
Content-Type: text/html

two
--inner--
--outer
Content-Type: application/exe; name=a.exe
Content-Disposition: attachment; filename="run.com"
Content-Transfer-Encoding: base64

TVo=
--outer
Content-Type: message/rfc822

Subject: inside
Content-Type: text/x

three
--outer--
"""


def kept(script, message=MIXED, **options):
    """The message that is kept at the end."""
    found = outcome(R + script, message, **options)
    assert found.failure is None, found.failure
    return (found.effects[-1].message or Message(message.replace(b"\r", b""))).data


def texts(data):
    return [part.text for part in tree(Message(data), Bounds(100, 20)).walk() if not part.children]


def test_the_whole_message_keeps_all_fields_but_those_about_its_structure():
    assert kept('replace "neu: für";', PLAIN) == (
        b"Received: from somewhere\nFrom: Author <author@example.org>\nSubject: =?utf-8?q?f=C3=BCr?= you\nX-Other: kept\n"
        b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
        b"neu: f=C3=BCr\n"
    )


def test_subject_and_from_are_new_and_the_old_ones_are_kept():
    data = kept('replace :subject "new" :from "Me <me@example.org>, you@example.org" "x";', PLAIN)
    head = Message(data)
    assert head.values("subject") == ("new",)
    assert head.raw_values("original-subject") == (b" =?utf-8?q?f=C3=BCr?= you",)
    assert head.values("from") == ("Me <me@example.org>, you@example.org",)
    assert head.values("original-from") == ("Author <author@example.org>",)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [("plain", b" plain"), ("für", b" =?utf-8?B?ZsO8cg==?="), ("=?utf-8?q?x?=", b" =?utf-8?q?x?=")],
)
def test_a_subject_is_encoded_if_and_only_if_it_is_not_ascii(subject, expected):
    assert Message(kept(f'replace :subject "{subject}" "x";', PLAIN)).raw_values("subject") == (expected,)


def test_an_entity_brings_its_mime_fields_and_no_others():
    script = """replace :mime text:
Content-Type: text/html; charset=utf-8
Subject: not this
Content-Language: de

<p>new</p>
.
;"""
    message = Message(kept(script, PLAIN))
    assert message.values("subject") == ("für you",)
    assert message.values("content-type") == ("text/html; charset=utf-8",)
    assert message.values("content-language") == ("de",)
    assert message.values("content-disposition") == ()
    assert message.data.endswith(b"\n\n<p>new</p>\n")


@pytest.mark.parametrize(("entity", "body"), [("two\r\nlines", b"two\nlines"), ("\r\nx: y", b"x: y"), ("", b"")])
def test_an_entity_without_header_is_a_body_alone(entity, body):
    message = Message(kept(f'replace :mime "{entity}";', PLAIN))
    assert message.values("content-type") == ()
    assert message.data.rstrip(b"\n").endswith(b"\n\n" + body if body else b"MIME-Version: 1.0")


def test_in_a_loop_the_part_is_replaced():
    script = """foreverypart {
        if header :mime :contenttype "Content-Type" "application/exe" { replace "removed"; }
    }"""
    data = kept(script)
    assert texts(data) == ["one", "two", "removed", "three"]
    assert b"run.com" not in data
    before, _, rest = MIXED.partition(b"Content-Type: application/exe")
    assert data.startswith(before + b"Content-Type: text/plain")
    assert data.endswith(b"\n\nremoved\n" + rest.partition(b"TVo=\n")[2])


def test_a_multipart_is_replaced_with_all_that_is_in_it():
    script = """foreverypart {
        if header :mime :subtype "Content-Type" "alternative" { replace "gone"; }
        if header :mime :contenttype "Content-Type" "text/html" { fileinto "never"; }
    }
    foreverypart { if header :mime :type "content-type" "message" { fileinto :copy "later"; } }"""
    found = outcome(R + script, MIXED)
    assert texts(found.effects[0].message.data) == ["gone", "MZ", "three"]
    assert [effect.mailbox for effect in found.effects] == ["later", None]


def test_a_loop_does_not_go_into_what_it_replaced():
    script = """set "n" "";
    foreverypart {
        set "n" "${n}x";
        replace :mime text:
Content-Type: multipart/mixed; boundary=q

--q

a
--q--
.
;
    }
    fileinto "${n}";"""
    assert outcome(R + script, MIXED).effects[0].mailbox == "x"


def test_later_loops_see_the_new_structure():
    script = """replace :mime text:
Content-Type: multipart/mixed; boundary=q

--q

a
--q--
.
;
    set "n" ""; foreverypart { set "n" "${n}x"; extracttext "t"; } fileinto "${n}${t}";"""
    assert outcome(R + script, PLAIN).effects[0].mailbox == "xxa"


def test_the_header_of_an_enclosed_message_is_kept():
    script = 'foreverypart { if header :mime "subject" "inside" { replace :subject "not used" "new"; } }'
    data = kept(script)
    assert b"Content-Type: message/rfc822\n\nSubject: inside\nMIME-Version: 1.0\nContent-Type: text/plain" in data
    assert b"not used" not in data


def test_in_its_first_turn_a_loop_replaces_the_message():
    assert Message(kept('foreverypart { replace :subject "s" "all"; break; }')).values("original-subject") == ("files",)


def test_replacing_every_part_in_turn_ends():
    script = 'foreverypart { if not header :mime :type "content-type" "multipart" { replace "r"; } }'
    assert texts(kept(script)) == ["r", "r", "r", "r"]


def test_text_that_looks_like_a_boundary_stays_text():
    script = 'foreverypart { if header :mime :type "content-type" "application" { replace "--outer--\r\n--outer"; } }'
    assert texts(kept(script)) == ["one", "two", "--outer--\r\n--outer", "three"]


def test_an_entity_that_breaks_out_is_a_run_time_error():
    script = """foreverypart { if header :mime :type "content-type" "application" { replace :mime text:
Content-Type: text/plain

--outer
.
; } }"""
    assert "boundary" in failure(R + script, MIXED)


def test_actions_before_it_have_the_message_as_it_was():
    found = outcome(
        R + 'fileinto :copy "A"; replace "1"; fileinto :copy "B"; replace "2"; redirect :copy "x@y.example";', PLAIN
    )
    first, second, third, last = found.effects
    assert first.message is None
    assert second.message.data.endswith(b"\n\n1\n")
    assert third.message.data.endswith(b"\n\n2\n")
    assert last.message is third.message


def test_tests_see_the_new_message():
    script = """require ["replace", "body", "fileinto"];
        replace "brand new";
        if allof (body :is "brand new\r\n", size :under 400, not body :raw :contains "old") { fileinto "A"; }"""
    assert outcome(script, PLAIN).effects[0].mailbox == "A"


def test_the_kept_fields_cannot_be_deleted():
    script = 'replace :subject "new" "x"; deleteheader "Original-Subject"; deleteheader "Original-From";'
    with_original = b"Original-From: older\n" + PLAIN
    message = Message(kept(script, with_original))
    assert message.values("original-subject") == ("für you",)
    assert message.values("original-from") == ()


def test_edits_of_the_header_stay():
    assert b"X-New: 1\n" in kept(
        'addheader "X-New" "1"; foreverypart { if exists :mime "x" {} break; } replace "x";', PLAIN
    )
    script = 'foreverypart { if header :mime :type "content-type" "application" { addheader "X-N" "1"; replace "r"; } }'
    data = kept(script)
    assert data.startswith(b"X-N: 1\n")
    assert "r" in texts(data)


def test_what_was_done_is_told():
    assert [edit.text for edit in outcome(R + 'replace "x";', PLAIN).edits] == ["replaced the message"]


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ('replace :mime :subject "x" "y";', "cannot be used together"),
        ('replace :mime :from "a@b" "y";', "cannot be used together"),
        ('replace :from "not an address" "y";', "invalid address"),
        ('replace :from "" "y";', "invalid address"),
        ("replace;", "positional"),
        ('replace ["a", "b"];', "expects a string"),
        ('replace :subject "x";', "positional"),
        ('replace :headers "x" "y";', "unknown tagged argument"),
    ],
)
def test_wrong_uses_are_errors(script, text):
    (found,) = problems(R + script)
    assert text in found


def test_a_sender_that_turns_out_wrong_is_a_run_time_error():
    assert "invalid address" in failure(R + 'set "a" "b c"; replace :from "${a}" "x";', PLAIN)


def test_a_sender_whose_octets_are_no_utf8_is_wrong():
    script = 'require ["replace", "variables"]; if header :matches "x" "*" { replace :from "${1}" "b"; }'
    assert "invalid address in ':from'" in failure(script, b'X: "\x95\x8f"@example.org\n\na\n')


def test_the_example_of_the_rfc():
    """RFC 5703 §9.1."""
    script = """require [ "foreverypart", "mime", "replace" ];
        foreverypart
        {
          if anyof (
                 header :mime :contenttype :is
                   "Content-Type" "application/exe",
                 header :mime :param "filename"
                   :matches ["Content-Type", "Content-Disposition"] "*.com" )
          {
            replace "Executable attachment removed by user filter";
          }
        }"""
    found = outcome(script, MIXED)
    assert texts(found.effects[0].message.data)[2] == "Executable attachment removed by user filter"


def test_making_messages_is_charged():
    script = R + 'replace "x' + "y" * 10_000 + '";' + 'replace "x";' * 50
    assert "too much text" in failure(script, PLAIN + b"x" * 100_000, limits=Limits(matching=30_000, looks=0))
