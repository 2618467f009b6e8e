"""Rules by which somebody is told of full mailboxes: that of the settings, and those of a file.

    [general]                            # what holds for every rule that says nothing else
    interval = "3d"

    [rules.nearly-full]
    roots = ["user/*"]                   # patterns of quota roots; all, if nothing is said
    thresholds = ["80%", "95%"]          # or one: threshold = 90
    over = true                          # what is over its limit is told of, too
    resource = ["STORAGE", "MESSAGE"]    # of which; MAILBOX and ANNOTATION-STORAGE can stand here
    hysteresis = 5                       # percent of the limit
    interval = "1d"                      # between reminders; 0: none
    template = "nearly-full.txt"         # see `template`; where it is relative, beside this file
    to = ["owner", "postmaster", "helpdesk@example.org"]
    folder = "INBOX"                     # of the owner
    exclusive = true                     # while it stands at a level, the rules below tell nobody
    enabled = true

The rules are tried in the order of the file; the first that stands at a level tells, unless it is not exclusive. So a
rule for each threshold, the highest first, with a template of its own, does what the rule files of Oracle's
imquotacheck do (`notificationTriggerPercentage`, `notificationInterval`, `messageFile`, `enabled`).

Boards and domains have no owner: the postmaster is told in his place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sievemda import config
from sievemda.config import Settings
from sievemda.configload import convert
from sievemda.delivery.fullness import template
from sievemda.delivery.fullness.template import Template
from sievemda.errors import DataError
from sievemda.mail.address import parse_address
from sievemda.policy.quota import KIB
from sievemda.policy.warnings import MAIL, OVER, Rule, parse_levels, parse_resource
from sievemda.rulefile import as_table, clean_name, read_tables
from sievemda.store.names import MailboxName, Namespace
from sievemda.store.patterns import Pattern

OWNER, POSTMASTER = "owner", "postmaster"
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """When, for which roots, and whom to tell."""

    rule: Rule
    roots: tuple[Pattern, ...] = ()  # none: all
    resources: tuple[str, ...] = MAIL
    to: tuple[str, ...] = (OWNER,)
    folder: str = ""  # of the owner; "": that of the settings
    template: Template | None = None  # None: that of the settings

    def covers(self, root: MailboxName) -> bool:
        return not self.roots or any(pattern.matches(root) for pattern in self.roots)


def site_rule(settings: Settings) -> NoticeRule | None:
    """What quota_warnings and the settings beside it say; None when nobody is to be told."""
    options = settings.quota
    words = [word.lower() for word in options.quota_warnings]
    if not words or words in (["off"], ["no"], ["false"]):
        return None
    spare: dict[str, int] = {}
    if beyond := words in (["on"], ["yes"], ["true"]):
        levels: tuple[int, ...] = (max(options.quotawarnpercent, 1),)
        spare = {"STORAGE": options.quotawarnsize * KIB, "MESSAGE": options.quotawarnmsg}
    else:
        levels = tuple(level for level in parse_levels(words) if level != OVER)
    rule = Rule(
        (*levels, OVER),
        hysteresis=options.quota_warning_hysteresis,
        interval=options.quota_warning_interval,
        beyond=beyond,
        spare=spare,
    )
    return NoticeRule(rule)


def read_rules(path: Path, namespace: Namespace) -> tuple[NoticeRule, ...]:
    """The rules of a file that are enabled. DataError says what is wrong where; OSError when it cannot be read."""
    general, rules = read_tables(path)
    _Reader(path, "general", namespace, general).check()
    made = []
    for name, table in rules.items():
        called = f"rules.{clean_name(name)}"
        found = _Reader(path, called, namespace, general | as_table(path, called, table)).rule(name)
        made += [found] if found else []
    return tuple(made)


def site_template(settings: Settings) -> Template | None:
    """The template of the settings, where it is one file for everybody. DataError, OSError."""
    name = settings.quota.quota_warning_template
    return template.read(settings.data.absolute() / name) if name and "{" not in name else None


class _Reader:
    """One table. Every error says the file, the table and the key."""

    def __init__(self, path: Path, table: str, namespace: Namespace, values: Mapping[str, Any]) -> None:
        self._path = path
        self._table = table
        self._namespace = namespace
        self._values = values
        self._known: dict[str, Callable[[Any], Any]] = {
            "enabled": lambda value: convert(bool, value, path),
            "roots": self._patterns,
            "threshold": lambda value: parse_levels([str(value)]),
            "thresholds": lambda value: parse_levels(_words(value)),
            "over": lambda value: convert(bool, value, path),
            "resource": lambda value: tuple(parse_resource(word) for word in _words(value)),
            "hysteresis": _percent,
            "interval": lambda value: convert(config.Seconds, value, path),
            "template": lambda value: template.read(path.absolute().parent / convert(Path, value, path.parent)),
            "to": lambda value: tuple(_recipient(word) for word in _words(value)),
            "folder": self._folder,
            "exclusive": lambda value: convert(bool, value, path),
        }

    def check(self) -> dict[str, Any]:
        """The values, converted."""
        found = {}
        for key, value in self._values.items():
            if key not in self._known:
                raise self._error(key, f"there is no such key; there are {', '.join(self._known)}")
            try:
                found[key] = self._known[key](value)
            except ValueError as e:
                raise self._error(key, str(e)) from e
            except DataError as e:
                raise DataError(f"{self._place(key)}: {e}") from e
            except OSError as e:
                raise OSError(e.errno, e.strerror, f"{self._place(key)}: {e.filename}") from e
        return found

    def rule(self, name: str) -> NoticeRule | None:
        if not name.isprintable() or not 0 < len(name) <= _MAX_NAME:
            raise DataError(f"{self._path}: {self._table}: this cannot be the name of a rule")
        found = self.check()
        if not found.get("enabled", True):
            return None
        levels = {*found.get("thresholds", ()), *found.get("threshold", ())} | (
            {OVER} if found.get("over", True) else set()
        )
        if not levels - {OVER} and "over" not in self._values:
            raise self._error("thresholds", "at which level? Such as thresholds = [80, 95]")
        rule = Rule(
            tuple(sorted(levels)),
            name,
            hysteresis=found.get("hysteresis", Rule().hysteresis),
            interval=found.get("interval", Rule().interval),
            exclusive=found.get("exclusive", True),
        )
        return NoticeRule(
            rule,
            found.get("roots", ()),
            found.get("resource", MAIL),
            found.get("to", (OWNER,)),
            found.get("folder", ""),
            found.get("template"),
        )

    def _patterns(self, value: Any) -> tuple[Pattern, ...]:
        return tuple(Pattern(self._namespace, word) for word in _words(value))

    def _folder(self, value: Any) -> str:
        folder: str = convert(str, value, self._path)
        self._namespace.parse_user(folder, "user")
        return folder

    def _place(self, key: str) -> str:
        return f"{self._path}: {self._table}.{clean_name(key)}"

    def _error(self, key: str, what: str) -> DataError:
        return DataError(f"{self._place(key)}: {what}")


def _words(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(word, str | int) and not isinstance(word, bool) for word in found):
        raise ValueError(f"{value!r} is not a list of words")
    return [str(word) for word in found]


def _percent(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
        raise ValueError(f"{value!r} is not between 0 and 100")
    return value


def _recipient(word: str) -> str:
    if word in (OWNER, POSTMASTER):
        return word
    address = parse_address(word)
    if address is None or not address.domain:
        raise ValueError(f"{word[:80]!r} is neither {OWNER} nor {POSTMASTER} nor an address")
    return str(address)
