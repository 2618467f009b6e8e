"""Long lists of constant keys: looked up, with what comparing them one by one comes to."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sievemda.sieve.compile import compile_script
from sievemda.sieve.extensions.unicode_casemap import UnicodeCasemap
from sievemda.sieve.glob import glob
from sievemda.sieve.limits import Limits
from sievemda.sieve.matching import ASCII_CASEMAP, CONTAINS, IS, MATCHES, OCTET, Matching
from sievemda.sieve.needles import Needles
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.run import run
from sievemda.sieve.text import Keys, from_octets
from tests.sieve.steps import steps
from tests.sieve.trying import NOW, envelope, failure, holds, outcome

LETTERS = st.text(alphabet=["a", "A", "b", "ä", "Ä", "ß", "*", "?", "\\", " ", "\udce4", "\udcc3", "漢"], max_size=8)
WORDS = st.builds(lambda parts: from_octets("".join(parts).encode("utf-8", "surrogateescape")), st.lists(LETTERS))
COMPARATORS = [OCTET, ASCII_CASEMAP, UnicodeCasemap()]


class Meter:
    """What a match type needs of a run."""

    captures_wanted = True
    limits = Limits()

    def __init__(self):
        self.captures = ()
        self.spent = 0

    def spend_matching(self, amount):
        self.spent += amount


@pytest.mark.parametrize("kind", [IS, CONTAINS, MATCHES], ids=lambda kind: kind.name)
@given(
    values=st.lists(WORDS, max_size=4), keys=st.lists(WORDS, min_size=16, max_size=24), how=st.sampled_from(COMPARATORS)
)
@example(values=["ä"], keys=["\udca4"] * 16, how=OCTET)
@example(values=[""], keys=[*["a"] * 15, ""], how=OCTET)
@example(values=["a\udcc3", "b"], keys=[*["x*"] * 15, "?", "*"], how=ASCII_CASEMAP)
def test_a_constant_list_comes_to_the_same_as_one_that_is_not(kind, values, keys, how):
    results = []
    for given_keys in (tuple(keys), Keys(keys)):
        meter = Meter()
        results.append((kind.any(meter, Matching(kind, how), values, given_keys, -1), meter.captures, meter.spent))
    assert results[0] == results[1]


@given(st.lists(st.text("abc", max_size=6)), st.text("abc", max_size=300))
def test_needles_are_the_strings_that_occur(strings, text):
    assert sorted(Needles(strings).within(text)) == sorted({string for string in strings if string in text})


@given(st.text("ab*?\\", max_size=12), st.text("ab*?\\", max_size=12))
def test_whatever_a_pattern_matches_holds_its_needle(pattern, value):
    compiled = glob(pattern)
    assert compiled.match(value) is None or compiled.needle in value


def test_a_key_of_thousands_is_found():
    keys = ", ".join(f'"user{n}@example.org"' for n in range(2000))
    message = b"From: user1234@example.org\n\n"
    assert holds(f'header :is "from" [{keys}]', message)
    assert holds(f'header :contains "from" [{keys}]', message)
    assert not holds(f'header :contains "from" [{keys}]', b"From: user5000@example.org\n\n")


def test_the_first_of_many_patterns_leaves_its_match_variables():
    patterns = ", ".join([*(f'"x{n}*"' for n in range(20)), '"*@*.org"', '"*@example.*"'])
    script = f'require ["variables", "fileinto"]; if header :matches "from" [{patterns}] {{ fileinto "${{2}}"; }}'
    (stored,) = outcome(script, b"From: a@example.org\n\n").effects
    assert stored.mailbox == "example"


def test_many_patterns_are_paid_for():
    patterns = ", ".join(f'"*{n}"' for n in range(200))
    script = f'if header :matches "from" [{patterns}] {{ discard; }}'
    assert "too much text to compare" in failure(
        script, b"From: " + b"x" * 500 + b"\n\n", limits=Limits(matching=90_000)
    )


@pytest.mark.parametrize("kind", ["is", "contains", "matches"])
def test_ten_times_the_keys_take_no_more_steps_once_they_are_known(kind):
    def once(number):
        star = "*" if kind == "matches" else ""
        keys = ", ".join(f'"{star}someone-{n}{star}"' for n in range(number))
        program = compile_script(f'if header :{kind} "from" [{keys}] {{ discard; }}', Limits())
        message = message_of(b"From: nobody@example.org\n\n")
        work = lambda: run(program, message, envelope(), Imagined(NOW), Limits())  # noqa: E731
        work()
        return steps(work)[0]

    assert once(1000) == once(100)
