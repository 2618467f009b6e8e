"""A user's history of his scripts, as scripts that can be read and nothing else: `/history` and `/history/NUMBER`.

Why such names: no stored script can have a `/` in its name, so none of theirs is hidden and none can be put, activated,
renamed or deleted. Why they are not listed unless the site wants it: clients offer what they find in the list for
editing, and some activate it. Everything is a comment, or was a script: whatever a client does with it, it is Sieve.
"""

from __future__ import annotations

import re
from datetime import datetime

from sievemda.errors import NotFound
from sievemda.scripts.keeper import Keeper
from sievemda.state.versions import Version

NAME = "/history"

_ONE = re.compile(r"/history/([1-9][0-9]{0,8})")
_MOST = 200  # changes that are told of at once


def is_history(name: str) -> bool:
    """Whether nothing can be stored under this name because it is one of these."""
    return name == NAME or name.startswith(f"{NAME}/")


def read_history(keeper: Keeper, name: str) -> bytes:
    """The text for one of these names. NotFound."""
    versions = keeper.history()
    if name == NAME:
        return _overview(versions).encode("utf-8", "replace")
    number = _ONE.fullmatch(name)
    found = next((version for version in versions if number and version.number == int(number[1])), None)
    if found is None:
        raise NotFound("there is no such version")
    text = keeper.text(found.digest or found.before)
    if text is None:
        raise NotFound("that change has no text, or it is not kept any more")
    return text


def _overview(versions: list[Version]) -> str:
    lines = [f'# Changes to your scripts, the newest first. GETSCRIPT "{NAME}/NUMBER" gives the text of one.']
    lines += [f"# {version.number:4}  {when(version)}  {told(version)}" for version in versions[: -_MOST - 1 : -1]]
    if len(versions) > _MOST:
        lines.append(f"# and {len(versions) - _MOST} older ones")
    return "\r\n".join([*lines, ""])


def stale(version: Version, changed: Version | None, *, readable: bool) -> str:
    """What to tell who has stored a script on the base of a text that was no longer there: `changed` says why.

    `readable`: he can read the history himself.
    """
    name = version.script
    if changed is None:
        return f"{name} has been changed since you read it; your text is stored"
    match changed.action:
        case "rename" if changed.script == name:
            how, kept = f"renamed to {changed.target}", f"{changed.target} is as it was"
        case "rename":
            how, kept = f"replaced by what was {changed.script}", _kept(changed, version, readable=readable)
        case "delete":
            how, kept = "deleted", _kept(changed, version, readable=readable)
        case _:
            how, kept = "replaced", _kept(changed, version, readable=readable)
    return f"{name} has been {how} since you read it, by {who(changed)} on {when(changed)}; your text is stored, {kept}"


def _kept(changed: Version, version: Version, *, readable: bool) -> str:
    """How to get the other text back."""
    ask = f"sievemda script get {version.owner} {version.script} --version {changed.number}"
    reading = f"GETSCRIPT {NAME}/{changed.number}, or " if readable else ""
    return f"and the other text is kept: {reading}{ask}"


def told(version: Version) -> str:
    """A change in the words of a client."""
    what = {
        "put": f'"{version.script}" stored, {version.size} octets',
        "activate": f'"{version.script}" activated',
        "deactivate": f'"{version.script}" deactivated',
        "delete": f'"{version.script}" deleted',
        "rename": f'"{version.script}" renamed to "{version.target}"',
    }[version.action]
    failed = ", which did not succeed" if version.status == "failed" else ""
    undone = f", which took back change {version.undoes}" if version.undoes else ""
    return f"{what} by {who(version)}{failed}{undone}"


def who(version: Version) -> str:
    """Whom the user may be told of: an administrator by his office."""
    if version.via in ("outside", "found") or not version.address:
        return "somebody at the server"
    if version.address == "command line":
        return "the administrator"
    return f"{version.actor} from {version.address}"


def when(version: Version) -> str:
    return datetime.fromtimestamp(version.instant).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
