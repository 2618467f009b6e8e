"""The cases of the corpus; their form is in README.md beside this file."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sievemda.sieve.report import to_json
from tests.sieve.trying import outcome

HERE = Path(__file__).parent
_SCRIPT = re.compile(r"^--- script(?: [^\n]*)?\n", re.MULTILINE)
_PART = re.compile(
    r"^--- message (\S+) (\S+)\n(.*?)^--- expect\n((?:\{[^\n]*\n)*)(?:^--- differs ([^\n]*)\n)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Case:
    name: str
    script: str
    sender: str
    recipient: str
    message: str
    expected: tuple[dict[str, Any], ...]
    differs: str  # why Pigeonhole does something else, and the section that decides

    def actions(self) -> list[dict[str, Any]]:
        """What this program does, as the corpus writes it."""
        sender = "" if self.sender == "<>" else self.sender
        found = outcome(self.script, self.message.encode(), sender=sender, recipient=self.recipient)
        if found.failure is not None:
            return [{"error": found.failure.text}]
        actions = [to_json(effect) for effect in found.effects]
        for action in actions:
            if action["action"] == "vacation":
                assert action.pop("reason").strip()
        return actions


def cases() -> Iterator[Case]:
    for path in sorted(HERE.glob("*.case")):
        scripts = [text for text in _SCRIPT.split(path.read_text()) if text.strip()]
        number = 0
        for text in scripts:
            script = text.partition("--- message ")[0]
            for part in _PART.finditer(text):
                number += 1
                sender, recipient, message, expected, differs = part.groups(default="")
                actions = tuple(json.loads(line) for line in expected.splitlines())
                yield Case(f"{path.stem}-{number}", script, sender, recipient, message, actions, differs)
