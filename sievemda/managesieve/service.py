"""What all sessions of a server share: where scripts lie, who may log in, how scripts are checked, what is offered."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sievemda import __version__
from sievemda.auth.guard import Guard
from sievemda.auth.users import Users
from sievemda.config import Settings
from sievemda.errors import DataError, NotFound
from sievemda.managesieve.knowledge import known_of
from sievemda.managesieve.library import Repository
from sievemda.managesieve.referral import departed, referred
from sievemda.managesieve.reply import Reply
from sievemda.managesieve.trying import CAPABILITY, Trying
from sievemda.scripts.keeper import Keeper
from sievemda.scripts.opening import Inbox, inbox_id, keeper_of, open_versions, script_store
from sievemda.scripts.repositories import GLOBAL, is_repository, place_of
from sievemda.sieve.check import check_script
from sievemda.sieve.limits import Limits
from sievemda.sieve.listnames import normal_name
from sievemda.sieve.notification import methods
from sievemda.sieve.problems import Problem
from sievemda.sieve.vocabulary import capabilities
from sievemda.state.versions import Actor, Versions
from sievemda.store.names import MailboxName
from sievemda.store.scripts import ScriptStore

_OVERHEAD = 4096  # octets of a command beside the script in it


class Homes(Protocol):
    """What ManageSieve asks of the mail store."""

    @property
    def settings(self) -> Settings: ...

    def home(self, userid: str) -> Path: ...

    def find(self, name: MailboxName) -> Inbox | None: ...

    def denies(self, userid: str, service: str) -> bool: ...

    def find_for(self, text: str, owner: str) -> object | None: ...


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    users: Users
    homes: Homes
    limits: Limits  # of the language
    available: frozenset[str] | None = None  # capabilities that scripts may require; None is all of them
    trusted: frozenset[str] | None = None  # those that the administrator's may
    tls: bool = False  # whether STARTTLS can succeed
    guard: Guard = field(kw_only=True)
    trying: Trying | None = field(default=None, kw_only=True)  # where users may have scripts tried
    versions: Versions | None = field(init=False)  # None where none are kept

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", open_versions(self.settings))

    def has_mailbox(self, userid: str) -> bool:
        """Whether the user has an INBOX; or whether there is such a repository. TemporaryTrouble as `inbox_of`."""
        return self.inbox_of(userid) is not None

    def inbox_of(self, userid: str) -> str | None:
        """The id of a user's INBOX, None when he has none; empty for a repository that there is.

        TemporaryTrouble when a disk is away on which it may be; StoreTrouble when it cannot be looked at.
        """
        if is_repository(userid):
            return None if place_of(self.settings, userid) is None else ""
        try:
            return inbox_id(self.homes, userid)
        except (DataError, NotFound):
            return None

    def is_denied(self, userid: str) -> bool:
        """Whether the administrator has shut the user out of ManageSieve."""
        return not is_repository(userid) and self.homes.denies(userid, "sieve")

    def owner_for(self, user: str, owner: str) -> str:
        """Whose scripts `user` works on when he has asked for those of `owner`: see `repositories`."""
        if owner == user and self.users.is_admin(user) and not self.has_mailbox(owner) and self.has_mailbox(GLOBAL):
            return GLOBAL
        return owner

    def referred(self, owner: str) -> Reply | None:
        """What one whose scripts are on another server is told at login; None when they are here."""
        return None if is_repository(owner) else referred(self.homes, owner)

    def departed(self, owner: str) -> Reply | None:
        """The same, of one who is in and has been moved meanwhile."""
        return None if is_repository(owner) else departed(self.homes, owner)

    def scripts(self, userid: str) -> ScriptStore:
        """To read them."""
        return script_store(self.settings, self.homes, userid)

    def keeper(self, userid: str, actor: Actor, inbox: str = "") -> Keeper:
        """To change them; see `keeper_of`."""
        return keeper_of(self.settings, self.homes, self.versions, userid, actor, inbox)

    def check(self, script: bytes, userid: str) -> tuple[Problem, ...]:
        """Every problem of the script, fatal or not; for nobody, of the script alone."""
        if not userid:
            return check_script(script, self.limits, self.available)
        library = Repository(self.settings, userid, self.scripts(userid))
        if is_repository(userid):
            return check_script(script, self.limits, self.trusted, library)
        known = known_of(self.settings, self.homes, userid)
        return check_script(script, self.limits, self.available, library, known)

    def fixed_capabilities(self, owner: str = "") -> dict[str, str]:
        """Capabilities that depend on nothing but whose scripts they are. RFC 5804 §1.7."""
        available = self.trusted if is_repository(owner) else self.available
        extensions = [name for name in capabilities() if available is None or name in available]
        info = self.settings.delivery.serverinfo
        found = {
            "IMPLEMENTATION": {"on": f"sievemda {__version__}", "min": "sievemda"}.get(info, "ManageSieve"),
            "SIEVE": " ".join(extensions),
            "MAXREDIRECTS": str(self.settings.sieve.sieve_max_redirects),
            "LANGUAGE": "en",
            "VERSION": "1.0",
        }
        if self.trying is not None and self.trying.most > 0 and not is_repository(owner):
            found[CAPABILITY] = str(self.trying.most)
        if "enotify" in extensions:
            found["NOTIFY"] = " ".join(methods(self.limits.options))
        if "extlists" in extensions:
            found["EXTLISTS"] = " ".join(self._list_schemes())
        return found

    def _list_schemes(self) -> list[str]:
        """The URI schemes of the lists that scripts may ask: address books always. RFC 6134 §2.8."""
        lists = self.settings.sieve.sieve_extlists.values()
        return sorted({"urn", *((normal_name(one.name) or "urn").partition(":")[0] for one in lists)})

    def command_size(self) -> int:
        """Octets that one command may have after login.

        Never less than a script of 1 MiB: CHECKSCRIPT must not refuse what only PUTSCRIPT limits (RFC 5804 §2.12).
        """
        return max(self.settings.sieve.script_limit, 1 << 20) + _OVERHEAD
