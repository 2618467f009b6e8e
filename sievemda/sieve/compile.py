"""Script text to program, and a cache of programs.

Why programs are remembered by the hash of their text and not written beside it: a script is short, compiling takes a
few milliseconds, and a file beside the source is one more thing that can be stale, unwritable or forged.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from sievemda.sieve.bind import Binder, TooMany
from sievemda.sieve.foresight import excess
from sievemda.sieve.generate import Generation
from sievemda.sieve.library import Library
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Command
from sievemda.sieve.parse import parse
from sievemda.sieve.problems import ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.vocabulary import BASE, registry


def compile_script(
    text: bytes | str, limits: Limits, available: frozenset[str] | None = None, library: Library | None = None
) -> Program:
    """The program of a script. `available` are the capabilities it may require; all of them when `None`.

    Raises `ScriptError` with all problems of the script; what is only odd is in `Program.problems`. `library` has the
    scripts that it may include, where somebody can say which there are.
    """
    program = _bound(text, "personal", limits, available, library)
    if library is not None and library.strict and program.includes:
        generation = Generation(
            library, limits, lambda included, place: _bound(included, place, limits, available, library)
        )
        generation.resolve(program.includes)
        if generation.problems:
            raise ScriptError(tuple(generation.problems), "generate")
    return program


def _bound(
    text: bytes | str, location: str, limits: Limits, available: frozenset[str] | None, library: Library | None
) -> Program:
    allowed = registry().public if available is None else available | ALWAYS
    if location == "global":
        allowed |= limits.options.for_global_scripts
    binder = Binder(limits, allowed, library)
    if limits.options.without_require:
        binder.vocabulary = binder.vocabulary.with_(limits.options.without_require)
    commands: tuple[Command, ...] = ()
    with suppress(TooMany):
        commands = binder.script(parse(text, limits))
    problems = tuple(binder.problems)
    if any(problem.severity == "error" for problem in problems):
        raise ScriptError(problems)
    problems += tuple(excess(commands, limits))
    return Program(commands, binder.vocabulary, problems, binder.shared, tuple(binder.includes))


# The comparators that need no `require` may always be required: RFC 5228 §2.7.3.
ALWAYS = frozenset({BASE, "comparator-i;octet", "comparator-i;ascii-casemap", "comparator-i;unicode-casemap"})


class ProgramCache:
    """Programs by the hash of their text; the least recently used are forgotten. For many threads.

    `octets` bounds the script text of all remembered programs: a program takes about twenty times its text, and half as
    much again with the plans that its runs have made. `number` is for very short scripts.
    """

    def __init__(
        self, limits: Limits, available: frozenset[str] | None = None, octets: int = 4 << 20, number: int = 10_000
    ) -> None:
        self._limits = limits
        self._available = available
        self._room, self._most = octets, number
        self._programs: OrderedDict[bytes, tuple[Program, int]] = OrderedDict()
        self._used = 0
        self._lock = threading.Lock()

    def get(self, text: bytes) -> Program:
        """The program of this text, compiled when it is new. Raises `ScriptError`; faults are not remembered."""
        key = hashlib.sha256(text).digest()
        with self._lock:
            known = self._programs.get(key)
            if known is not None:
                self._programs.move_to_end(key)
                return known[0]
        program = compile_script(text, self._limits, self._available)
        with self._lock:
            self._remember(key, program, len(text))
        return program

    def _remember(self, key: bytes, program: Program, octets: int) -> None:
        if key in self._programs or octets > self._room:
            return
        self._programs[key] = (program, octets)
        self._used += octets
        while self._used > self._room or len(self._programs) > self._most:
            _, (_, gone) = self._programs.popitem(last=False)
            self._used -= gone


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of users, and those of the administrator, who may require more."""

    users: ProgramCache
    trusted: ProgramCache
