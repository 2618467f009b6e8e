"""One `test` of a test file, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Case:
    """From not run to its end."""

    index: int
    name: str
    line: int
    status: str = "not run"
    message: str | None = None
    duration: float = 0.0


class TestFailed(Exception):
    """The test under way failed: out of its block, on behind it."""
