"""Templates of messages about full mailboxes.

    Subject: Your mailbox is {percent} full

    Dear {user}, {root} holds {used} of {limit}. {hint}

The Subject stands in front of an empty line, the text behind it, in UTF-8; all other fields of the message are ours.
`{{` and `}}` are braces.

    {user}       the owner (of a board or a domain: its name)      {root}     the quota root, such as user/alice
    {used}       7.6 MB, or 812 messages                           {limit}    as {used}; {free} what is left of it
    {percent}    81%                                               {level}    80%, or over
    {resource}   STORAGE, MESSAGE, ...                             {hint}     the folder that holds the most
    {refusal}    what becomes of mail that is refused              {host}, {postmaster}

Why no formatting language: a template is written by an administrator and filled with names from outside; nothing but
these words stands between braces, and nothing that is filled in is looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sievemda.errors import DataError
from sievemda.given import open_given

PLACEHOLDERS = (
    "user",
    "root",
    "used",
    "limit",
    "free",
    "percent",
    "level",
    "resource",
    "hint",
    "refusal",
    "host",
    "postmaster",
)
MAX_SIZE = 1 << 16  # octets of a file
_BRACE = re.compile(r"\{\{|\}\}|\{([^{}\n]*)\}|[{}]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_GAP = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


@dataclass(frozen=True, slots=True)
class Template:
    """Checked: it can be filled."""

    subject: str
    body: str

    def fill(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Subject and text; a paragraph in which nothing stood but what is empty leaves no gap."""
        body = _GAP.sub("\n\n", _filled(self.body, values)).strip("\n") + "\n"
        return " ".join(_filled(self.subject, values).split()), body


def read(path: Path) -> Template:
    """DataError for a file that is no template, with line; OSError when it cannot be read."""
    with open_given(path) as file:
        content = file.read(MAX_SIZE + 1)
    if len(content) > MAX_SIZE:
        raise DataError(f"{path}: a template has at most {MAX_SIZE} octets")
    try:
        return parse(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as e:
        line = content[: e.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: this is not UTF-8") from e


def parse(text: str, where: str) -> Template:
    """DataError names `where` and the line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head, _, body = text.partition("\n\n")
    _check(text, where)
    subject = ""
    for number, line in enumerate(head.split("\n"), 1):
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and subject:
            subject += f" {line.strip()}"
        elif colon and name.strip().lower() == "subject" and not subject:
            subject = value.strip()
        else:
            raise DataError(f"{where}:{number}: a template begins with `Subject: ...` and an empty line")
    if not subject:
        raise DataError(f"{where}:1: the Subject is empty")
    if not body.strip():
        raise DataError(f"{where}: there is no text behind the Subject")
    return Template(subject, body)


def _check(text: str, where: str) -> None:
    for found in _BRACE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found[1] is not None and found[1] not in PLACEHOLDERS:
            known = ", ".join(PLACEHOLDERS)
            raise DataError(f"{where}:{line}: nothing stands for {found[0][:60]!r}; there are {known}")
        if found[0] in ("{", "}"):
            raise DataError(f"{where}:{line}: write {found[0] * 2} for a brace")
    if bad := _CONTROL.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise DataError(f"{where}:{line}: {bad[0]!r} is no text")


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _BRACE.sub(lambda found: found[0][0] if found[1] is None else values[found[1]], text)
