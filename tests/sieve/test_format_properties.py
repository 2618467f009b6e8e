"""For every script that parses: what it says stays as it is, and what was laid out is not touched again."""

import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sievemda.sieve import Limits, compile_script
from sievemda.sieve.format import Style, format_octets, format_script
from sievemda.sieve.lalr import read, scanner
from sievemda.sieve.parse import parse
from sievemda.sieve.rules import rules
from sievemda.sieve.tree import Call, Strings
from tests.sieve.generating import DIALECTS, Maker, any_scripts, scripts

STYLES = st.builds(Style, width=st.sampled_from([1, 10, 20, 40, 80, 200]), indent=st.sampled_from([0, 1, 2, 4, 8]))


def meaning(calls):
    """A tree without places."""
    return [
        replace(
            call,
            arguments=tuple(map(unplaced, call.arguments)),
            tests=tuple(meaning(call.tests)),
            block=None if call.block is None else tuple(meaning(call.block)),
            line=0,
            column=0,
        )
        for call in calls
    ]


def unplaced(argument):
    if isinstance(argument, Strings):
        argument = replace(argument, items=tuple(map(unplaced, argument.items)))
    return replace(argument, line=0, column=0)


def comments(text):
    """All comments; blanks at the end of a line are no part of one, nor is the carriage return of a line end."""
    found = [lexeme.text for lexeme in scanner().pieces(text) if lexeme.kind.endswith("COMMENT")]
    of_strings = re.findall(r"(?im)\btext:[ \t]*(#[^\n]*)$", text)
    return sorted(re.sub(r"\r+\n", "\n", comment).rstrip(" \t\r") for comment in [*found, *of_strings])


def laid_out(script, style=None):
    """The canonical layout, once it is shown to be one."""
    out = format_script(script, style)
    assert meaning(parse(out, Limits())) == meaning(parse(script, Limits()))
    assert format_script(out, style) == out
    assert comments(out) == comments(script)
    return out


@settings(max_examples=150)
@given(any_scripts(), STYLES)
def test_any_script_that_parses_says_the_same_when_laid_out(script, style):
    laid_out(script, style)


@settings(max_examples=50)
@given(scripts())
def test_a_program_is_the_same_when_its_script_is_laid_out(script):
    before, after = compile_script(script, Limits()), compile_script(laid_out(script), Limits())
    assert unplaced_nodes(before.commands) == unplaced_nodes(after.commands)


def unplaced_nodes(value):
    return re.sub(r"\b(line|column)=\d+|\(\d+, \d+\)", "", repr(value))


@settings(max_examples=100)
@given(any_scripts(), STYLES)
def test_with_crlf_a_script_is_laid_out_as_with_lf(script, style):
    plain = re.sub(r"\r+\n", "\n", script)
    other = plain.replace("\n", "\r\n")
    out = laid_out(plain, style)
    expected = out.replace("\n", "\r\n") if "\n" in plain else out
    assert laid_out(other, style) == expected


TOKENS = st.sampled_from([
    "keep", "if", "elsif", "else", "require", "true", "not", "anyof", ":is", ":days", "7", '"a"', '"b\nc"', "text:\nx\n.\n",
    "[", "]", "(", ")", "{", "}", ";", ";", ",", "# c\n", "#d\n\n", "/* e */", "/* f\n  g */", " ", "\n", "\n\n", "\r\n",
])  # fmt: skip


@settings(max_examples=500)
@given(st.lists(TOKENS, max_size=14).map("".join), STYLES)
def test_any_words_that_parse_say_the_same_when_laid_out(script, style):
    if read(script) is not None:
        laid_out(script, style)


def small(random):
    """A script of few commands that is full of comments."""
    maker = Maker(random)
    words = maker.any_script(2)[:60]
    gaps = [
        "",
        " ",
        "\n",
        "\n\n",
        "#a\n",
        " # b\n",
        "\n# c\n",
        "/* d */",
        " /* e */\n",
        "\n/* f */ ",
        "/* g\n h */",
        "\n/* i\n*/\n\n",
    ]
    return maker.laid_out(words, gaps)


def test_comments_in_every_place_stay():
    tried = 0
    for seed in range(600):
        script = small(Random(seed))
        if read(script) is not None:
            tried += 1
            laid_out(script, Style(width=(10, 30, 80)[seed % 3]))
    assert tried > 200


@pytest.mark.parametrize("seed", range(30))
def test_rules_keep_their_names(seed):
    maker = Maker(Random(seed), DIALECTS[seed % 3])
    script = maker.laid_out(maker.script(), [" ", "\n", "\n\n", " "])
    for number, word in enumerate(("if", "elsif", "else")):
        script = re.sub(rf"(?<![\w\":]){word}(?=[\s{{])", f"\n# rule:[{number}]\n{word}", script)
    before = rules(script, Limits())
    after = rules(laid_out(script), Limits())
    assert [(rule.name, rule.title, rule.depth) for rule in after] == [
        (rule.name, rule.title, rule.depth) for rule in before
    ]


@settings(max_examples=100)
@given(st.binary(max_size=30), st.binary(max_size=30), st.booleans())
def test_octets_of_strings_and_comments_stay_whatever_they_are(first, second, crlf):
    quoted = first.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\r", b"").replace(b"\0", b"")
    comment = second.replace(b"\n", b"").replace(b"\r", b"").replace(b"\0", b"").rstrip(b" \t")
    end = b"\r\n" if crlf else b"\n"
    script = b"#" + comment + end + b'fileinto  "' + quoted.replace(b"\n", end) + b'" ;' + end
    out = format_octets(script)
    assert out.startswith(b"#" + comment + end)
    assert b'"' + quoted.replace(b"\n", end) + b'"' in out
    assert format_octets(out) == out


def test_the_tree_of_a_call_has_no_other_places():
    """What `meaning` takes away is all that there is."""
    (call,) = meaning(parse('  fileinto :x ["a"] 1;', Limits()))
    assert isinstance(call, Call)
    assert {item.line for item in call.arguments} == {0}
