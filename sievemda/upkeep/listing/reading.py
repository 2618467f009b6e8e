"""Reads lists of mailboxes and of quota roots as Cyrus writes them, entry by entry: nothing of a long file is kept.

    JSON                                   `ctl_mboxlist -d` since 3.4 and our own; `quota -J`
    NAME<TAB>[TYPE ]PARTITION ID<TAB>...   `ctl_mboxlist -d` before that; SERVER!PARTITION is a remote one
    NAME<TAB>%(S (USED LIMIT) M (USED))    the data base of quotas, as `cyr_dbtool` shows it
    NAME<TAB>USED LIMIT                    the same before 2.4, in KiB

Which one it is, each line says for itself. A file that ends in the middle of something is told as such.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from sievemda.errors import DataError, SievemdaError
from sievemda.policy.quota import KIB, RESOURCES
from sievemda.store.internal import is_deleted, parse_internal
from sievemda.store.names import Namespace
from sievemda.upkeep.listing.entries import ROOT, Entry, Left, acl_of, from_json, limits_of, type_of

_BLOCK = 1 << 20  # characters
LONGEST = 8 << 20  # characters of one entry
_SPACE = re.compile(r"[ \t\r\n]*")
_TYPED = re.compile(r"(\d+|[a-z]{1,2}) ([^\t ]*)(?: (.*))?", re.DOTALL)
_UNTYPED = re.compile(r"([^\t ]+)(?: (.*))?", re.DOTALL)
_USED_LIMIT = re.compile(r"-?\d+ (-?\d+)")
_RESOURCE = re.compile(r"([A-Z]+) \(([^()]*)\)")
_SHORT = {"S": "STORAGE", "M": "MESSAGE", "AS": "ANNOTATION-STORAGE", "NF": "MAILBOX"}


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry of which nothing is to be made."""

    where: str
    what: str  # deleted, intermediate, remote, not mail; broken when it could not be understood
    why: str
    silent: bool = False


def read(file: BinaryIO, shown: str, namespace: Namespace) -> Iterator[Entry | Unread]:
    """The entries of a file that is called `shown`. OSError."""
    text = _Text(file)
    if text.first() == "{":
        yield from _json(text, shown, namespace)
    else:
        yield from _lines(text, shown, namespace)


