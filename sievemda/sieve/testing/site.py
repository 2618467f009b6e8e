"""What the settings of a test file come to, in one frozen value: what scripts are compiled and run under.

Lists and stored scripts are files of key and value lines: a key, on the next line its value. A script has an id under
`priv/sieve/name/SCRIPT`, and its text, on one line, under `priv/sieve/data/ID`; `priv/sieve/extlists/ENTRY` says that
ENTRY is in a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from errno import ENOENT
from pathlib import Path

from sievemda.sieve.limits import Limits
from sievemda.sieve.listnames import DEFAULT_BOOK
from sievemda.sieve.node import Inclusion
from sievemda.sieve.options import Options
from sievemda.sieve.problems import RunError
from sievemda.sieve.text import from_octets, octets
from sievemda.sieve.vocabulary import registry

NAME = "vnd.dovecot.testsuite"
ALIAS = "vnd.stalwart.testsuite"
DAY = 86_400
_MOST = 16 << 20  # octets of a file of lines

# Tests of a whole suite run in one file: the budget of one delivery is no measure for them, and errors are counted.
# All else is what Pigeonhole has without a setting.
LIMITS = Limits(
    instructions=10_000_000,
    matching=1 << 40,
    problems=1_000_000,
    notes=100_000,
    programs=100_000,
    list_lookups=100_000,
    list_recipients=0,
    variable_size=4_096,
    vacation_maximum=60 * DAY,
    duplicate_default=DAY // 2,
    duplicate_maximum=2 * DAY,
    options=Options(
        postmaster="postmaster@example.com",
        vacation_use_original_recipient=False,
        notify_unknown_refused=True,
        spam=(),
        virus=(),
    ),
)


def lines(path: Path) -> dict[str, bytes]:
    """The keys and values of a file; nothing when it cannot be read."""
    try:
        found = read_regular(path, replace(LIMITS, script_size=_MOST)).split(b"\n")
    except (OSError, ValueError):
        return {}
    pairs = zip(found[::2], found[1::2], strict=False)
    return {from_octets(key.removesuffix(b"\r")): value.removesuffix(b"\r") for key, value in pairs}


def read_script(path: Path, limits: Limits = LIMITS) -> bytes:
    """The text of a script, or so much of it that it is too large. Raises OSError, and ValueError for an odd path."""
    with path.open("rb") as file:
        return file.read(min(limits.script_size, _MOST) + 1)


def read_regular(path: Path, limits: Limits = LIMITS) -> bytes:
    """The same for a path that a script names: of a file, not of a pipe that nobody may ever write to."""
    if not path.is_file():
        raise FileNotFoundError(ENOENT, "no such file", str(path))
    return read_script(path, limits)


@dataclass(frozen=True, slots=True)
class Folder:
    """Scripts as files; `x` is `x.sieve`."""

    path: Path

    def text(self, name: str) -> bytes | None:
        try:
            return read_regular(self.path / f"{name}.sieve")
        except (OSError, ValueError):  # a name that no file can have
            return None


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Scripts as values of a file of lines; without a file there are none."""

    path: Path | None

    def text(self, name: str) -> bytes | None:
        known = lines(self.path) if self.path else {}
        identifier = known.get(f"priv/sieve/name/{name}")
        return None if identifier is None else known.get(f"priv/sieve/data/{from_octets(identifier)}")


@dataclass(frozen=True, slots=True)
class Library:
    """The scripts that may be included, by their location."""

    personal: Folder | Dictionary
    common: Folder | Dictionary  # the global ones
    strict: bool = True

    def has(self, inclusion: Inclusion) -> bool:
        return self.text(inclusion) is not None

    def text(self, inclusion: Inclusion) -> bytes | None:
        return (self.common if inclusion.location == "global" else self.personal).text(inclusion.name)

    def path(self, location: str, name: str) -> Path | None:
        """The file in which it stands, if it has one of its own."""
        place = self.common if location == "global" else self.personal
        return place.path / f"{name}.sieve" if isinstance(place, Folder) else None


@dataclass(frozen=True, slots=True)
class ListFile:
    """An external list; without a file it is empty. A value of more than `most` octets is in none."""

    path: Path | None = None
    most: int = 1_024

    def members(self) -> tuple[str, ...]:
        prefix = "priv/sieve/extlists/"
        known = lines(self.path) if self.path else {}
        return tuple(key.removeprefix(prefix) for key in known if key.startswith(prefix))


@dataclass(frozen=True, slots=True)
class Lists:
    """External lists by the normal form of their names."""

    known: Mapping[str, ListFile] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return name in self.known or name == DEFAULT_BOOK  # which must always be there, RFC 6134 §2.5

    def find(self, name: str, values: Sequence[str]) -> str | None:
        """The first of the values that is in the list."""
        file = self.known.get(name, ListFile())
        members = frozenset(file.members())
        return next((value for value in values if value in members and len(octets(value)) <= file.most), None)

    def members(self, name: str, most: int) -> Sequence[str]:
        found = self.known.get(name, ListFile()).members()
        if len(found) > most:
            raise RunError(f"the list '{name[:80]}' has too many members: {len(found)} > {most}")
        return found


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs for one kind of use are, and how they are run."""

    directory: Path | None = None
    timeout: float = 10  # seconds; 0 is none
    line_end: str = "crlf"  # or "lf"
    sockets: Path | None = None


def everything() -> frozenset[str]:
    """The capabilities of this build, with those of the test language."""
    return registry().public | {NAME, ALIAS}


@dataclass(frozen=True, slots=True)
class Site:
    """`available` are the capabilities that scripts under test may require."""

    library: Library
    limits: Limits = LIMITS
    available: frozenset[str] = field(default_factory=everything)
    lists: Lists = Lists()
    environment: Mapping[str, str] = field(default_factory=dict)  # items by their name in lower case
    programs: Mapping[str, Programs] = field(default_factory=dict)  # by "pipe", "filter", "execute"
    processor_time: float = 30  # seconds that one run of a script may take


def beside(directory: Path) -> Library:
    """The scripts beside a test file."""
    return Library(Folder(directory / "included"), Folder(directory / "included-global"))
