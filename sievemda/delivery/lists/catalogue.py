"""Which lists there are for an owner, and the answers to questions about them. RFC 6134 §2.2, §2.5.

The site names lists in its settings; `:addrbook:default` is there for everybody (§2.5), empty where the owner has no
address book. A list in a home that is not there is empty; one of the site that cannot be read is a run-time error.

What will not pass by itself (no such file, a wrong statement) is a run-time error, and the message is kept: §2.2. What
may pass (somebody else holds the database, the disk fails) delays the message: §3, "delay message delivery and try
again later". Nothing has been done by then, because scripts are evaluated before they are carried out.

Why the two are told apart, where an active script that cannot be read is always one that fails: a database that is
being written to is held now and then, and a message to the members of a list would not reach them for that.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence
from pathlib import Path

from sievemda.config import ExternalList, Settings
from sievemda.delivery.lists.files import Files, Members, Parser, cards, keys, plain
from sievemda.errors import DataError, TemporaryTrouble
from sievemda.sieve.listnames import ADDRESS_BOOK, DEFAULT_BOOK, normal_name
from sievemda.sieve.problems import RunError
from sievemda.sieve.text import octets

_MOMENTARY = {errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT}
_PATIENCE = 5.0  # seconds for all questions to databases in one run
_PARSERS: dict[str, Parser] = {"file": plain, "dict": keys, "vcards": cards}
_NAME = 250  # octets that a file name without its `.vcf` may have
_NONE = Members(())


class Lists:
    """Every list of the site; thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.sieve
        self._named = {normal_name(one.name): one for one in settings.sieve.sieve_extlists.values()}
        self.files = Files()

    def of(self, owner: str, home: Path) -> OwnLists:
        """The lists of one user, for the time of one run."""
        return OwnLists(self, owner, home)

    def configured(self, name: str, owner: str) -> ExternalList | None:
        """The list of the settings with that name, when this user may ask it."""
        found = self._named.get(name)
        if found is None or not found.users:
            return found
        domain = owner.rpartition("@")[2] if "@" in owner else ""
        return found if owner in found.users or f"@{domain}" in found.users else None

    def book(self, name: str, home: Path) -> Path | None:
        """Where an address book of a user lies, which need not be there; `None` for what can be none."""
        folder = self._settings.sieve_extlists_addrbook
        if not name.startswith(ADDRESS_BOOK) or not folder:
            return None
        if name == DEFAULT_BOOK:
            return home / folder
        book = name.removeprefix(ADDRESS_BOOK)
        if not book or book[0] == "." or "/" in book or not book.isprintable() or len(octets(book)) > _NAME:
            return None
        places = (home / folder / book, home / folder / f"{book}.vcf")
        return next((place for place in places if place.exists()), None)


class OwnLists:
    """Answers `has_list`, `in_list` and `list_members` of `sieve.facts.Facts`. Used by one thread.

    Questions raise RunError, and TemporaryTrouble for what may pass.
    """

    def __init__(self, lists: Lists, owner: str, home: Path) -> None:
        local, _, domain = owner.partition("@")
        self._lists = lists
        self._owner = owner
        self._home = home
        self._names = {"user": owner, "local": local, "domain": domain}
        self._members: dict[str, Members] = {}
        self._left = _PATIENCE

    def has(self, name: str) -> bool:
        configured = self._lists.configured(name, self._owner)
        return configured is not None or name == DEFAULT_BOOK or self._lists.book(name, self._home) is not None

    def find(self, name: str, values: Sequence[str]) -> str | None:
        one = self._lists.configured(name, self._owner)
        if one is None or not one.sqlite or "{values}" not in one.statement:
            most = one.max_lookup_size if one else ExternalList().max_lookup_size
            return self._all(name).find([value for value in values if len(octets(value)) <= most])
        short = [value for value in values if len(octets(value)) <= one.max_lookup_size]
        found = self._rows(one, one.statement, short) if short else []
        return Members(tuple(found), one.exact).find(short) or next(iter(found), None)

    def members(self, name: str, most: int) -> Sequence[str]:
        found = self._all(name).texts
        if len(found) > most:
            raise RunError(f"the list has {len(found)} members: the limit is {most}")
        return found

    def _all(self, name: str) -> Members:
        known = self._members.get(name)
        if known is None:
            known = self._members[name] = self._read(name)
        return known

    def _read(self, name: str) -> Members:
        one = self._lists.configured(name, self._owner)
        if one is None:
            book = self._lists.book(name, self._home)
            return self._file(book, cards, exact=False, required=False) if book else _NONE
        if one.sqlite:
            statement = one.members or one.statement
            if "{values}" in statement:
                raise RunError(f"the list {one.name} can only be asked, not enumerated")
            return Members(tuple(dict.fromkeys(self._rows(one, statement, ()))), one.exact)
        place = next(place for place in _PARSERS if getattr(one, place))
        path, own = self._path(getattr(one, place))
        return self._file(path, _PARSERS[place], exact=one.exact, required=not own)

    def _file(self, path: Path, parse: Parser, *, exact: bool, required: bool) -> Members:
        """A file; those in a home must not lead out of it."""
        try:
            if not required and not _inside(path, self._home):
                raise OSError(f"{path} leads out of the home directory")
            found = self._lists.files.get(path, parse, exact=exact)
        except OSError as e:
            if e.errno in _MOMENTARY:
                raise TemporaryTrouble(f"a list cannot be read now: {e}") from e
            raise RunError(f"a list cannot be read: {e}") from e
        if found is None and required:
            raise RunError(f"a list cannot be read: there is no file {path}")
        return found or _NONE

    def _rows(self, one: ExternalList, statement: str, values: Sequence[str]) -> list[str]:
        from sievemda.state.listing import rows  # noqa: PLC0415 - only where a site has such a list

        began = time.monotonic()
        try:
            return rows(self._path(one.sqlite)[0], statement, values, self._names, self._left)
        except DataError as e:
            raise RunError(f"the list {one.name} cannot be asked: {e}") from e
        finally:
            self._left = max(0.0, self._left - (time.monotonic() - began))

    def _path(self, template: str) -> tuple[Path, bool]:
        """The path that a setting names, and whether it lies in the home of the owner."""
        for name, value in self._names.items():
            if f"{{{name}}}" in template and ("/" in value or "\0" in value or value in {".", ".."}):
                raise RunError(f"no path can be made of the user name {value!r}")
            template = template.replace(f"{{{name}}}", value)
        own = template.startswith("{home}") or not template.startswith("/")
        return self._home / template.replace("{home}", str(self._home)), own


def _inside(path: Path, home: Path) -> bool:
    root = os.path.realpath(home)
    return os.path.realpath(path).startswith(root + os.sep)
