"""The scripts that a test file and those under test may include: two directories beside the file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sievemda.sieve.node import Inclusion


@dataclass(frozen=True, slots=True)
class Included:
    directory: Path
    strict: bool = True

    def path(self, location: str, name: str) -> Path:
        return self.directory / ("included-global" if location == "global" else "included") / f"{name}.sieve"

    def has(self, inclusion: Inclusion) -> bool:
        return self.path(inclusion.location, inclusion.name).is_file()

    def text(self, inclusion: Inclusion) -> bytes | None:
        return self.path(inclusion.location, inclusion.name).read_bytes() if self.has(inclusion) else None
