"""Whatever the text is: the survey ends, is bounded, and finds something exactly where the compiler does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.sieve import Limits, ScriptError, compile_script
from sievemda.sieve.check import check_script
from sievemda.sieve.findings import FINDINGS
from sievemda.sieve.survey.people import survey
from sievemda.sieve.vocabulary import registry
from tests.sieve.steps import steps
from tests.sieve.survey.mistakes import GOOD

PIECES = [
    *"\"';,{}()[]:!=&|#\n\\$@.", "//", "/*", "*/", "text:\n", "\n.\n", "if ", "else ", "elsif ", "not ", "anyof(", "keep",
    "keep;", "stop;", "header ", ":is ", '"a" ', "“", "\u00a0", "\0", "\r", "5", "1.5M", "if true {", "require ",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@st.composite
def broken(draw):
    """The good script with some text put in, and some taken out."""
    text = GOOD
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + draw(st.integers(0, 5)) :]
    return text


def compiles(text):
    try:
        compile_script(text, Limits())
    except ScriptError:
        return False
    return True


@given(st.one_of(texts, broken()))
def test_the_survey_finds_an_error_where_the_compiler_does(text):
    problems = survey(text, Limits(), registry().public)
    found = any(problem.severity == "error" for problem in problems)
    assert found or compiles(text)


@given(st.one_of(texts, broken(), st.binary(max_size=200)))
def test_a_script_is_valid_exactly_when_it_compiles(text):
    octets = text if isinstance(text, bytes) else text.encode()
    problems = check_script(octets, Limits())
    assert compiles(octets) == (not any(problem.severity == "error" for problem in problems))
    assert all(problem.code in FINDINGS for problem in problems)
    assert [(p.line, p.column) for p in problems] == sorted((p.line, p.column) for p in problems)


@pytest.mark.parametrize(
    "piece",
    [
        "if not ", "if true {", "if anyof (", "[", "{", '"a\n', "/*", "$ ", "(", '"', "text:\n", "text:\n;\n", '"a"b', "“",
        "'a", '"\\"\n', "else ", "keep ", 'x "a", ', "not(", "i;", "&& ", "x" * 100, ":", "//\n", "; ", "} ", '["a" ', "\u00a0\n",
    ],
)  # fmt: skip
def test_hostile_text_takes_work_in_proportion(piece):
    few, _ = steps(lambda: survey(piece * 400, Limits(), registry().public))
    many, problems = steps(lambda: survey(piece * 4000, Limits(), registry().public))
    assert problems
    assert many < 25 * few
    assert len(problems) <= 2 * Limits().problems + 2