class _Text:
    """A text of which a few blocks are held at a time."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self.held = ""
        self.at = 0
        self.line = 1
        self.ended = False

    def more(self) -> None:
        block = self._file.read(_BLOCK)
        self.ended = not block
        self.held, self.at = self.held[self.at :] + self._decode(block, final=not block), 0

    def pass_to(self, end: int) -> None:
        self.line += self.held.count("\n", self.at, end)
        self.at = end

    def first(self) -> str:
        """The first character that is no space, which stay: a name may begin with one."""
        while not (found := self.held.lstrip(" \t\r\n")[:1]) and not self.ended and len(self.held) <= LONGEST:
            self.more()
        return found

    def skip(self) -> str:
        """The next character that is no space; nothing at the end."""
        while True:
            self.pass_to(_SPACE.match(self.held, self.at).end())  # type: ignore[union-attr]  # matches anything
            if self.at < len(self.held):
                return self.held[self.at]
            if self.ended:
                return ""
            self.more()

    def take(self, expected: str) -> None:
        found = self.skip()
        if found != expected:
            raise _Broken(f"{expected!r} is missing here" if found else "the file ends in the middle")
        self.at += 1

    def value(self) -> Any:
        """A JSON value, and past it."""
        self.skip()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.held, self.at)
                if end < len(self.held) or self.ended:
                    self.pass_to(end)
                    return value
            except json.JSONDecodeError as error:
                if self.ended or len(self.held) - self.at > LONGEST:
                    raise _Broken(_fault(error, len(self.held.rstrip()))) from error
            except (RecursionError, ValueError) as error:  # a number of thousands of digits
                raise _Broken("no JSON that can be read") from error
            self.more()

    def next_line(self) -> str:
        """With its line feed; nothing at the end."""
        while (end := self.held.find("\n", self.at)) < 0 and not self.ended and len(self.held) - self.at <= LONGEST:
            self.more()
        end = len(self.held) if end < 0 else end + 1
        line = self.held[self.at : end]
        self.pass_to(end)
        return line


_DECODER = json.JSONDecoder()


def _fault(error: json.JSONDecodeError, end: int) -> str:
    cut_off = error.pos >= end or error.msg.startswith("Unterminated")
    return "the file ends in the middle" if cut_off else f"no JSON: {error.msg}"


class _Broken(Exception):
    """There is no going on from here."""


# -- JSON ------------------------------------------------------------------------------------------------------------


def _json(text: _Text, shown: str, namespace: Namespace) -> Iterator[Entry | Unread]:
    try:
        text.take("{")
        while text.skip() != "}":
            key = text.value()
            where = f"{shown}:{text.line}"
            text.take(":")
            value = text.value()
            if not isinstance(key, str):
                raise _Broken("a name is no string")
            yield _understood(where, key, partial(_of, where, namespace, key, value))
            if text.skip() == "}":
                break
            text.take(",")
        text.take("}")
        if text.skip():
            raise _Broken("there is something behind the end")
    except _Broken as error:
        yield Unread(f"{shown}:{text.line}", "broken", str(error))


def _understood(where: str, key: str, parse: Callable[[], Entry]) -> Entry | Unread:
    try:
        entry = parse()
    except Left as left:
        return Unread(where, left.what, f"{key[:200]}: {left}", left.silent)
    except SievemdaError as error:
        return Unread(where, "broken", f"{key[:200]}: {error}" if key[:80] not in str(error) else str(error))
    return entry


def _of(where: str, namespace: Namespace, key: str, value: Any) -> Entry:
    if not isinstance(value, dict):
        raise DataError("it is no object")
    if is_deleted(key):
        raise Left("deleted", silent=True)
    if value and all(name.upper() in RESOURCES and isinstance(of, dict) for name, of in value.items()):
        return Entry(where, parse_internal(namespace, key), ROOT, limits=limits_of(value, KIB))
    kind = value.get("mbtype")
    if "quota" not in value and isinstance(kind, str):
        type_of(kind)  # before the name, which need be none that we could have
    return from_json(where, parse_internal(namespace, key), value)


# -- lines -----------------------------------------------------------------------------------------------------------


def _lines(text: _Text, shown: str, namespace: Namespace) -> Iterator[Entry | Unread]:
    while True:
        where = f"{shown}:{text.line}"
        line = text.next_line()
        if not line:
            return
        if not line.endswith("\n") and not text.ended:
            yield Unread(where, "broken", f"a line of more than {LONGEST} characters is in no list")
            return
        if not line.strip():
            continue
        name, tab, rest = line.rstrip("\r\n").partition("\t")
        if not tab:
            yield Unread(where, "broken", "it is no line of a list: no tab stands behind a name")
        elif not line.endswith("\n") and not line.endswith("\t") and not rest.startswith("%("):
            yield Unread(where, "broken", f"{name[:200]}: the line has no end; the file is cut off, or lacks it")
        else:
            yield _understood(where, name, partial(_of_line, where, namespace, name, rest))


def _of_line(where: str, namespace: Namespace, name: str, rest: str) -> Entry:
    if is_deleted(name):
        raise Left("deleted", silent=True)
    if rest.startswith("%("):
        return Entry(where, parse_internal(namespace, name), ROOT, limits=_listed(rest))
    if used := _USED_LIMIT.fullmatch(rest):
        return Entry(where, parse_internal(namespace, name), ROOT, limits=limits_of({"STORAGE": used[1]}, KIB))
    typed = _TYPED.fullmatch(rest)
    kind, place, acl = typed.groups() if typed else ("", *_untyped(rest))
    server, bang, partition = place.rpartition("!")
    kind = type_of(kind, server if bang else "")
    return Entry(where, parse_internal(namespace, name), kind, partition, acl_of(acl or ""))


def _untyped(rest: str) -> tuple[str, str]:
    found = _UNTYPED.fullmatch(rest)
    if found is None:
        raise DataError("no partition stands behind the name")
    return found[1], found[2] or ""


def _listed(text: str) -> Any:
    """`%(S (0 10240) M (3) AS (0) NF (1) MODSEQ 0)`: what is used, and the limit if there is one."""
    if not text.endswith(")"):
        raise DataError("the line is cut off")
    found = {}
    for short, numbers in _RESOURCE.findall(text):
        words = numbers.split()
        if short in _SHORT and len(words) > 1:
            found[_SHORT[short]] = words[1]
    return limits_of(found, KIB)
