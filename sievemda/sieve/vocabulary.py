"""What a script may say: extensions, and the words that a script has after its `require`.

An `Extension` is data: what one capability adds to the open tables (commands, tests, options, match types,
comparators, address parts, envelope parts, ways to read a string). A `Vocabulary` is the union of the base language
and the required extensions. It is a value, made once for each set of capabilities, so that a block can have a wider
one than the block around it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from sievemda.mail.address import Address
from sievemda.sieve.catalogue import MODULES, PRIVATE, RESERVED
from sievemda.sieve.matching import AddressPart, Comparator, MatchType
from sievemda.sieve.node import Command, Context, Option, Test

if TYPE_CHECKING:
    from sievemda.sieve.run import Run
    from sievemda.sieve.text import Part, Reference

Reader = Callable[[str, Context], "tuple[Part, ...]"]
Namespace = Callable[[str], "Reference"]  # from `name` of `${space.name}`; ValueError says what is wrong


@dataclass(frozen=True, slots=True)
class EnvelopePart:
    """What `envelope` can look at: its values in this run, as the tags on the test want them."""

    values: Callable[[Run, Sequence[Option]], tuple[Address | str, ...]]
    address: bool = True  # whether an address part of it may be asked for


@dataclass(frozen=True, slots=True)
class Extension:
    """One capability: its name for `require`, the RFC that defines it, and what it contributes.

    `default` says whether scripts may require it when the site has not said; `note` is for the table of capabilities.
    """

    name: str
    rfc: str
    commands: tuple[type[Command], ...] = ()
    tests: tuple[type[Test], ...] = ()
    options: tuple[type[Option], ...] = ()
    match_types: tuple[MatchType, ...] = ()
    comparators: tuple[Comparator, ...] = ()
    address_parts: tuple[AddressPart, ...] = ()
    envelope_parts: Mapping[str, EnvelopePart] = field(default_factory=dict)
    decode: Callable[[str], str] | None = None  # what it does to a literal string; ValueError says what is wrong
    read: Reader | None = None  # how it finds references in a string; ValueError says what is wrong
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    captures: bool = False  # matching leaves match variables
    implies: tuple[str, ...] = ()  # capabilities that come with it
    needs: tuple[str, ...] = ()  # capabilities that must be required beside it
    excludes: tuple[str, ...] = ()  # capabilities that give its words another meaning
    default: bool = True
    note: str = ""
    advertised: bool = True
    private: bool = False  # exists only for who allows it by name, as the test runner does its own

    @property
    def reserved(self) -> bool:
        """Whether it is off by default."""
        return not self.default


class Vocabulary:
    """The words of the base language and of some extensions."""

    def __init__(self, extensions: Iterable[Extension]) -> None:
        chosen = tuple(extensions)
        self.capabilities = frozenset(extension.name for extension in chosen)
        self.commands = {c.keyword: c for e in chosen for c in e.commands}
        self.tests = {t.keyword: t for e in chosen for t in e.tests}
        self.match_types = {m.name: m for e in chosen for m in e.match_types}
        self.comparators = {c.name: c for e in chosen for c in e.comparators}
        self.address_parts = {p.name: p for e in chosen for p in e.address_parts}
        self.envelope_parts = {name: part for e in chosen for name, part in e.envelope_parts.items()}
        self.namespaces = {name: space for e in chosen for name, space in e.namespaces.items()}
        self.decoders = tuple(e.decode for e in chosen if e.decode)
        self.readers = tuple(e.read for e in chosen if e.read)
        self.captures = any(e.captures for e in chosen)
        self._options = tuple(o for e in chosen for o in e.options)
        self._options_of: dict[str, Mapping[str, type[Option]]] = {}

    def options(self, keyword: str) -> Mapping[str, type[Option]]:
        """The tags that extensions add to this command or test."""
        known = self._options_of.get(keyword)
        if known is None:
            direct = {o.keyword: o for o in self._options if keyword in o.extends}
            indirect = {o.keyword: o for o in self._options if any(f":{tag}" in o.extends for tag in direct)}
            known = self._options_of[keyword] = indirect | direct
        return known

    def with_(self, names: Iterable[str]) -> Vocabulary:
        """This vocabulary and more capabilities, with those that come with them."""
        wanted, waiting = set(self.capabilities), list(names)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting.extend(registry().extensions[name].implies)
        return _vocabulary(frozenset(wanted))


class Extensions(Mapping[str, Extension]):
    """Every extension that this program has, by capability. A module is imported when one of its own is asked for.

    Why not all at once: a script requires two or three, and to import the rest takes longer than to check it. Which
    module has which capability stands in `catalogue`; a module that does not stand there is imported to find out.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, Extension] = {}
        self._modules = dict(MODULES)
        for module in sorted(_modules() - set(MODULES.values())):
            self._modules.update(dict.fromkeys(self._load(module), module))

    def __getitem__(self, name: str) -> Extension:
        if name not in self._loaded:
            self._load(self._modules[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def _load(self, module: str) -> list[str]:
        extensions = extensions_of(module)
        self._loaded.update((extension.name, extension) for extension in extensions)
        return [extension.name for extension in extensions]


def extensions_of(module: str) -> Sequence[Extension]:
    """Those of one module of `sievemda.sieve`."""
    extensions: Sequence[Extension] = importlib.import_module(f"sievemda.sieve.{module}").EXTENSIONS
    return extensions


def _modules() -> set[str]:
    from sievemda.sieve import extensions  # noqa: PLC0415 - extensions import this module

    return {f"extensions.{module.name}" for module in pkgutil.iter_modules(extensions.__path__)}


def modules() -> tuple[str, ...]:
    """Every module that has extensions: the base language, the test language, and those of the package, sorted."""
    return ("base", "testing.words", *sorted(_modules()))


class Registry:
    """Every extension that this program has, by capability."""

    def __init__(self) -> None:
        self.extensions: Mapping[str, Extension] = Extensions()

    @cached_property
    def public(self) -> frozenset[str]:
        """The capabilities that any script may be allowed."""
        return frozenset(name for name in self.extensions if not self._is(name, "private", PRIVATE))

    @cached_property
    def default(self) -> frozenset[str]:
        """The capabilities that scripts may require where the site has not said."""
        return frozenset(name for name in self.public if not self._is(name, "reserved", RESERVED))

    def _is(self, name: str, what: str, catalogued: frozenset[str]) -> bool:
        """What the catalogue says of an extension, or the extension itself."""
        return name in catalogued if name in MODULES else getattr(self.extensions[name], what)


BASE = ""  # the name of the base language among the extensions


@lru_cache(maxsize=1)
def registry() -> Registry:
    return Registry()


@lru_cache(maxsize=512)
def _vocabulary(capabilities: frozenset[str]) -> Vocabulary:
    known = registry().extensions
    return Vocabulary(known[name] for name in sorted(capabilities))


def base_vocabulary() -> Vocabulary:
    return _vocabulary(frozenset({BASE}))


def capabilities() -> tuple[str, ...]:
    """What can be advertised (RFC 5804 §1.7), sorted; that of which is on by default is `registry().default`."""
    return tuple(sorted(e.name for e in registry().extensions.values() if e.advertised and e.name != BASE))
