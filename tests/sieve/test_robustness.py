"""Any bytes as a script: a list of problems. Any bytes as a message: an outcome."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sievemda.sieve import Limits, ProgramCache, ScriptError, capabilities, compile_script, run
from sievemda.sieve.effects import Redirect, Refuse, Store
from sievemda.sieve.lalr import read, scanner
from sievemda.sieve.recover import diagnose
from sievemda.sieve.rehearsal import Imagined, message_of, recipient_of, sender_of
from sievemda.sieve.report import to_json, tried_to_json
from sievemda.sieve.signature import signature
from sievemda.sieve.vocabulary import registry
from tests.sieve.trying import NOW, envelope

WORDS = [
    "require", "if", "elsif", "else", "keep", "discard", "redirect", "fileinto", "header", "address", "not", "anyof",
    "allof", "true", "false", "exists", "size", "set", "setflag", "vacation", "reject", "text:", "string", "hasflag",
    ":is", ":contains", ":matches", ":comparator", ":over", ":flags", ":copy", ":count", ":value", ":days", ":mime",
    '"a"', '"subject"', '"from"', '"variables"', '"fileinto"', '"${1}"', '"*"', '["a", "b"]', '["a" "b"]', '"ge"',
    "{", "}", "(", ")", "[", "]", ",", ";", "1", "10K", "99999999999999999999", '"', "\\", "#", "/*", "*/", "\n", ".\n",
    "é", "\0", "$", ":",
]  # fmt: skip


def requiring(*first):
    """As many capabilities as go together, these before all others."""
    known, chosen = registry().extensions, []
    for name in (*first, *capabilities()):
        excluded = {*known[name].excludes, *(one for one in chosen if name in known[one].excludes)}
        if name not in chosen and not excluded & set(chosen):
            chosen.append(name)
    return "require [" + ", ".join(f'"{name}"' for name in chosen) + "];\n"


ALL, OTHERS = requiring("imap4flags", "enotify", "reject", "vacation"), requiring("imapflags", "notify", "imapsieve")
VOCABULARY = sorted({
    word
    for extension in registry().extensions.values()
    for word in (
        *(node.keyword for node in (*extension.commands, *extension.tests)),
        *(f":{tag}" for node in (*extension.commands, *extension.tests) for tag in signature(node).tags),
        *(f":{option.keyword}" for option in extension.options),
    )
})  # fmt: skip
BUDGET = Limits(instructions=5_000, matching=2_000_000)  # what a script of a few lines may cost, whatever they are
SCRIPT = compile_script(
    ALL
    + """
    if header :matches ["subject", "x"] ["*a*", "?*"] { set :quotewildcard "v" "${1}"; addflag "${1} ${2}"; }
    if address :detail :matches ["from", "to"] "*${v}*" { set :upper :length "w" "${0}"; }
    if anyof (header :count "ge" :comparator "i;ascii-numeric" "received" "2", size :over 100, exists ["a", "b"]) {
        vacation :subject "${v}" :handle "${w}" "${0}";
    }
    if envelope :user :contains "from" "${v}" { fileinto :create :copy "F${v}"; }
    if not string :value "lt" "${v}" "m" { redirect :copy "a@b"; }
    """,
    Limits(),
)


MULTIPART = b"""\
From: a@b.c
To: d@e.f
Subject: a
Date: Sun, 1 Feb 2026 10:00:00 +0000
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; name="a.html"

<b>a</b>
--b
Content-Type: text/calendar; method=REQUEST

