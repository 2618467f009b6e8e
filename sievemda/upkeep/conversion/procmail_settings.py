"""The variables that procmail heeds, and those of the user. procmailrc(5), "Environment"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sievemda.upkeep.conversion.filing import filed
from sievemda.upkeep.conversion.folders import Destination, destination
from sievemda.upkeep.conversion.procmail_source import Assignment, Item, Recipe
from sievemda.upkeep.conversion.report import Impossible, Place, Remarks
from sievemda.upkeep.conversion.script import DISCARD, STOP, Command, Remark, do
from sievemda.upkeep.conversion.site import Site
from sievemda.upkeep.conversion.variables import Set, Variables, is_open_text, literal
from sievemda.upkeep.conversion.words import words

_TEMPORARY = 75  # EX_TEMPFAIL
SPECIAL = frozenset(
    {
        *("MAILDIR", "DEFAULT", "ORGMAIL", "LOGFILE", "VERBOSE", "LOGABSTRACT", "LOG", "LOCKFILE", "LOCKEXT"),
        *("LOCKSLEEP", "LOCKTIMEOUT", "TIMEOUT", "MSGPREFIX", "HOST", "UMASK", "SHELL", "PATH", "SHELLMETAS"),
        *("SHELLFLAGS", "SENDMAIL", "SENDMAILFLAGS", "NORESRETRY", "SUSPEND", "LINEBUF", "DELIVERED", "TRAP"),
        *("EXITCODE", "LASTFOLDER", "SHIFT", "INCLUDERC", "SWITCHRC", "COMSAT", "DROPPRIVS", "HOME", "LOGNAME"),
        *("USER", "IFS", "LANG", "TZ"),
    }
)
_ONLY_HERE = ("MAILDIR", "EXITCODE")  # inside a block that has a condition
_SPOOL = re.compile(r"(mail/)\$\{?(?:LOGNAME|USER)\}?")


@dataclass(frozen=True, slots=True)
class Ending:
    """The file is read no further; the commands say what becomes of the message."""

    commands: list[Command]


def decided_names(items: Sequence[Item]) -> frozenset[str]:
    """Variables whose value depends on the message."""
    found: list[tuple[str, str, bool]] = []
    _collect(items, found, conditional=False)
    return Set(tuple(found), frozenset({"MATCH"})).decided(SPECIAL)


def _collect(items: Sequence[Item], found: list[tuple[str, str, bool]], *, conditional: bool) -> None:
    for item in items:
        if isinstance(item, Assignment):
            found.append((item.name, item.text or "", conditional))
        elif isinstance(item, Recipe) and item.block is not None:
            bound = conditional or bool(item.conditions) or bool(item.flags & {"A", "a", "E", "e"})
            _collect(item.block, found, conditional=bound)


class Settings:
    def __init__(self, variables: Variables, site: Site) -> None:
        self.variables = variables
        self._site = site
        self._conditional = False
        variables.known |= {"HOME": "~", "ORGMAIL": "/var/mail/LOGNAME", "DEFAULT": "/var/mail/LOGNAME"}
        variables.known |= {
            "SENDMAIL": "/usr/sbin/sendmail",
            "SENDMAILFLAGS": "-oi",
            "LOCKEXT": ".lock",
            "MAILDIR": "~",
        }
        variables.unknown |= {"LOGNAME", "USER", "HOST", "LASTFOLDER", "PROCMAIL_VERSION"}
        if site.user:
            self.variables.put("LOGNAME", site.user.partition("@")[0])
            self.variables.put("USER", site.user.partition("@")[0])
        self._default: Destination = Destination("inbox")

    def destination(self, path: str, remarks: Remarks) -> Destination:
        """Raises `Impossible`."""
        return destination(path, self.variables.known.get("MAILDIR", "~"), self._site.folder, remarks)

    def words(self, text: str) -> list[str]:
        """Raises `Impossible`."""
        return [word.text for word in words(_SPOOL.sub(r"\1LOGNAME", text), self.variables.get)]

    @contextmanager
    def inside(self, *, conditional: bool) -> Iterator[None]:
        """What a block sets that runs under a condition is not so for the rest."""
        before = {name: self.variables.known.get(name) for name in _ONLY_HERE}
        was, self._conditional = self._conditional, self._conditional or conditional
        yield
        self._conditional = was
        if conditional:
            for name, text in before.items():
                self.variables.put(name, text)

    def assign(self, item: Assignment, remarks: Remarks) -> list[Command] | Ending | str:
        """Commands, the end, or the path of a file to be read here. Raises `Impossible`."""
        if item.text is None:
            return self._unset(item.name)
        found = self.words(item.text)
        value = found[0] if found else ""
        if item.name in self.variables.decided:
            text, needs = literal(value)
            return [do(f'set "{item.name.lower()}" {text};', "variables", *needs)]
        if item.name in SPECIAL and is_open_text(value):
            raise Impossible("what it is set to depends on the message")
        return self._special(item.name, value, remarks)

    def _unset(self, name: str) -> list[Command] | Ending | str:
        if name == "HOST":
            return Ending([*self.thrown_away(), STOP])
        if name == "SWITCHRC":
            return ""
        if name in self.variables.decided:
            return [do(f'set "{name.lower()}" "";', "variables")]
        self.variables.put(name, None)
        return []

    def _special(self, name: str, value: str, remarks: Remarks) -> list[Command] | str:
        match name:
            case "INCLUDERC" | "SWITCHRC":
                directory = self.variables.known.get("MAILDIR", "~")
                return value if not value or value.startswith(("/", "~")) else f"{directory}/{value}"
            case "HOST":
                raise Impossible(
                    "whether this is the name of the old machine nobody knows; the rest is read all the same"
                )
            case "TRAP" if value:
                remarks.approximate("the program that ran at the end does not run any more")
            case "DEFAULT":
                self._set_default(value, remarks)
        if name == "MAILDIR" and not value.startswith(("/", "~")):
            value = f"{self.variables.known.get('MAILDIR', '~')}/{value}"
        self.variables.put(name, value)
        return []

    def _set_default(self, value: str, remarks: Remarks) -> None:
        if self._conditional:
            raise Impossible("where other mail goes cannot depend on the message: it goes where it went before")
        place = self.destination(value, remarks)
        if place.kind == "outside":
            raise Impossible(f"{value} is not in the mail directory; mail that no recipe takes goes to the INBOX")
        self._default = place

    def thrown_away(self) -> list[Command]:
        """A message that goes nowhere; with an exit code it went back. Raises `Impossible`."""
        code = self.variables.known.get("EXITCODE", "0")
        if not code.isdecimal() or int(code[:9]) == 0:
            return [DISCARD]
        if int(code[:9]) == _TEMPORARY:
            raise Impossible("a message cannot be put off")
        return [do('reject "The message was refused.";', "reject")]

    def default(self, place: Place) -> list[Command]:
        """Where mail goes that no recipe took; nothing for the INBOX."""
        match self._default.kind:
            case "folder":
                return [
                    Remark((f"{place.file}: DEFAULT",)),
                    *filed(self._default, "", self._site.available, copy=False),
                ]
            case "nowhere":
                return [Remark((f"{place.file}: DEFAULT",)), DISCARD]
        return []
