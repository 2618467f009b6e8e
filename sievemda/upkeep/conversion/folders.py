"""Files and directories of a filter as folders of the user's.

A path is read as the program would: relative to its mail directory, with the home directory written `~` here, since
nobody knows where it was. What lies in the mail directory (`~/Maildir`, `~/Mail`, `~/mail` or the one that is set) is
a folder; the mail directory itself, the mailbox of the system and `~/mbox` are the INBOX.

Why nothing else is: a file elsewhere was no folder, and a delivery agent that invented one would hide mail from him
who looks for it there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sievemda.upkeep.conversion.report import Impossible, Remarks
from sievemda.upkeep.conversion.site import FolderName
from sievemda.upkeep.conversion.variables import literal

_ROOTS = (("~", "Maildir"), ("~", "Mail"), ("~", "mail"), ("~", ".maildir"), ("~", ".mail"), ("~", "Mailbox"))
_INBOXES = {"inbox", "mbox", "mailbox", "maildir", "mail"}
_SPOOL = re.compile(r"/(?:var/)?(?:spool/)?mail/[^/]+/?")
_HOME = re.compile(r"/(?:home(?:/[^/]+)?|users|export/home)/[^/]+(?=/)")
Kind = Literal["inbox", "folder", "nowhere", "outside"]


@dataclass(frozen=True, slots=True)
class Destination:
    """`name` is that of the folder as Sieve writes it."""

    kind: Kind
    name: str = ""


def destination(path: str, directory: str, name: FolderName, remarks: Remarks) -> Destination:
    """Where a path leads; `directory` is the mail directory at that place. Raises `Impossible`."""
    if path == "/dev/null":
        return Destination("nowhere")
    if _SPOOL.fullmatch(path):
        return Destination("inbox")
    root, whole = _components(directory, ()), _components(path, _components(directory, ()))
    if (any(root == one[: len(root)] for one in _ROOTS) and root == ("~",)) or whole[: len(root)] != root:
        root = next((one for one in _ROOTS if whole[:2] == one), root)
    if whole[: len(root)] != root:
        return Destination("outside")
    rest = whole[len(root) :]
    if not rest or (len(rest) == 1 and rest[0].lower() in _INBOXES):
        return Destination("inbox")
    found = name(_levels(rest, remarks))
    literal(found)  # what no script could say is known at once
    return Destination("folder", found)


def at_home(path: str) -> str:
    """The path with `~` for a home directory, whosever it was."""
    return _HOME.sub("~", path, count=1)


def _components(path: str, start: tuple[str, ...]) -> tuple[str, ...]:
    """The steps of a path; `..` goes up, and not beyond the top."""
    path = at_home(path)
    out = [] if path.startswith(("/", "~")) else list(start)
    if path.startswith("/"):
        out = ["/"]
    for step in path.split("/"):
        if step == "..":
            del out[-1:]
        elif step not in {"", "."}:
            out.append(step)
    return tuple(out)


def _levels(steps: tuple[str, ...], remarks: Remarks) -> tuple[str, ...]:
    """The levels of a folder's name: those of Maildir++ (`.a.b`) or one for each directory."""
    out: list[str] = []
    for step in steps:
        out += [level for level in step[1:].split(".") if level] if step.startswith(".") else [step]
    if not out:
        raise Impossible("the name of a folder is only dots")
    if any(re.search(r"[\x00\x03-\x1f\x7f]", level) for level in out):
        raise Impossible("the name of a folder has control characters")
    if out[0].lower() == "inbox" and len(out) > 1:
        remarks.approximate("a folder below the INBOX becomes one beside it")
        out = out[1:]
    return tuple(out)
