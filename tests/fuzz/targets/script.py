"""Any octets as a script: read, mended, bound, formatted, listed as rules, and run."""

from __future__ import annotations

from dataclasses import replace

from sievemda.mail.message import Message
from sievemda.sieve.check import check_script
from sievemda.sieve.compile import compile_script
from sievemda.sieve.format import Style, format_octets
from sievemda.sieve.lalr import scanner
from sievemda.sieve.parse import parse
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.recover import diagnose
from sievemda.sieve.report import problem_to_json
from sievemda.sieve.rules import rules
from sievemda.sieve.tree import Argument, Call, Strings
from tests.fuzz.targets import Target
from tests.fuzz.vocabulary import mutated_script, script_words
from tests.fuzz.world import LIMITS, printed, ran, well_placed

_MESSAGE = Message(
    b"""\
From: "A, B" <a@example.org>
To: kim+work@example.org, x@y
Subject: =?utf-8?q?H=C3=A4?= a [list] 10
Date: Sun, 1 Feb 2026 10:00:00 +0100
Received: from a by b; Sun, 1 Feb 2026 10:00:01 +0000
X-Spam-Status: Yes, score=7.5 required=5.0
List-Id: <list.example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8; name="a.html"

<b>a</b> viagra
--b
Content-Type: text/calendar; method=REQUEST

BEGIN:VCALENDAR
VERSION:2.0
PRODID:a
METHOD:REQUEST
BEGIN:VEVENT
UID:1
DTSTAMP:20260201T000000Z
DTSTART:20260301T100000Z
SEQUENCE:2
ORGANIZER:mailto:a@example.org
ATTENDEE:mailto:kim@example.org
END:VEVENT
END:VCALENDAR
--b--
"""
)
_ROOMY = replace(LIMITS, script_size=1 << 24)  # a layout may be longer than what it is of
_BARE = Message(b"Subject: x\n\n")


def check(data: bytes) -> None:
    try:
        parse(data, LIMITS)
    except ScriptError as e:
        well_placed(e.problems, data)
        _compiled(data)
        return
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    assert not diagnose(scanner(), text, LIMITS), "the two readers differ"
    _laid_out(data)
    places = {(rule.line, rule.column) for rule in rules(data, LIMITS)}
    program = _compiled(data)
    if program is not None:
        for message in (_MESSAGE, _BARE):
            entered = {
                (rule.line, rule.column)
                for rule in ran(program, message, twice=message is _MESSAGE).entered
                if not rule.script
            }
            assert entered <= places, "a rule was entered that is not listed"


def _laid_out(data: bytes) -> None:
    """A script in its canonical layout says the same, and is laid out as it is."""
    for style in (None, Style(width=40)):
        made = format_octets(data, style, _ROOMY)
        assert _said(made) == _said(data), "a script that is laid out says something else"
        assert format_octets(made, style, _ROOMY) == made, "what is laid out is laid out otherwise the next time"


def _said(data: bytes) -> object:
    return [_without_places(call) for call in parse(data, _ROOMY)]


def _without_places(call: Call) -> object:
    arguments = [
        [string.value for string in one.items] if isinstance(one, Strings) else (type(one), one)
        for one in (_at_origin(argument) for argument in call.arguments)
    ]
    tests = [_without_places(test) for test in call.tests]
    block = None if call.block is None else [_without_places(command) for command in call.block]
    return call.name, arguments, tests, call.listed, block


def _at_origin(argument: Argument) -> Argument:
    return replace(argument, line=0, column=0)


def _compiled(data: bytes) -> Program | None:
    """The program, or `None` with problems that are the same whoever asks, and can be told."""
    try:
        program: Program | None = compile_script(data, LIMITS)
        problems = program.problems
    except ScriptError as e:
        program, problems = None, e.problems
        assert any(problem.severity == "error" for problem in problems), "a script is refused without an error"
    well_placed(problems, data)
    printed([problem_to_json(problem) for problem in problems])
    checked = check_script(data, LIMITS)
    well_placed(checked, data)
    printed([problem_to_json(problem) for problem in checked])
    refused = any(problem.severity == "error" for problem in checked)
    assert refused == (program is None), "a check and a compilation differ"
    return program


TARGET = Target(check, script_words, mutated_script)
