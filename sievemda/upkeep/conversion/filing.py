"""Commands that put a message somewhere, made where it went before: as needed, as a copy or for good."""

from __future__ import annotations

from sievemda.upkeep.conversion.folders import Destination
from sievemda.upkeep.conversion.report import Impossible
from sievemda.upkeep.conversion.script import DISCARD, KEEP, Command, do
from sievemda.upkeep.conversion.variables import literal


def filed(place: Destination, path: str, available: frozenset[str], *, copy: bool) -> list[Command]:
    """Folders are made where that is possible, as the other programs make them. Raises `Impossible`."""
    match place.kind:
        case "inbox":
            return [KEEP]
        case "nowhere":
            return [] if copy else [DISCARD]
        case "outside":
            raise Impossible(f"{path} is not in the mail directory")
    name, needs = literal(place.name)
    tags = [tag for tag, capability in ((":create", "mailbox"), (":copy", "copy")) if capability in available]
    if copy and ":copy" not in tags:
        raise Impossible("this site has no copies: the capability copy")
    if not copy and ":copy" in tags:
        tags.remove(":copy")
    required = {":create": "mailbox", ":copy": "copy"}
    return [do(" ".join(["fileinto", *tags, f"{name};"]), "fileinto", *needs, *(required[tag] for tag in tags))]
