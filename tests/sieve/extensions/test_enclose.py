import pytest

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, tree
from tests.sieve.trying import NOW, outcome, problems

R = 'require ["foreverypart", "mime", "enclose", "replace", "fileinto", "copy", "variables", "editheader"];\n'
MESSAGE = b"""\
Received: from somewhere
From: Author <author@example.org>
To: owner@example.org
Subject: files
X-Kept: folded
 value
Content-Type: multipart/signed; boundary=b

--b

signed\xfc
--b
Content-Type: application/zip; name="a.zip"

x
--b--
"""


def kept(script, message=MESSAGE):
    found = outcome(R + script, message)
    assert found.failure is None, found.failure
    return found.effects[-1].message


def inside(message):
    part = tree(message, Bounds(100, 20)).at((1,))
    return part.data[part.body : part.end]


def test_the_message_is_enclosed_octet_for_octet_behind_the_text():
    message = kept('enclose "look: für";')
    root = tree(message, Bounds(100, 20))
    assert root.type.name == "multipart/mixed"
    assert [part.type.name for part in root.children] == ["text/plain", "message/rfc822"]
    assert root.children[0].text == "look: für"
    assert inside(message) == MESSAGE


def test_date_and_sender_are_made_and_the_subject_is_that_of_the_message():
    message = kept('enclose "x";')
    assert message.values("date") == (NOW.strftime("%a, %d %b %Y %H:%M:%S +0000"),)
    assert message.values("from") == ("roadrunner@acme.example.com",)
    assert message.values("subject") == ("files",)
    assert message.values("mime-version") == ("1.0",)
    assert len(message.values("message-id")) == 1
    for name in ("received", "to", "x-kept"):
        assert message.values(name) == ()


def test_a_message_without_subject_is_enclosed_without_one():
    assert kept('enclose "x";', b"From: a@b.example\n\nhi\n").values("subject") == ()


@pytest.mark.parametrize(("subject", "expected"), [("Warning", "Warning"), ("für dich", "für dich")])
def test_a_subject_may_be_given(subject, expected):
    assert kept(f'enclose :subject "{subject}" :headers ["subject"] "x";').values("subject") == (expected,)


def test_headers_are_copied():
    message = kept('enclose :headers ["from", "TO", "X-Kept", "X-Nobody", "Content-Type", "MIME-Version"] "x";')
    assert message.values("from") == ("Author <author@example.org>",)
    assert message.values("to") == ("owner@example.org",)
    assert message.raw_values("x-kept") == (b" folded\n value",)
    assert len(message.values("content-type")) == 1
    assert message.values("subject") == ("files",)


def test_several_times_is_several_times():
    message = kept('enclose :subject "1" "a"; enclose :subject "2" "b";')
    assert message.values("subject") == ("2",)
    inner = Message(inside(message))
    assert inner.values("subject") == ("1",)
    assert inside(inner) == MESSAGE
    assert inner.values("message-id") != message.values("message-id")


def test_what_comes_later_has_to_do_with_the_new_message():
    script = """enclose :subject "new" "x"; addheader "X-A" "b";
        if allof (header "subject" "new", not exists "x-kept", header :mime :type "content-type" "multipart",
                  exists :mime :anychild "x-kept") { fileinto "A"; }"""
    found = outcome(R + script, MESSAGE)
    assert found.effects[0].mailbox == "A"
    assert found.effects[0].message.values("x-a") == ("b",)
    assert inside(found.effects[0].message) == MESSAGE


def test_redirect_sends_the_message_without_it():
    found = outcome(R + 'redirect :copy "a@b.example"; enclose "x"; redirect :copy "c@d.example";', MESSAGE)
    first, second, keep = found.effects
    assert first.message is None
    assert second.message is None
    assert inside(keep.message) == MESSAGE


def test_redirect_sends_the_edits_that_were_made_before():
    found = outcome(R + 'addheader "X-A" "1"; enclose "x"; addheader "X-B" "2"; redirect :copy "c@d.example";', MESSAGE)
    assert found.effects[0].message.values("x-a") == ("1",)
    assert found.effects[0].message.values("x-b") == ()
    assert found.effects[1].message.values("x-b") == ("2",)


def test_a_loop_goes_on_with_the_parts_of_the_enclosed_message():
    script = """set "n" "";
        foreverypart {
            if header :mime :contenttype :matches "content-type" "*" { set "n" "${n} ${1}"; }
            if header :mime :type "content-type" "multipart" { enclose "x"; }
        }
        fileinto "${n}";"""
    assert outcome(R + script, MESSAGE).effects[0].mailbox == " multipart/signed application/zip"


def test_a_part_of_the_enclosed_message_can_still_be_replaced():
    script = """foreverypart {
            if header :mime :type "content-type" "application" { enclose "x"; replace "gone"; }
        }"""
    part = tree(kept(script), Bounds(100, 20)).at((1, 0, 1))
    assert part.text == "gone"


def test_a_header_that_was_edited_is_enclosed_as_it_is():
    assert inside(kept('addheader "X-A" "1"; enclose "x";')) == b"X-A: 1\n" + MESSAGE


@pytest.mark.parametrize("message", [b"", b"\n", b"no header at all", b"Subject: only a header\n"])
def test_any_message_can_be_enclosed(message):
    assert inside(kept('enclose "x";', message)) == message


def test_the_example_of_the_rfc():
    """RFC 5703 §9.2, with its multi-line string as RFC 5228 §2.4.2 has it."""
    script = """require [ "foreverypart", "mime", "enclose" ];
        foreverypart
        {
          if header :mime :param "filename"
             :matches ["Content-Type", "Content-Disposition"]
               ["*.com", "*.exe", "*.vbs", "*.scr",
                "*.pif", "*.hta", "*.bat", "*.zip" ]
          {
            # these attachment types are executable
            enclose :subject "Warning" text:
WARNING! The enclosed message contains executable attachments.
These attachment types may contain a computer virus program
that can infect your computer and potentially damage your data.

Before clicking on these message attachments, you should verify
with the sender that this message was sent by them and not a
computer virus.
.
;
            break;
          }
        }"""
    assert outcome(script, MESSAGE).effects[0].message is None
    found = outcome(script, MESSAGE.replace(b'name="a.zip"', b'filename="a.zip"')).effects[0].message
    assert found.values("subject") == ("Warning",)
    assert b"\n\nWARNING! The enclosed message" in found.data


@pytest.mark.parametrize(
    "script",
    [
        "enclose;",
        'enclose :headers 1 "x";',
        'enclose :subject ["a", "b"] "x";',
        'enclose ["a", "b"];',
        'enclose :mime "x";',
    ],
)
def test_wrong_uses_are_errors(script):
    assert len(problems(R + script)) == 1
