"""Users whose scripts are on another server. RFC 5804 §1.3 (REFERRAL).

Who has been moved to another host (`mailbox move --host`) is referred there as long as this host remembers; while he is
on his way, nobody changes what has been copied already. Others stand in a file of the site's.

Why only after login: before it, an answer that depends on the user tells strangers who there is.
"""

from __future__ import annotations

import re
from typing import Protocol

from sievemda.config import Settings
from sievemda.errors import StoreTrouble
from sievemda.given import read_given
from sievemda.managesieve.reply import Reply
from sievemda.store import departures

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_MOVING = Reply("NO", "your mailbox is being moved to another server; try again later", "TRYLATER")


class Departing(Protocol):
    @property
    def settings(self) -> Settings: ...


def referred(store: Departing, owner: str) -> Reply | None:
    """What one whose scripts are elsewhere, by the file or by a move, is told at login. StoreTrouble."""
    host = _in_file(store.settings, owner)
    return _to(host) if host else departed(store, owner)


def departed(store: Departing, owner: str) -> Reply | None:
    """The same of a move alone, which may begin at any time. StoreTrouble."""
    if not departures.is_departing(store, owner):
        return None
    found = departures.read(store, owner)
    if found is None or found.phase == departures.STAYING:
        return None
    host = found.host.rpartition("@")[2]  # what ssh was told may have a user in it
    return _to(host) if found.phase == departures.THERE and _HOST.fullmatch(host) else _MOVING


def _to(host: str) -> Reply:
    return Reply("BYE", f"your scripts are on {host}", "REFERRAL", f"sieve://{host}".encode())


def _in_file(settings: Settings, owner: str) -> str:
    """His server by the first line for him, or for his domain."""
    path = settings.managesieve.managesieve_referrals
    if path is None:
        return ""
    try:
        lines = read_given(path).decode().splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise StoreTrouble(f"managesieve_referrals: {path}: {getattr(e, 'strerror', None) or e}") from e
    domain = "@" + (owner.partition("@")[2] or settings.domain)
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if words and words[0] in (owner, domain):
            if len(words) != 2 or not _HOST.fullmatch(words[1]):
                raise StoreTrouble(f"managesieve_referrals: {path}:{number}: write USER HOST or USER HOST:PORT")
            return words[1]
    return ""
