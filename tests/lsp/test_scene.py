"""What stands around a place, and that finding it out takes as much work as the text is long."""

import pytest

from sievemda.lsp.completion import Taste, completion
from sievemda.lsp.navigation import folding, symbols
from sievemda.lsp.tokens import semantic_tokens
from tests.lsp.scripts import at_cursor, document
from tests.sieve.steps import steps


def around(text):
    """The names of the calls that are open, the kind of the innermost construct, and its arguments."""
    found, position = at_cursor(text)
    scene, _ = found.scene(position)
    top = scene.call
    given = [(one.kind, len(one.words)) for one in top.given] if top else []
    return [frame.name for frame in scene.stack if frame.kind == "call"], scene.stack[-1].kind, given


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|", ([], "block", [])),
        ("keep;|", ([], "block", [])),
        ("redirect |", (["redirect"], "call", [])),
        ('if header :is ["a", "b"] "c" |', (["if", "header"], "call", [("tag", 1), ("strings", 2), ("string", 1)])),
        ('if header ["a", |', (["if", "header"], "strings", [])),
        ("if allof(true, not |", (["if", "allof", "not"], "call", [])),
        ("if allof(true, |", (["if", "allof"], "tests", [])),
        ("if allof(true) |", (["if", "allof"], "call", [])),
        ("if true { keep; } |", ([], "block", [])),
        ("if true { redirect |", (["redirect"], "call", [])),
        ("if true } |", ([], "block", [])),
        ("] ) } , |", ([], "block", [])),
        ('redirect "a" } keep; |', ([], "block", [])),
        ('if anyof(header ["a" , true) |', (["if", "anyof"], "call", [])),
    ],
)
def test_what_is_open(text, expected):
    assert around(text) == expected


@pytest.mark.parametrize(
    "piece",
    ["{", "(", "[", "not ", "if true {", "if allof(", "a,", ",", "}", ")", "]", '"a",', "a[", "# x\n", "${", '"${a}"'],
)
@pytest.mark.parametrize(
    "work",
    [
        lambda text: completion(document(text), document(text).lines.position(len(text)), Taste()),
        lambda text: symbols(document(text)),
        lambda text: folding(document(text)),
        lambda text: semantic_tokens(document(text)),
    ],
    ids=["completion", "symbols", "folding", "tokens"],
)
def test_twice_the_text_is_twice_the_work(work, piece):
    work("keep;")  # what is made once
    few, _ = steps(lambda: work(piece * 400))
    many, _ = steps(lambda: work(piece * 1_600))
    assert many < 6 * few + 2_000


def test_many_commas_in_a_deep_script_cost_no_more():
    few, _ = steps(lambda: document("not " * 500 + "," * 500).closed)
    many, _ = steps(lambda: document("not " * 2_000 + "," * 2_000).closed)
    assert many < 6 * few
