"""Scripts of the corpus do with its messages what is written there. The format is in tests/corpus/README.md."""

import pytest

from tests.corpus.reading import cases
from tests.sieve.trying import problems

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_message_of_the_corpus(case):
    assert problems(case.script) == []
    assert case.actions() == list(case.expected)


def test_there_is_a_corpus():
    assert len(CASES) >= 10
