import pytest

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, tree
from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.facts import Executed, Unknown
from sievemda.sieve.rehearsal import message_of
from tests.sieve.trying import envelope, outcome, problems

R = 'require ["convert", "foreverypart", "mime", "fileinto", "copy", "variables", "body"];\n'
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n"
MIXED = b"""\
Subject: pictures
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: image/tiff; name=a
Content-Transfer-Encoding: base64
Content-Disposition: inline; filename="inline.tiff"
Content-MD5: x

aW1hZ2U=
--b
Content-Type: image/tiff
Content-ID: <2@example>

second
--b
Content-Type: text/html; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

<p>f=FCr</p>
--b--
"""


class Site(Unknown):
    """A site that has a program for pictures, which works or fails."""

    def __init__(self, ok=True):
        self.ok, self.asked = ok, []

    def execute(self, kind, program, arguments, data):
        self.asked.append((kind, program, tuple(arguments), data))
        known = program in {"image-tiff-to-image-jpeg", "image-jpeg-to-image-jpeg", "image-tiff-to-text-plain"}
        return Executed(self.ok, b"[" + data + b" " + " ".join(arguments).encode() + b"]") if known else None


def converted(script, message=MIXED, site=None):
    program = compile_script(R + script, Limits())
    found = run(program, message_of(message), envelope(), site or Site(), Limits())
    assert found.failure is None, found.failure
    return found


def contents(message):
    walk = tree(message, Bounds(100, 20)).walk()
    return [(part.type.name, part.octets) for part in walk if not part.children]


def kept(script, message=MIXED, site=None):
    return converted(script, message, site).effects[-1].message


def test_all_parts_of_the_type_are_converted():
    """RFC 6558 §3.1."""
    message = kept('convert "image/tiff" "image/jpeg" ["pix-x=320","pix-y=240"];')
    assert contents(message)[:2] == [
        ("image/jpeg", b"[image pix-x=320 pix-y=240]"),
        ("image/jpeg", b"[second pix-x=320 pix-y=240]"),
    ]
    assert contents(message)[2] == contents(Message(MIXED))[2]


def test_a_part_keeps_what_says_what_it_is_for():
    first, second, _ = tree(kept('convert "image/tiff" "image/jpeg" "";'), Bounds(100, 20)).children
    assert first.header.values("content-disposition") == ('inline; filename="inline.tiff"',)
    assert second.header.values("content-id") == ("<2@example>",)
    assert first.header.values("content-md5") == ()
    assert first.header.values("content-type") == ("image/jpeg",)


def test_in_a_loop_only_the_part_is_converted():
    """RFC 6558 §3.3, its file name and size as they are here."""
    script = """foreverypart {
          if header :mime :param "filename" :contains "Content-Disposition" "inline" {
            if size :over 500K {
              convert "image/tiff" "image/jpeg" ["pix-x=640","pix-y=480"];
            } else {
              convert "image/tiff" "image/jpeg" ["pix-x=320","pix-y=240"];
            }
          }
        }"""
    assert [kind for kind, _ in contents(kept(script))] == ["image/jpeg", "image/tiff", "text/html"]


@pytest.mark.parametrize(("ok", "mailbox"), [(True, "INBOX.pics"), (False, None)])
def test_as_a_test_it_says_whether_it_went_well(ok, mailbox):
    """RFC 6558 §3.2, without the brackets that RFC 5228 §8.2 does not know."""
    script = """if header :mime :anychild :contenttype "Content-Type" "image/tiff" {
          if convert "image/tiff" "image/jpeg" ["pix-x=320","pix-y=240"] { fileinto "INBOX.pics"; }
        }"""
    (effect,) = converted(script, site=Site(ok)).effects
    assert effect.mailbox == mailbox
    assert (effect.message is not None) is ok


def test_a_message_without_such_a_part_is_not_affected_and_nothing_failed():
    found = converted('if convert "video/x" "video/y" "" { fileinto "A"; }')
    assert found.effects[0].mailbox == "A"
    assert found.effects[0].message is None


def test_each_action_has_the_message_of_its_time():
    """RFC 6558 §3.4."""
    script = """
        if header :mime :anychild :contenttype "Content-Type" "image/tiff" {
          convert "image/tiff" "image/jpeg" ["pix-x=640","pix-y=480"];
          fileinto "INBOX.pics";
        }
        foreverypart {
          if header :mime :param "filename" :contains "Content-Disposition" "inline" {
            convert "image/jpeg" "image/jpeg" ["pix-x=320","pix-y=240"];
          }
        }
        if exists "Mobile-Link" { redirect "joe@mobile.example.com"; }
        if header :mime :anychild :contenttype "Content-Type" "image/tiff" { fileinto "Tiff"; }"""
    pics, mobile = converted(script, b"Mobile-Link: yes\n" + MIXED).effects
    assert [data for _, data in contents(pics.message)][:2] == [
        b"[image pix-x=640 pix-y=480]",
        b"[second pix-x=640 pix-y=480]",
    ]
    assert [data for _, data in contents(mobile.message)][:2] == [
        b"[[image pix-x=640 pix-y=480] pix-x=320 pix-y=240]",
        b"[second pix-x=640 pix-y=480]",
    ]


