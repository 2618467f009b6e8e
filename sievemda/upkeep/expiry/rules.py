r"""Rules by which messages expire, as a file in TOML has them.

    [general]
    exclude = ["user/archivist/*"]       # mailboxes that no rule touches
    exclude_users = ["legal*"]

    [rules.junk]                         # tried in the order of the file
    mailboxes = ["user/*/Junk"]          # patterns with * and %; all, if users, partitions or special_use say which
    exclude = ["user/postmaster/Junk"]
    users = ["*@example.org"]
    partitions = ["default"]
    special_use = ['\\Junk']
    age = "30d"                          # since its Date; a plain number is of days
    arrived = "30d"                      # since it came to this server (INTERNALDATE)
    saved = "30d"                        # since it came into this folder
    larger = "10M"                       # octets of the message
    count = 1000                         # the newest so many stay
    folder_size = "1G"                   # the newest stay as far as they have room in so many octets
    grace = "7d"                         # what is too large or too many may be there for so long all the same
    seen = true                          # or deleted, flagged, answered, draft; false: without that flag
    keyword = ["$Junk"]                  # has all of these; without = [...]: has none of these
    header = { field = "List-Id", contains = "news" }    # or a list; is, contains, matches, regex, exists; not = true
    sieve = "old.sieve"                  # a script decides (see `sieving`); where it is relative, beside this file
    action = "discard"                   # or "fileinto", or "report", which only tells
    mailbox = "Archive"                  # for fileinto: a folder of the same user
    create = true                        # made when it is not there
    exclusive = true                     # no rule behind this one holds for these mailboxes
    enabled = true

All that a rule says must hold. The first rule that takes a message, by `discard` or `fileinto`, decides. The names that
Oracle's store.expirerule has for these are understood as well (`folderpattern`, `messagedays`, `messagecount` ...).

Why a rule must say which mailboxes it is for, and what a message must be like: one that was cut short or mistyped would
take everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from sievemda import config
from sievemda.configload import convert
from sievemda.errors import DataError
from sievemda.given import read_given
from sievemda.policy.age import parse_age
from sievemda.rulefile import as_table, clean_name, read_tables
from sievemda.store.creation import special_uses
from sievemda.store.keywords import is_keyword
from sievemda.store.maildir import SYSTEM_FLAGS
from sievemda.store.names import MailboxName, Namespace
from sievemda.store.patterns import Pattern
from sievemda.upkeep.expiry.criteria import Criteria, Wanted
from sievemda.upkeep.expiry.headers import header_tests
from sievemda.upkeep.expiry.scope import Scope
from sievemda.upkeep.expiry.sieving import Script

Kind = Literal["discard", "fileinto", "report"]

_MAX_NAME = 100
_FLAGS = ("seen", "deleted", "flagged", "answered", "draft")
_ORACLE = {
    "folderpattern": "mailboxes",
    "user": "users",
    "messagedays": "arrived",
    "savedays": "saved",
    "messagesize": "larger",
    "messagesizedays": "grace",
    "messagecount": "count",
    "foldersizebytes": "folder_size",
    "foldersizedays": "grace",
}
_PLAIN = ("age", "arrived", "saved", "larger", "count", "folder_size")

Compile = Callable[[str, bytes], Script]


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule; `mailbox` and `create` are for `fileinto`."""

    name: str
    scope: Scope = field(default_factory=Scope)
    wanted: Wanted = field(default_factory=Criteria)
    action: Kind = "discard"
    mailbox: str = ""
    create: bool = False
    script: Script | None = None
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    rules: tuple[Rule, ...] = ()
    excluded: Scope = field(default_factory=Scope)  # what it excludes, no rule touches


def read_rules(path: Path, namespace: Namespace, partitions: Mapping[str, Path], compiled: Compile) -> Rules:
    """The rules of a file that are enabled. DataError says what is wrong where; OSError when it cannot be read.

    `compiled` compiles a script of that name; it raises DataError.
    """
    general, tables = read_tables(path)
    reader = _Reader(path, "general", namespace, partitions, compiled)
    excluded = reader.check(general, ("exclude", "exclude_users"))
    made = []
    for name, table in tables.items():
        called = f"rules.{clean_name(name)}"
        found = _Reader(path, called, namespace, partitions, compiled).rule(name, as_table(path, called, table))
        made += [found] if found else []
    return Rules(tuple(made), Scope(**excluded))