BEGIN:VCALENDAR
END:VCALENDAR
--b--
"""


def ran(program, message):
    """The outcome of a run that stays within its budget, whatever else becomes of it."""
    found = run(program, message, envelope(), Imagined(NOW), BUDGET)
    over = ("too many instructions", "too much text")
    assert found.failure is None or not found.failure.text.startswith(over), found.failure
    return found


def compiled(source, *, run_it=False):
    """A program, or problems that have a place."""
    found = ()
    try:
        program = compile_script(source, Limits())
        if run_it:
            ran(program, message_of(MULTIPART))
    except ScriptError as e:
        found = e.problems
        assert found
    assert all(problem.line >= 1 and problem.column >= 1 and str(problem) for problem in found)


@given(st.binary(max_size=300))
def test_any_bytes_as_a_script(source):
    compiled(source)


@given(st.text(max_size=200))
def test_any_text_as_a_script(source):
    compiled(source)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_any_words_as_a_script(source):
    compiled(source)
    compiled(ALL + source)
    compiled(OTHERS + source)


@settings(max_examples=400)
@given(st.lists(st.one_of(st.sampled_from(VOCABULARY), st.sampled_from(WORDS)), max_size=40).map(" ".join))
def test_any_words_of_all_extensions_as_a_script(source):
    compiled(ALL + source)
    compiled(OTHERS + source)


COMMANDS = sorted({node.keyword for extension in registry().extensions.values() for node in extension.commands})
TESTS = sorted({node.keyword for extension in registry().extensions.values() for node in extension.tests})
TAGS = [word for word in VOCABULARY if word[0] == ":"]
ARGUMENTS = st.lists(
    st.one_of(st.sampled_from(TAGS), st.sampled_from(['"a"', '"${1}"', '["a", "b@c.d"]', "1", '"mailto:a@b.c"', '""'])),
    max_size=6,
).map(" ".join)
CALL = st.tuples(st.sampled_from(COMMANDS), ARGUMENTS).map(" ".join)
TEST = st.tuples(st.sampled_from(TESTS), ARGUMENTS).map(" ".join)


@settings(max_examples=400)
@given(
    st.lists(
        st.one_of(CALL.map("{};".format), st.tuples(TEST, CALL).map(lambda two: f"if {two[0]} {{ {two[1]}; }}")),
        max_size=6,
    )
)
def test_any_calls_of_all_extensions_as_a_script(calls):
    """Each alone, so that one that is right is run too."""
    for call in calls:
        compiled(ALL + call, run_it=True)
    compiled(ALL + "foreverypart {" + "\n".join(calls) + "}", run_it=True)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))
def test_the_reader_that_recovers_finds_faults_exactly_where_the_grammar_does(source):
    limits = Limits(number=1 << 200)
    if "\0" in source:
        return
    assert (read(source) is None) is bool(diagnose(scanner(), source, limits))


def decided(data):
    message = message_of(data)
    found = ran(SCRIPT, message)
    for effect in found.effects:
        assert to_json(effect)
    for tried in found.tests:
        assert tried_to_json(tried)
    assert found.carried_out
    assert any(isinstance(effect, Store | Redirect | Refuse) for effect in found.carried_out)
    sender_of(message)
    recipient_of(message)


@given(st.binary(max_size=400))
def test_any_bytes_as_a_message(data):
    decided(data)


NAMES = ["Subject", "From", "To", "Cc", "X", "Received", "Message-ID", "References", "Return-Path", "Auto-Submitted"]
PIECES = [
    "a",
    " ",
    "\n ",
    "<",
    ">",
    "@",
    ",",
    ";",
    ":",
    "(",
    ")",
    '"',
    "\\",
    "=?utf-8?q?",
    "?=",
    "=?utf-8?b?",
    "=C3",
    "ü",
    "\0",
    "[",
    "]",
    ".",
]
VALUES = st.lists(st.sampled_from(PIECES), max_size=15).map("".join)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=8))
def test_any_header_in_a_message(fields):
    decided("".join(f"{name}: {value}\n" for name, value in fields).encode() + b"\nbody\n")


def test_programs_are_remembered_until_there_is_no_room():
    cache = ProgramCache(Limits(), octets=20)
    first, second = cache.get(b"keep;"), cache.get(b"discard;")
    assert cache.get(b"keep;") is first
    cache.get(b"stop; stop; stop;")  # 17 octets: both have to go
    third = cache.get(b"keep;")
    assert third is not first
    assert cache.get(b"discard;") is not second


def test_the_number_of_remembered_programs_is_bounded():
    cache = ProgramCache(Limits(), number=2)
    kept, _, last = (cache.get(text) for text in (b"keep;", b"stop;", b"discard;"))
    assert cache.get(b"discard;") is last
    assert cache.get(b"keep;") is not kept


def test_a_program_without_room_is_compiled_each_time():
    cache = ProgramCache(Limits(), octets=4)
    assert cache.get(b"keep;") is not cache.get(b"keep;")


def test_what_does_not_compile_is_not_remembered():
    cache = ProgramCache(Limits())
    for _ in range(2):
        with pytest.raises(ScriptError):
            cache.get(b"keep")


def test_scripts_compile_in_many_threads_at_once():
    def requires(number):
        return compile_script(f'require "fileinto"; fileinto "F{number}";', Limits()).commands[0].mailbox.source

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(requires, range(100))) == [f"F{number}" for number in range(100)]
