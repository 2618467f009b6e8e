"""The targets by name, each a module of this package, imported when it is asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

NAMES = ("script", "message", "svtest", "pattern", "calendar", "wire")
_FUZZ = Path(__file__).resolve().parents[1]

Mutate = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Target:
    """`check` raises, whatever it may be, when something is wrong; `longest` is the size of the inputs in octets."""

    check: Callable[[bytes], None]
    words: Callable[[], Iterable[bytes]]
    mutate: Mutate | None = None
    longest: int = 4_096


def load(name: str) -> Target:
    target: Target = import_module(f"{__name__}.{name}").TARGET
    return target


def corpus(name: str) -> Path:
    """Inputs that reach something of their own."""
    return _FUZZ / "corpus" / name


def regressions(name: str) -> Path:
    """Inputs that once were findings."""
    return _FUZZ / "regressions" / name
