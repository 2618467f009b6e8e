"""`make reference`: writes what is generated from the code; `test_generated` holds the files against it."""

from __future__ import annotations

import re
from pathlib import Path

from sievemda import configload
from sievemda.sieve.vocabulary import extensions_of, modules, registry

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "conf" / "sievemda.toml"
README = ROOT / "README.md"
CATALOGUE = ROOT / "sievemda" / "sieve" / "catalogue.py"
_BETWEEN = re.compile(r"(?<=<!-- capabilities: begin -->\n).*(?=<!-- capabilities: end -->)", re.DOTALL)


def capability_table() -> str:
    """Every advertised capability with its RFC, whether it is on by default, and what else there is to say."""
    known = sorted((e for e in registry().extensions.values() if e.advertised and e.name), key=lambda e: e.name)
    rows = [f"| `{e.name}` | {e.rfc} | {'on' if e.default else 'off'} | {e.note} |" for e in known]
    return "\n".join(["", "| capability | defined by | by default | note |", "|---|---|---|---|", *rows, "", ""])


def readme() -> str:
    return _BETWEEN.sub(lambda _: capability_table(), README.read_text(encoding="utf-8"))


def catalogue() -> str:
    """The module that says which module has which capability, and what is known of it without importing that."""
    found = [(module, extension) for module in modules() for extension in extensions_of(module)]
    rows = [f'    "{extension.name}": "{module}",' for module, extension in found]
    sets = [
        ("PRIVATE", [e.name for _, e in found if e.private]),
        ("RESERVED", [e.name for _, e in found if e.reserved]),
    ]
    head = '"""Which module has which capability, so that only what a script requires is imported: `make reference`."""'
    told = [
        f"{name} = frozenset(\n    {{\n" + "".join(f'        "{one}",\n' for one in names) + "    }\n)"
        for name, names in sets
    ]
    body = "\n".join(["MODULES = {", *rows, "}"])
    return f"{head}\n\n{body}\n{chr(10).join(told)}\n"


if __name__ == "__main__":
    REFERENCE.write_text(configload.reference(), encoding="utf-8")
    README.write_text(readme(), encoding="utf-8")
    CATALOGUE.write_text(catalogue(), encoding="utf-8")
