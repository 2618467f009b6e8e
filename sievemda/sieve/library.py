"""Scripts that others include, as far as a compiler wants to know of them. RFC 6609 §3.

A script that includes one that is not there, or itself by a detour, is valid: else nobody could upload scripts in any
order (§3.1), so whoever stores scripts is only warned. The test language wants what Pigeonhole does instead: a missing
script is an error, and included scripts are compiled with the one that includes them. `strict` says so.
"""

from __future__ import annotations

import re
from typing import Protocol

from sievemda.sieve.node import Inclusion

GLOBAL = "global."  # before the names, among the declared ones, of variables that a script says are global
MAX_NAME = 256  # characters of the name of a script

# RFC 5804 §1.6, and what would lead out of a folder.
_FORBIDDEN = re.compile("[/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Library(Protocol):
    @property
    def strict(self) -> bool: ...

    def has(self, inclusion: Inclusion) -> bool:
        """Whether there is such a script."""
        ...

    def text(self, inclusion: Inclusion) -> bytes | None:
        """Its text; `None` when there is none."""
        ...


def name_fault(name: str) -> str:
    """What is wrong with the name of a script. RFC 5804 §1.6."""
    if not name:
        return "the name of a script cannot be empty"
    if len(name) > MAX_NAME:
        return f"the name of a script is too long: {len(name)} characters, the limit is {MAX_NAME}"
    if _FORBIDDEN.search(name):
        return f"invalid script name {name[:80]!r}: no '/', control characters, line separators or invalid UTF-8"
    return ""


def label(location: str, name: str) -> str:
    """What a script is called where it is told what it did."""
    return f"global/{name}" if location == "global" else name


def missing(inclusion: Inclusion) -> str:
    return f"there is no {inclusion.location} script {inclusion.name!r} to include"
