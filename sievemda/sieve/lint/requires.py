"""What a script requires: names of old, and capabilities of which no word is used."""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.sieve.lint.telling import warning
from sievemda.sieve.problems import Problem
from sievemda.sieve.tree import Call, Str, Strings, Tag, walk
from sievemda.sieve.vocabulary import Extension, registry

_TODAY = {"imapflags": "imap4flags", "notify": "enotify"}  # those of old that are no other name of the one of today


def former(calls: tuple[Call, ...]) -> Iterator[Problem]:
    """Capabilities that have another name today, or were replaced."""
    for item in _required(calls):
        if today := successor(item.value):
            text = f"'{item.value}' is deprecated: '{today}' has taken its place"
            yield warning(item, "deprecated", text, f'write require "{today}"')


def successor(name: str) -> str:
    """The capability that has taken the place of this one; empty when none has."""
    extension = registry().extensions.get(name)
    if name in _TODAY or extension is None:
        return _TODAY.get(name, "")
    return extension.implies[0] if extension.implies and not (extension.advertised or extension.private) else ""


def unused(calls: tuple[Call, ...]) -> Iterator[Problem]:
    """Capabilities that nothing in the script asks for, as far as their words tell."""
    required = list(_required(calls))
    words, strings = _used(calls)
    needed = {
        other for item in required if (extension := registry().extensions.get(item.value)) for other in extension.needs
    }
    for item in required:
        extension = registry().extensions.get(item.value)
        if extension is None or item.value in needed or _in_use(extension, words, strings):
            continue
        yield warning(
            item, "unused-require", f"nothing in the script uses '{item.value}'", "leave it out of the require"
        )


def _required(calls: tuple[Call, ...]) -> Iterator[Str]:
    for call in calls:
        if call.name != "require":
            return
        for argument in call.arguments:
            yield from (
                argument.items if isinstance(argument, Strings) else (argument,) if isinstance(argument, Str) else ()
            )


def _used(calls: tuple[Call, ...]) -> tuple[set[str], set[str]]:
    """The words of a script, tags with their colon, and its strings in lower case, without those of `require`."""
    words: set[str] = set()
    strings: set[str] = set()
    for call, _, _ in walk(calls):
        if call.name == "require":
            continue
        words.add(call.name)
        for argument in call.arguments:
            if isinstance(argument, Tag):
                words.add(f":{argument.name}")
            elif isinstance(argument, Str):
                strings.add(argument.value.lower())
            elif isinstance(argument, Strings):
                strings.update(item.value.lower() for item in argument.items)
    return words, strings


def _in_use(extension: Extension, words: set[str], strings: set[str]) -> bool:
    members = [extension, *(registry().extensions[name] for name in extension.implies)]
    return any(_one_in_use(one, words, strings) for one in members)


def _one_in_use(extension: Extension, words: set[str], strings: set[str]) -> bool:
    nodes = {item.keyword for item in (*extension.commands, *extension.tests)}
    tags = {f":{item.keyword}" for item in extension.options}
    tags |= {f":{kind.name}" for kind in extension.match_types} | {f":{part.name}" for part in extension.address_parts}
    texts = {item.name.lower() for item in extension.comparators} | set(extension.envelope_parts)
    marks = ["${"] if extension.read or extension.decode else [f"${{{name}." for name in extension.namespaces]
    if not (nodes or tags or texts or marks):
        return True  # nobody can tell
    if not words.isdisjoint(nodes | tags) or not strings.isdisjoint(texts):
        return True
    return any(mark in string for mark in marks for string in strings)
