"""environment, vnd.dovecot.environment: where a script runs. RFC 5183, draft-bosch-sieve-dovecot-environment.

An unknown item matches nothing, not even `:count "eq" "0"`: "the environment test MUST fail unconditionally" (§4). An
item that is known and empty counts 0.

vnd.dovecot.environment adds items whose names begin with `vnd.dovecot.`, which only a script that requires it sees, and
the namespace `env`, in which every item is a variable: `-` in its name is written `_`. An unknown one is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sievemda.sieve.matching import DEFAULT, Matching, match
from sievemda.sieve.node import About, Test, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import names

_VENDOR, _PREFIX = "vnd.dovecot.environment", "vnd.dovecot."


def item(run: Run, name: str) -> str | None:
    """Its value; `None` when there is no such item."""
    lower = name.lower()
    if lower.startswith(_PREFIX) and _VENDOR not in run.vocabulary.capabilities:
        return None
    return run.facts.environment(lower)


@node
class EnvironmentTest(Test):
    """environment [COMPARATOR] [MATCH-TYPE] <name: string> <key-list: string-list>, RFC 5183 §4."""

    keyword = "environment"
    matching: Matching = DEFAULT
    name: Text
    key_list: Texts

    def holds(self, run: Run) -> bool:
        value, keys = item(run, run.text(self.name)), run.texts(self.key_list)
        if value is None:
            nothing: Sequence[str] = ()
            run.saw(nothing, keys)
            return False
        return match(run, self.matching, (value,), keys, int(value != ""))

    def about(self, run: Run) -> About:
        name = names((run.text(self.name),))
        return About(f"the environment's {name}", f"the environment has no {name}")


@dataclass(frozen=True, slots=True)
class Item:
    """${env.name}"""

    name: str

    def value(self, run: Run) -> str:
        found = item(run, self.name.replace("_", "-"))
        if found is None:
            found = item(run, self.name)
        return found or ""


EXTENSIONS = (
    Extension("environment", "RFC 5183", tests=(EnvironmentTest,)),
    Extension(
        _VENDOR,
        "draft-bosch-sieve-dovecot-environment",
        implies=("environment",),
        namespaces={"env": Item},
    ),
)
