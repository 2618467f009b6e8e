"""The commands on scripts, once it is settled whose scripts they are. RFC 5804 §2.5 to §2.12.

They return lines of data and raise; which error is which response code stands in `session`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from sievemda.errors import DataError, NotFound
from sievemda.managesieve.history import NAME, is_history, read_history, stale
from sievemda.managesieve.reply import OK, Reply, line, literal, string
from sievemda.managesieve.service import Service
from sievemda.managesieve.stay import Stay
from sievemda.managesieve.trying import Trial, Trying
from sievemda.scripts.keeper import Keeper
from sievemda.scripts.repositories import is_repository
from sievemda.sieve.problems import Problem
from sievemda.state.versions import Actor, Version, digest_of

_MOST_FINDINGS = 100  # in one answer
_MOST_KNOWN = 1000  # scripts that a session remembers to have read
_ONE_LINE = 900  # octets; with its escapes it is still a quoted string


class ScriptTooLarge(DataError):
    """Larger than `sieve_maxscriptsize`."""


class ScriptInvalid(DataError):
    """The text lists every problem, one a line."""


class Scripts:
    """The scripts of one user, as the commands of one session see them. `actor` is who works on them."""

    def __init__(self, stay: Stay, actor: Actor, port: int = 0) -> None:
        self._service = service = stay.service
        self._userid = stay.owner
        self._inbox = stay.inbox
        self._actor = actor
        self._limits = service.settings.sieve
        self._slot = slot_of(service.settings.managesieve.managesieve_slots, actor, port)
        self._touched = ""  # the script that the session worked on last
        self._read: dict[str, str] = {}  # digests of what this session has read or put in its place, by name

    @property
    def _keeper(self) -> Keeper:
        """Looked up for each command: the user's home may have moved to another partition."""
        return self._service.keeper(self._userid, self._actor, self._inbox)

    def havespace(self, name: str, size: int) -> Reply:
        self._require_size_to_store(size)
        self._require_storable(name)
        if not self._keeper.store.has_room(name, self._limits.sieve_maxscripts):
            return Reply("NO", "there is no room for another script", "QUOTA/MAXSCRIPTS")
        return OK

    def put(self, name: str, text: bytes) -> Reply:
        """Checks first: what is not valid is never stored, and the old script stays. RFC 5804 §2.6.

        What another has changed since this session read it is told of as a warning.
        """
        self._require_size_to_store(len(text))
        self._require_storable(name)
        keeper = self._keeper
        if not keeper.store.has_room(name, self._limits.sieve_maxscripts):
            return Reply("NO", "there is no room for another script", "QUOTA/MAXSCRIPTS")
        reply = check(self._service, text, self._userid)
        version = keeper.put(name, text, max_scripts=self._limits.sieve_maxscripts)
        self._touched = version.script
        if version.script not in self._read:  # who has not read it does not build on what was there
            return reply
        known = self._know(version.script, version.digest)
        if version.before in (known, version.digest):
            return reply
        stale = self._stale(keeper, version)
        return Reply("OK", f"{stale}; {reply.text}" if reply.text else stale, "WARNINGS")

    def _know(self, name: str, digest: str) -> str | None:
        """The session knows this text now; what it knew before, if it did."""
        before = self._read.pop(name, None)
        self._read[name] = digest
        self._touched = name
        if len(self._read) > _MOST_KNOWN:
            del self._read[next(iter(self._read))]
        return before

    def _stale(self, keeper: Keeper, version: Version) -> str:
        readable = self._service.settings.managesieve.managesieve_history != "off"
        return stale(version, keeper.before(version), readable=readable)

    def listed(self) -> bytes:
        """One script at most is active for a client: that of the slot it looks after. RFC 5804 §2.7.

        Why such a client sees no others: Roundcube edits the first one of the list when none of them is active.
        """
        return self._steadily(self._listed)

    def _steadily(self, read: Callable[[Keeper], bytes]) -> bytes:
        """What is read where the scripts are once it has been read: they may move to another partition meanwhile."""
        while True:
            keeper = self._keeper
            try:
                found = read(keeper)
            except NotFound:
                if self._keeper.store.is_where(keeper.store):
                    raise
                continue
            if self._keeper.store.is_where(keeper.store):
                return found

    def _listed(self, keeper: Keeper) -> bytes:
        keeper.look()
        active = self._active(keeper)
        names = [script.name for script in keeper.store.list() if self._looks_after(keeper, script.name)]
        if self._service.settings.managesieve.managesieve_history == "list":
            names.append(NAME)
        return b"".join(line(string(name), b"ACTIVE") if name == active else line(string(name)) for name in names)

    def _active(self, keeper: Keeper) -> str:
        """The script that this client takes for the active one; empty when there is none."""
        slot = self._slot
        if slot is None and self._touched:
            slot = keeper.slots.of(self._touched)
        return keeper.slots.seen(keeper.store.state().active, slot)

    def get(self, name: str) -> bytes:
        return self._steadily(lambda keeper: self._got(keeper, name))

    def _got(self, keeper: Keeper, name: str) -> bytes:
        if is_history(name) and self._service.settings.managesieve.managesieve_history != "off":
            return line(literal(read_history(keeper, name)))
        text = keeper.store.get(name)
        self._know(keeper.store.called(name), digest_of(text))
        return line(literal(text))

    def try_out(self, name: str, number: int, text: bytes | None = None) -> Generator[bytes, None, None]:
        """The answer to XTRYSCRIPT, piece by piece; see `trying`."""
        trying = self._service.trying
        if trying is None or trying.most <= 0 or is_repository(self._userid):
            raise DataError("scripts cannot be tried here")
        if not 0 < number <= trying.most:
            raise DataError(f"a script can be tried on 1 to {trying.most} messages")
        if text is not None:
            self._require_size(len(text))
            if fatal := [f for f in self._service.check(text, self._userid) if f.severity == "error"]:
                raise ScriptInvalid(_listed(fatal))
        elif name:
            text = self._keeper.store.get(name)
        else:
            name = self._active_beside_others(self._keeper)
        return trying.answer(self._userid, name, text, number)

    def _before(self, trying: Trying, keeper: Keeper, name: str) -> Trial | None:
        if is_repository(self._userid):
            return None
        if name:
            return trying.before(self._userid, name, lambda: keeper.store.get(name))
        return trying.before(self._userid, self._active_beside_others(keeper), lambda: None)

    def _active_beside_others(self, keeper: Keeper) -> str:
        """Where several may be active, the one that this client would have inactive; empty where that means all.

        One that cannot be where it has none: nothing is called `/`.
        """
        return (self._active(keeper) or "/") if keeper.slots.labels else ""

    def activate(self, name: str) -> Generator[bytes, None, None] | None:
        """The empty name stands for no script. RFC 5804 §2.8.

        It is done then; the answer comes piece by piece where something may be to be said of it, else it is a plain OK.
        """
        keeper, trying = self._keeper, self._service.trying
        trial = self._before(trying, keeper, name) if trying else None
        self._activate(keeper, name)
        return trying.after(trial) if trying and trial else None

    def _activate(self, keeper: Keeper, name: str) -> None:
        if name:
            self._require_storable(name)
            self._touched = keeper.activate(name).script
        elif not keeper.slots.labels:
            keeper.deactivate()
        elif active := self._active(keeper):
            keeper.deactivate(active)

    def delete(self, name: str) -> None:
        self._require_storable(name)
        self._read.pop(self._keeper.delete(name).script, None)

    def rename(self, old: str, new: str) -> None:
        self._require_storable(old)
        self._require_storable(new)
        version = self._keeper.rename(old, new)
        known = self._read.pop(version.script, None)
        if known is not None:
            self._know(version.target, known)

    def _looks_after(self, keeper: Keeper, name: str) -> bool:
        """Whether a script is in the slot of this client, if it has one."""
        return self._slot is None or not keeper.slots.labels or keeper.slots.of(name) == self._slot

    def _require_storable(self, name: str) -> None:
        if is_history(name):
            raise DataError(f"{name} shows what has become of your scripts, and can only be read")
        if not self._looks_after(self._keeper, name):
            raise DataError(f"{name} is not for this client: it looks after the scripts of the slot {self._slot}")

    def _require_size_to_store(self, size: int) -> None:
        if not size:  # RFC 5804 §2.6; a comment will do
            raise DataError('an empty script is not stored; SETACTIVE "" is how to have none')
        self._require_size(size)

    def _require_size(self, size: int) -> None:
        limit = self._limits.script_limit
        if size > limit:
            raise ScriptTooLarge(f"the script is larger than {limit} octets")


