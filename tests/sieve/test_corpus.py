"""Scripts of the corpus do with its messages what is written there. The format is in tests/corpus/README.md."""

import json
import re
from pathlib import Path

import pytest

from sievemda.sieve.report import to_json
from tests.sieve.trying import outcome, problems

CORPUS = Path(__file__).parents[1] / "corpus"
PART = re.compile(r"^--- message (\S+) (\S+)\n(.*?)^--- expect\n((?:\{[^\n]*\n)*)", re.MULTILINE | re.DOTALL)


def cases():
    for path in sorted(CORPUS.glob("*.case")):
        text = path.read_text()
        script = text.partition("--- message ")[0]
        for number, part in enumerate(PART.finditer(text), 1):
            yield pytest.param(script, *part.groups(), id=f"{path.stem}-{number}")


@pytest.mark.parametrize(("script", "sender", "recipient", "message", "expected"), list(cases()))
def test_a_message_of_the_corpus(script, sender, recipient, message, expected):
    assert problems(script) == []
    found = outcome(script, message.encode(), sender="" if sender == "<>" else sender, recipient=recipient)
    assert found.failure is None
    actions = [to_json(effect) for effect in found.effects]
    for action in actions:
        if action["action"] == "vacation":
            assert action.pop("reason").strip()
    assert actions == [json.loads(line) for line in expected.splitlines()]


def test_there_is_a_corpus():
    assert len(list(cases())) >= 10
