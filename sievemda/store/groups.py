"""Groups for ACL entries such as `group:staff`: those of the system (NSS), or those of a file of our own.

The file is in the form of /etc/group (`NAME:x:GID:MEMBER,MEMBER`), so that virtual users, whom the system does not
know, can be members. It is read again when it has changed.

Why a file that cannot be read is trouble and not "no groups": an entry `-group:NAME` would stop taking rights away.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sievemda.errors import TemporaryTrouble
from sievemda.given import read_given

_log = logging.getLogger(__name__)
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Table:
    """What the file said when it had that stamp: the groups of each member, and the names of all groups."""

    stamp: tuple[int, ...] = ()
    of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    names: frozenset[str] = _NONE


class Groups:
    """Who is in which group. TemporaryTrouble when that cannot be found out now."""

    def __init__(self, file: Path | None = None, *, lower: bool = True) -> None:
        self._file = file
        self._lower = lower
        self._table = _Table()

    def of(self, userid: str) -> frozenset[str]:
        """The names of the groups of a user; none when nobody knows him."""
        if self._file is not None:
            return self._read(self._file).of.get(userid, _NONE)
        return _of_system(userid)

    def exists(self, name: str) -> bool:
        if self._file is not None:
            return name in self._read(self._file).names
        import grp  # noqa: PLC0415  asked only when an ACL names a group

        try:
            grp.getgrnam(name)
        except (KeyError, ValueError):  # no such group; a name that cannot be one
            return False
        return True

    def _read(self, file: Path) -> _Table:
        try:
            found = file.stat()
            stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if stamp != self._table.stamp:
                self._table = _parsed(file, stamp, lower=self._lower)
            return self._table
        except (OSError, UnicodeDecodeError) as error:
            raise TemporaryTrouble(f"the groups cannot be read from {file} (groups_file): {error}") from error


def _parsed(file: Path, stamp: tuple[int, ...], *, lower: bool) -> _Table:
    of: dict[str, set[str]] = {}
    names = set()
    for number, line in enumerate(read_given(file).decode().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, *fields = line.strip().split(":")
        if not name or len(fields) != 3:
            _log.warning("%s, line %s is not NAME:x:GID:MEMBERS and counts for nothing", file, number)
            continue
        names.add(name)
        for member in fields[2].split(","):
            known = member.strip().lower() if lower else member.strip()
            of.setdefault(known, set()).add(name)
    return _Table(stamp, {member: frozenset(groups) for member, groups in of.items() if member}, frozenset(names))


def _of_system(userid: str) -> frozenset[str]:
    """The groups that list the user, and his own one."""
    import grp  # noqa: PLC0415  asked only when an ACL names a group
    import pwd  # noqa: PLC0415

    try:
        own = pwd.getpwnam(userid).pw_gid
    except (KeyError, ValueError):  # a virtual user, whom a group may list all the same
        return frozenset(group.gr_name for group in grp.getgrall() if userid in group.gr_mem)
    names = set()
    for gid in os.getgrouplist(userid, own):
        with suppress(KeyError):
            names.add(grp.getgrgid(gid).gr_name)
    return frozenset(names)