class _Reader:
    """One table. Every error says the file, the table and the key."""

    def __init__(
        self, path: Path, table: str, namespace: Namespace, partitions: Mapping[str, Path], compiled: Compile
    ) -> None:
        self._path = path
        self._table = table
        self._namespace = namespace
        self._partitions = partitions
        self._compiled = compiled
        boolean = self._boolean
        self._known: dict[str, Callable[[Any], Any]] = {
            "mailboxes": self._patterns,
            "exclude": self._patterns,
            "users": self._users,
            "exclude_users": self._users,
            "partitions": lambda value: tuple(map(self._partition, _words(value))),
            "special_use": lambda value: tuple(special_uses(word).lower() for word in _words(value)),
            **dict.fromkeys(("age", "arrived", "saved", "grace"), _age),
            **dict.fromkeys(("larger", "folder_size"), lambda value: convert(config.Size, value, path)),
            "count": _count,
            **dict.fromkeys(_FLAGS, boolean),
            **dict.fromkeys(("keyword", "without"), lambda value: tuple(map(_keyword, _words(value)))),
            "header": header_tests,
            "sieve": self._script,
            "action": _kind,
            "mailbox": self._folder,
            **dict.fromkeys(("create", "exclusive", "enabled"), boolean),
        }

    def check(self, values: Mapping[str, Any], allowed: tuple[str, ...] = ()) -> dict[str, Any]:
        """The values, converted, under our own names."""
        found: dict[str, Any] = {}
        for given, value in values.items():
            key = _ORACLE.get(given, given)
            known = allowed or tuple(self._known)
            if key not in known:
                raise self._error(given, f"there is no such key; there are {', '.join(known)}")
            if key in found:
                raise self._error(given, f"{key} has been said already")
            try:
                found[key] = self._known[key](value)
            except ValueError as e:
                raise self._error(given, str(e)) from e
            except DataError as e:
                raise DataError(f"{self._place(given)}: {e}") from e
            except OSError as e:
                raise OSError(e.errno, e.strerror, f"{self._place(given)}: {e.filename}") from e
        return found

    def rule(self, name: str, values: Mapping[str, Any]) -> Rule | None:
        if not name.isprintable() or not 0 < len(name) <= _MAX_NAME:
            raise DataError(f"{self._path}: {self._table}: this cannot be the name of a rule")
        found = self.check(values)
        scope = Scope(
            **{
                key: found[key]
                for key in ("mailboxes", "exclude", "users", "exclude_users", "partitions", "special_use")
                if key in found
            }
        )
        criteria = _criteria(found)
        script: Script | None = found.get("sieve")
        if scope.is_open:
            raise self._error("mailboxes", 'of which mailboxes? Such as mailboxes = ["user/*/Junk"], or ["*"] for all')
        if criteria == Criteria() and script is None:
            raise self._error("age", 'which messages? Such as age = "30d", or a script that decides')
        self._check_together(found)
        if not found.get("enabled", True):
            return None
        return Rule(
            name,
            scope,
            criteria,
            found.get("action", "discard"),
            found.get("mailbox", ""),
            found.get("create", False),
            script,
            found.get("exclusive", False),
        )

    def _check_together(self, found: Mapping[str, Any]) -> None:
        if found.get("grace") and not {"larger", "count", "folder_size"} & set(found):
            raise self._error("grace", "it goes with larger, count or folder_size; for an age alone say saved")
        if found.get("action") == "fileinto" and not found.get("mailbox"):
            raise self._error("mailbox", 'where are they to go? Such as mailbox = "Archive"')
        if "mailbox" in found and found.get("action") != "fileinto":
            raise self._error("mailbox", 'it goes with action = "fileinto"')
        if "create" in found and found.get("action") != "fileinto" and "sieve" not in found:
            raise self._error("create", 'it goes with action = "fileinto"')

    def _patterns(self, value: Any) -> tuple[Pattern, ...]:
        return tuple(Pattern(self._namespace, word) for word in _words(value))

    def _users(self, value: Any) -> tuple[str, ...]:
        return tuple(word if "*" in word else self._namespace.userid(word) for word in _words(value))

    def _partition(self, word: str) -> str:
        if word not in self._partitions:
            raise ValueError(f"there is no partition {word[:_MAX_NAME]!r}")
        return word

    def _folder(self, value: Any) -> str:
        folder: str = convert(str, value, self._path)
        self._namespace.check_new(MailboxName("user", self._namespace.parse_user(folder, "user").path or ("x",)))
        return folder

    def _script(self, value: Any) -> Script:
        place = self._path.absolute().parent / convert(Path, value, self._path.parent)
        return self._compiled(str(place), read_given(place))

    def _boolean(self, value: Any) -> bool:
        found: bool = convert(bool, value, self._path)
        return found

    def _place(self, key: str) -> str:
        return f"{self._path}: {self._table}.{clean_name(key)}"

    def _error(self, key: str, what: str) -> DataError:
        return DataError(f"{self._place(key)}: {what}")


def _criteria(found: Mapping[str, Any]) -> Criteria:
    plain = {key: found[key] for key in (*_PLAIN, "grace") if key in found}
    letters = tuple((SYSTEM_FLAGS[f"\\{flag}"], found[flag]) for flag in _FLAGS if flag in found)
    keywords = tuple((word, True) for word in found.get("keyword", ()))
    keywords += tuple((word, False) for word in found.get("without", ()))
    return Criteria(**plain, letters=letters, keywords=keywords, headers=found.get("header", ()))


def _words(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(word, str) and word for word in found):
        raise ValueError(f"{str(value)[:_MAX_NAME]!r} is not a list of words")
    return list(found)


def _age(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not a time, such as 30d")  # noqa: TRY004 - one kind of error to collect
    return parse_age(str(value))


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a number of messages")
    return value


def _keyword(word: str) -> str:
    if not is_keyword(word):
        raise ValueError(f"{word[:_MAX_NAME]!r} is no keyword; for \\Seen say seen = true")
    return word.lower()


def _kind(value: Any) -> Kind:
    for kind in get_args(Kind):
        if value == kind:
            return cast("Kind", kind)
    raise ValueError(f"{str(value)[:_MAX_NAME]!r} is not one of discard, fileinto, report")
