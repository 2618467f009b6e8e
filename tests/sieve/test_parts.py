"""Parts of messages beside includes, several scripts in a row, and mail that is made to be slow."""

import base64
import random
from functools import partial

import pytest

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, tree
from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.rehearsal import Imagined
from sievemda.sieve.sequence import Stage, run_all
from tests.sieve.extensions.test_include import outcome as including
from tests.sieve.steps import steps
from tests.sieve.trying import COYOTE, NOW, envelope

LOOP = 'require ["foreverypart", "include", "vnd.dovecot.debug", "mime"];\n'
MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\none\n--b\nX: y\n\ntwo\n--b--\n"


def test_an_included_script_is_at_the_part_of_the_loop():
    script = LOOP + 'foreverypart { include "inner"; }'
    inner = LOOP + 'if exists :mime "x" { debug_log "here"; } foreverypart { debug_log "below"; }'
    assert [note.text for note in including(script, MIXED, inner=inner).notes] == ["below", "below", "here"]


def test_return_ends_the_loop_of_an_included_script():
    script = LOOP + 'include "inner"; foreverypart { debug_log "outer"; break; }'
    inner = LOOP + 'foreverypart { debug_log "inner"; return; }'
    assert [note.text for note in including(script, MIXED, inner=inner).notes] == ["inner", "outer"]


@pytest.mark.parametrize(("depth", "fails"), [(2, False), (3, True)])
def test_loops_are_counted_across_includes(depth, fails):
    message = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(8))
    script = LOOP + 'foreverypart { foreverypart { include "inner"; } }'
    inner = LOOP + "foreverypart {" * depth + "keep;" + "}" * depth
    failure = including(script, message, inner=inner).failure
    assert (failure is not None and "the limit is 4" in failure.text) is fails


def in_a_row(*scripts):
    stages = [Stage(partial(compile_script, script, Limits())) for script in scripts]
    return run_all(stages, Message(COYOTE), envelope(), Imagined(NOW), Limits())


def test_a_script_behind_another_one_redirects_what_was_not_enclosed():
    first = 'require ["enclose", "replace"]; replace :subject "new" "text"; enclose "note";'
    second = 'require ["copy", "editheader"]; redirect :copy "a@b.example";'
    redirect, keep = in_a_row(first, second).effects
    assert redirect.message.values("subject") == ("new",)
    assert b"message/rfc822" not in redirect.message.data
    assert b"message/rfc822" in keep.message.data


def test_a_script_behind_another_one_cannot_delete_what_that_one_has_kept():
    first = 'require "replace"; replace :subject "new" "text";'
    second = 'require "editheader"; deleteheader "Original-Subject";'
    (keep,) = in_a_row(first, second).effects
    assert keep.message.values("original-subject") == ("I have a present for you",)


# -- mail that is made to be slow ----------------------------------------------------------------------------------

# A tenth of what a message may be, under a tenth of the limits: what takes more than linear time is beyond all bounds.
STEPS = 2_000_000
TENTH = Limits(parts=100, matching=5_000_000, instructions=20_000)
CAPABILITIES = 'require ["body", "mime", "foreverypart", "extracttext", "replace", "enclose", "convert", "variables", "relational"];\n'
HEAD = b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
SLOW_MAIL = {
    "a thousand parts": HEAD + b"--b\nContent-Type: text/html; name=x\n\n<p>x\n" * 1_000,
    "five hundred levels": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(500)
    ),
    "messages in messages": b"Content-Type: message/rfc822\n\n" * 500,
    "a flood of parameters": b"Content-Type: text/plain" + b";\n n*%d*=a%%20" % 1 * 10_000 + b"\n\nx\n",
    "pieces in any order": b"Content-Type: a/b" + b"".join(b";n*%d=a" % n for n in range(6_000, 0, -1)) + b"\n\nx\n",
    "long header lines": (b"Content-Type: text/plain; x=" + b'"a\\' * 35_000 + b"\n") * 3 + b"\nx\n",
    "fields without number": b"Content-Type: a/b\n" * 5_000 + b"\nx\n",
    "delimiters that are none": HEAD + b"--bx y\n--\n" * 30_000,
    "a part of base64": HEAD + b"--b\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(b"x y\n" * 300_000),
    "html that is never closed": HEAD + b"--b\nContent-Type: text/html\n\n" + b"<a ='" * 50_000,
    "blanks in quoted-printable": HEAD + b"--b\nContent-Transfer-Encoding: quoted-printable\n\n" + b" " * 300_000,
    "no line end at all": HEAD + b"--b" * 100_000,
    "nothing but line ends": HEAD + b"--b\n" + b"\n" * 300_000,
}
SLOW_SCRIPTS = {
    "tests of fields": 'if header :mime :anychild :param ["n", "name"] :contains "content-type" "zz" { discard; }' * 5,
    "tests of the body": 'if body :content "" :matches "*z*z*q" { discard; }' * 3
    + 'if body :contains "q" { discard; }',
    "loops": 'foreverypart { extracttext "t"; foreverypart { if header :mime "a" "${t}" { discard; } } }',
    "edits": 'foreverypart { replace "x"; } enclose "y"; convert "text/plain" "text/html" "";',
    "an edit of every part": 'foreverypart { if not header :mime :type "content-type" "multipart" { replace "r"; } }',
}


@pytest.mark.parametrize("mail", SLOW_MAIL)
@pytest.mark.parametrize("script", SLOW_SCRIPTS)
def test_slow_mail_has_an_outcome_within_steps(mail, script):
    program = compile_script(CAPABILITIES + SLOW_SCRIPTS[script], TENTH)
    taken, outcome = steps(lambda: run(program, Message(SLOW_MAIL[mail]), envelope(), Imagined(NOW), TENTH))
    assert taken < STEPS
    assert outcome.carried_out


PIECES = [
    b"--a", b"--b", b"--a--", b"--b--", b"--", b"\n", b"\n\n", b"Content-Type: ", b"multipart/mixed; boundary=a\n",
    b"multipart/digest; boundary=b\n", b"message/rfc822\n", b"text/html\n", b"text/plain; charset=utf-7\n", b"\xff\xfe", b"\0",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n", b"=FF=", b"aGVs", b"<b", b">", b"+2AA-",
    b"Content-Disposition: attachment; filename*0*=utf-7''%2B2AA-; filename*1=x\n", b"Subject: =?utf-7?q?+2AA-?=\n", b" ", b"x",
]  # fmt: skip
EVERYTHING = (
    CAPABILITIES
    + """
    if body :raw :contains "ü" { keep; }
    if body :content "" :matches "*ü*" { keep; }
    if body :contains ["a", "ü"] { keep; }
    if header :mime :anychild :param "filename" :matches ["content-type", "content-disposition"] "*ü" { keep; }
    if address :mime :anychild "subject" "ü" { keep; }
    foreverypart {
        extracttext :upper :first 7 "t";
        if header :mime :contains "subject" "ü" { replace "${t}"; }
        if header :mime :subtype "content-type" "html" { convert "text/html" "text/plain" ""; }
        if header :mime :subtype "content-type" "mixed" { enclose "${t}"; }
    }"""
)


def test_any_octets_as_a_message_have_an_outcome():
    chance = random.Random(5703)
    program = compile_script(EVERYTHING, Limits())
    for _ in range(400):
        data = b"".join(chance.choices(PIECES, k=chance.randrange(60)))
        outcome = run(program, Message(data), envelope(), Imagined(NOW), Limits())
        assert outcome.carried_out
        for effect in outcome.effects:
            if effect.message is not None:
                assert len(list(tree(effect.message, Bounds(1_000, 50)).walk())) >= 1
