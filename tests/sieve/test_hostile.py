"""Scripts of the largest size, made to be slow: each has its answer in linear time."""

import pytest

from sievemda.mail.message import Message
from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.check import check_script
from sievemda.sieve.rehearsal import Imagined
from tests.sieve.steps import steps
from tests.sieve.trying import NOW, envelope

STEPS = 15_000_000  # calls: a few for each octet, and nothing that grows with the square of them
ROOM = (1 << 20) - 200
NAMES = b'require ["fileinto", "variables", "imap4flags", "vacation", "encoded-character"];\n'


def filled(unit, before=b"", behind=b""):
    return before + unit * ((ROOM - len(before) - len(behind)) // len(unit)) + behind


def numbered(form):
    return b"".join(form % number for number in range(100_000))[:ROOM]


HOSTILE = {
    "one command again and again": filled(b"keep;"),
    "as many commands as there may be": filled(b"redirect text:\na@b.example\n.\n;\n"),
    "a chain without end": filled(b'elsif header "a" "b" {stop;}', b"if false{}"),
    "as many links as there may be": b"if false {}" + b"elsif true {}" * 39_000,
    "unknown words": numbered(b"zo%d;\n")[:400_000] + b"stop;",
    "unknown tags": numbered(b"keep :z%d;\n")[:400_000] + b"keep;",
    "unknown capabilities": b"require [" + b",".join(b'"fil%d"' % number for number in range(70_000)) + b"];",
    "tests in tests": filled(b"not ", b"if "),
    "blocks in blocks": filled(b"if true{"),
    "a fault, and then as many words as fit": filled(b"keep;", b"$ "),
    "opened comments": filled(b"/*"),
    "opened multi-line strings": filled(b"text:\n"),
    "opened multi-line strings behind a fault": filled(b"text:\n", b"$ "),
    "comments": filled(b"#\n"),
    "blanks": filled(b" \r\n", b"keep; "),
    "escapes": filled(b"\\a", NAMES + b'fileinto "', b'";'),
    "references": filled(b"${a}", NAMES + b'fileinto "', b'";'),
    "half a reference": filled(b"${a.b.", NAMES + b'fileinto "', b'";'),
    "half an encoded character": filled(b"${hex:41 41", NAMES + b'fileinto "', b'";'),
    "names that no field has": filled(b'"a:",', b"if header [", b'"a"] "b" {}')[:500_000] + b'"a"] "b" {}',
    "rubbish for flags": filled(b"( ", NAMES + b'addflag "', b'";'),
    "addresses": filled(b"a@b.c,", NAMES + b'vacation :from "', b'a@b.c" "x";'),
    "comments in an address": filled(b"(", b'redirect "', b'";'),
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE)
def test_is_answered_in_time(script):
    count, problems = steps(lambda: check_script(script, Limits()))
    assert count < STEPS
    assert len(problems) <= 2 * (Limits().problems + 1)


def test_a_script_of_the_largest_size_as_people_write_it_is_no_trouble():
    rule = b'if header :contains "subject" "word" {\n    # comment\n    fileinto "Folder";\n    stop;\n}\n'
    assert {problem.code for problem in check_script(filled(rule, NAMES), Limits())} == {"duplicate-rule"}


def test_too_many_words_are_one_problem():
    assert [str(p) for p in check_script(b"keep;" * 120_000, Limits())] == [
        "1:1: error: script too long: 240000 words, strings and marks, the limit is 200000"
    ]


def test_warnings_without_end_are_cut():
    assert len(check_script(b"if header [" + b'"a:",' * 500 + b'"a"] "b" {}', Limits())) == Limits().problems


MANY_KEYS = b'if header :is "subject" [' + b",".join(b'"zz%d"' % number for number in range(5000)) + b"] {stop;}"
FLOODS = {
    "short values and patterns": (b'if header :matches "subject" "*a*a*a*?b" {stop;}' * 200, b"Subject: aa\n" * 80_000),
    "short values and keys": (MANY_KEYS, b"Subject: aa\n" * 80_000),
    "charsets": (MANY_KEYS, b"".join(b"Subject: =?x%d?q?a?=\n" % number for number in range(40_000))),
    "encoded words": (MANY_KEYS, b"Subject: " + b"=?utf-8?q?a?= " * 70_000 + b"\n"),
}


@pytest.mark.parametrize(("script", "header"), FLOODS.values(), ids=FLOODS)
def test_a_flood_in_the_header_ends_in_time(script, header):
    program, message = compile_script(script, Limits()), Message(header + b"\nbody\n")
    count, _ = steps(lambda: run(program, message, envelope(), Imagined(NOW), Limits()))
    assert count < STEPS


@pytest.mark.parametrize("name", ["message-id", "references", "in-reply-to", "list-post"])
def test_fields_that_hold_no_addresses_are_refused_in_address(name):
    (problem,) = check_script(f'if address "{name}" "a" {{}}'.encode(), Limits())
    assert "not allowed for the address test" in problem.text