def check(service: Service, text: bytes, userid: str) -> Reply:
    """OK, OK with warnings, or ScriptInvalid. Quotas are not looked at. RFC 5804 §2.12."""
    findings = service.check(text, userid)
    if fatal := [f for f in findings if f.severity == "error"]:
        raise ScriptInvalid(_listed(fatal))
    return Reply("OK", _in_one_line(findings), "WARNINGS") if findings else OK


def slot_of(lines: Sequence[str], actor: Actor, port: int) -> str | None:
    """The slot that a client looks after by who it is: WHO=LABEL, WHO a user, an address, or a port of ours."""
    marks = (actor.user, actor.address, str(port))
    found = (label for who, _, label in (line.rpartition("=") for line in lines) if who in marks)
    return next(found, None)


def _line_of(finding: Problem) -> str:
    return f"line {finding.line}: {' '.join(finding.sentence.split())}"


def _in_one_line(findings: Sequence[Problem]) -> str:
    """As many problems as fit into a quoted string (RFC 5804 §4), and how many more there are.

    Why no literal: with OK not every client reads one, and takes what has been stored as failed.
    """
    told = _line_of(findings[0])
    for number, finding in enumerate(findings[1:], 1):
        longer = f"{told}; {_line_of(finding)}"
        if len(longer.encode(errors="replace")) > _ONE_LINE:
            return f"{told}; and {len(findings) - number} more"
        told = longer
    return told


def _listed(findings: Sequence[Problem]) -> str:
    """All problems in one line where that is short enough for a quoted string (RFC 5804 §4), else each on its line.

    Why not always on lines: a line end cannot stand in a quoted string, and not every client shows a literal.
    """
    lines = [_line_of(finding) for finding in findings[:_MOST_FINDINGS]]
    if len(findings) > _MOST_FINDINGS:
        lines.append(f"and {len(findings) - _MOST_FINDINGS} more")
    joined = "; ".join(lines)
    return joined if len(joined.encode(errors="replace")) <= _ONE_LINE else "\r\n".join(lines)
