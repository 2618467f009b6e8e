"""`make reference`: writes what is generated from the code; `test_generated` holds the files against it."""

from __future__ import annotations

import re
from pathlib import Path

from sievemda import configload
from sievemda.sieve.vocabulary import registry

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "conf" / "sievemda.toml"
README = ROOT / "README.md"
_BETWEEN = re.compile(r"(?<=<!-- capabilities: begin -->\n).*(?=<!-- capabilities: end -->)", re.DOTALL)


def capability_table() -> str:
    """Every advertised capability with its RFC, whether it is on by default, and what else there is to say."""
    known = sorted((e for e in registry().extensions.values() if e.advertised and e.name), key=lambda e: e.name)
    rows = [f"| `{e.name}` | {e.rfc} | {'on' if e.default else 'off'} | {e.note} |" for e in known]
    return "\n".join(["", "| capability | defined by | by default | note |", "|---|---|---|---|", *rows, "", ""])


def readme() -> str:
    return _BETWEEN.sub(lambda _: capability_table(), README.read_text(encoding="utf-8"))


if __name__ == "__main__":
    REFERENCE.write_text(configload.reference(), encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")
