"""What a client may set: `initializationOptions`, and `sievemda` in `workspace/didChangeConfiguration`.

    {"extensions": ["fileinto", "vacation"], "include": ["/home/alice/sieve"], "mailboxes": ["Lists/Dev"]}

`extensions` are the capabilities of the server that the script is for: others are then a mistake. `+name` and `-name`
add to and take from what is allowed without it. `include` are folders with scripts to include, `mailboxes` names that
are offered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sievemda.lsp.document import World
from sievemda.sieve.vocabulary import registry

_MOST = 10_000  # entries of a list


def wished(world: World, options: object) -> tuple[World, list[str]]:
    """The world as the options have it, and what is wrong with them."""
    if options is None:
        return world, []
    if not isinstance(options, Mapping):
        return world, ["the settings must be an object"]
    settings = options.get("sievemda", options)
    complaints: list[str] = []
    for key, given in settings.items() if isinstance(settings, Mapping) else ():
        take = _SETTINGS.get(key)
        if take is None:
            complaints.append(f"unknown setting {str(key)[:80]!r}: known are {', '.join(_SETTINGS)}")
        elif not isinstance(given, list) or len(given) > _MOST or not all(isinstance(item, str) for item in given):
            complaints.append(f"{key} must be a list of strings")
        else:
            world = take(world, given, complaints)
    return world, complaints


def _extensions(world: World, given: list[str], complaints: list[str]) -> World:
    known = registry().extensions
    complaints += [f"there is no capability {item[:80]!r}" for item in given if item.lstrip("+-") not in known]
    named = {item for item in given if item[:1] not in {"+", "-"} and item in known}
    before = registry().public if world.available is None else world.available
    added = {item[1:] for item in given if item[:1] == "+" and item[1:] in known}
    taken = {item[1:] for item in given if item[:1] == "-"}
    return replace(world, available=frozenset(((named or before) | added) - taken))


def _include(world: World, given: list[str], _complaints: list[str]) -> World:
    return replace(world, include=tuple(given))


def _mailboxes(world: World, given: list[str], _complaints: list[str]) -> World:
    return replace(world, mailboxes=tuple(given))


_SETTINGS: Mapping[str, Callable[[World, list[str], list[str]], World]] = {
    "extensions": _extensions,
    "include": _include,
    "mailboxes": _mailboxes,
}