def test_one_failure_rolls_all_of_it_back():
    script = 'if not convert "image/tiff" "image/nobody" "" { fileinto "failed"; }'
    found = converted(script)
    assert found.effects[0].mailbox == "failed"
    assert found.effects[0].message is None
    assert "there is no such conversion" in found.notes[0].text
    broken = MIXED.replace(b"Content-ID: <2@example>", b"Content-Transfer-Encoding: x-nobody")
    assert converted('convert "image/tiff" "image/jpeg" "";', broken).effects[0].message is None


def test_the_program_gets_the_data_and_the_parameters():
    site = Site()
    converted('convert "Image/TIFF" "image/JPEG" ["pix-x=1"];', site=site)
    assert site.asked[0] == ("convert", "image-tiff-to-image-jpeg", ("pix-x=1",), b"image")


def test_text_that_a_program_makes_is_a_text():
    first = tree(kept('convert "image/tiff" "text/plain" "";'), Bounds(100, 20)).children[0]
    assert first.charset == "utf-8"
    assert first.text.strip() == "[image ]"


@pytest.mark.parametrize(
    ("source", "target", "params", "expected"),
    [
        ("text/html", "text/plain", '""', "für"),
        ("text/html", "text/plain", '"charset=us-ascii"', None),
        ("text/html", "text/plain", '["charset=us-ascii", "unknown-character-replacement=?"]', "f?r"),
        ("text/html", "text/plain", '["charset=us-ascii", "unknown-character-replacement=ü"]', None),
        ("text/html", "text/html", '"charset=utf-8"', "<p>für</p>"),
        ("text/html", "text/html", '"charset=utf-16"', "<p>für</p>"),
        ("TEXT/HTML", "text/plain", '"charset=x-nobody"', None),
        ("text/html", "text/plain", '"pix-x=3"', None),
        ("text/html", "text/calendar", '""', None),
    ],
)
def test_texts_are_converted_without_any_program(source, target, params, expected):
    found = outcome(f'{R} if convert "{source}" "{target}" {params} {{ fileinto "A"; }}', MIXED)
    message = found.effects[0].message
    assert (message is not None) is (expected is not None) is (found.effects[0].mailbox == "A")
    if message is not None:
        part = tree(message, Bounds(100, 20)).children[2]
        assert part.type.name == target
        assert part.exact().strip() == expected or part.text.strip() == expected


def test_plain_text_becomes_html_that_shows_it():
    message = outcome(R + 'convert "text/plain" "text/html" "";', b"Subject: x\n\na < b\n").effects[0].message
    part = tree(message, Bounds(100, 20))
    assert part.header.values("subject") == ("x",)
    assert part.readable == "a < b"


def test_text_that_is_not_in_its_charset_is_not_converted():
    broken = b"Content-Type: text/plain; charset=utf-8\n\nf\xfcr\n"
    assert outcome(R + 'convert "text/plain" "text/html" "";', broken).effects[0].message is None


def test_later_tests_see_what_was_converted():
    script = 'convert "text/html" "text/plain" ""; if body :content "text/plain" :contains "für" { fileinto "A"; }'
    assert converted(script).effects[0].mailbox == "A"


@pytest.mark.parametrize(
    "script",
    [
        'convert "image" "image/jpeg" "";', 'convert "image/tiff" "jpeg" "";', 'convert "a/b" "c/d";', 'convert "a/b";',
        'convert "a/b" "c/d" "pix";', 'convert "a/b" "c/d" ["=1"];', 'convert "a/b" ["c/d"] "";', 'convert :x "a/b" "c/d" "";',
        'if convert "a/b" "c/d" { keep; }', 'if convert "a" "c/d" "" { keep; }',
    ],
)  # fmt: skip
def test_wrong_uses_are_errors(script):
    assert len(problems(R + script)) == 1


def test_what_contains_parts_cannot_be_converted():
    found = outcome(R + 'if not convert "multipart/mixed" "text/plain" "" { discard; }', MULTIPART)
    assert not found.implicit_keep
    assert found.edits == ()


def test_faults_name_the_action_or_the_test():
    assert "the convert command requires" in problems(R + "convert;")[0]
    assert "the convert test requires" in problems(R + "if convert { keep; }")[0]
