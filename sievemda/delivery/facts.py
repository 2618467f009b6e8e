"""What a script may ask about the world, answered for one delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Protocol

from sievemda.delivery.job import Job, Parts
from sievemda.delivery.lists.catalogue import OwnLists
from sievemda.delivery.programs import about
from sievemda.delivery.recall import duplicate_key
from sievemda.delivery.scheduling import calendars_of
from sievemda.errors import TemporaryTrouble
from sievemda.mail.dates import LocalZone
from sievemda.sieve.facts import Executed, Unknown
from sievemda.sieve.problems import RunError
from sievemda.sieve.program import Program
from sievemda.sieve.surroundings import client, standard
from sievemda.state.memory import Key
from sievemda.store.calendars import Calendars

Included = Callable[[str, str, str], Program | None]  # whose, location, name; raises ScriptError


class Asked(Protocol):
    """What is asked of the delivery memory."""

    def seen(self, key: Key) -> bool: ...


class DeliveryFacts(Unknown):
    """Answers `sieve.facts.Facts` for one job. Asking changes nothing."""

    def __init__(self, parts: Parts, job: Job, recall: Asked, included: Included) -> None:
        self._parts = parts
        self._job = job
        self._settings = parts.settings
        self._places = parts.places
        self._target = job.target
        self._recall = recall
        self._included = included
        self._now: datetime | None = None

    def now(self) -> datetime:
        if self._now is None:
            self._now = datetime.now(LocalZone())
        return self._now

    def mailbox_exists(self, name: str) -> bool:
        return self._places.exists_for_owner(self._target, name)

    def mailbox_with_id(self, mailbox_id: str) -> bool:
        return self._places.id_exists(self._target, mailbox_id)

    def special_use_exists(self, mailbox: str | None, uses: Sequence[str]) -> bool:
        return self._places.use_exists(self._target, mailbox, uses)

    def metadata(self, mailbox: str | None, entry: str) -> str | None:
        """What cannot be read is an error of the script (RFC 5490 §5), which then does not count."""
        try:
            if mailbox is None:
                return self._places.server_metadata(self._target, entry)
            return self._places.metadata(self._target, mailbox, entry)
        except (OSError, TemporaryTrouble) as e:
            raise RunError(f"annotations cannot be read: {e}") from e

    def own_addresses(self) -> frozenset[str]:
        """The user at his domain, at the one that was written to (a bare name is written to on this host), and here.

        A board has none but the one that was written to.
        """
        owner = self._target.owner
        if owner is None:
            return frozenset({str(self._target.recipient.address).lower()})
        local, _, domain = owner.partition("@")
        site = self._settings
        domains = (
            {domain}
            if domain
            else {self._target.recipient.address.domain or "localhost", site.domain, site.site.servername}
        )
        return frozenset(f"{local}@{each}".lower() for each in domains)

    def environment(self, item: str) -> str | None:
        return self._items.get(item)

    @cached_property
    def _items(self) -> dict[str, str]:
        """RFC 5183 §4.1, and what vnd.dovecot.environment adds."""
        site, peer, owner = self._settings.site, self._job.peer, self._target.owner
        domain = "" if site.defaultdomain == "internal" else site.defaultdomain
        own = (entry.partition("=") for entry in self._settings.sieve.sieve_environment)
        return {
            **standard(site.servername, domain),
            **client(peer.helo, peer.address),
            **{f"vnd.dovecot.config.{key.strip().lower()}": value.strip() for key, _, value in own},
            **({"vnd.dovecot.default-mailbox": "INBOX", "vnd.dovecot.username": owner} if owner else {}),
        }

    def seen(self, key: str) -> bool:
        """Nobody else asks for it from now on, until this delivery has come to its end."""
        return self._recall.seen(duplicate_key(self._target.remembers, key))

    def included(self, location: str, name: str) -> Program | None:
        return self._included(self._target.scripts_of, location, name)

    def execute(self, kind: str, program: str, arguments: Sequence[str], data: bytes) -> Executed | None:
        environment = about(self._job.sender, self._target, self._parts.store.home)
        return self._parts.programs.run(kind, program, arguments, data, environment)

    def calendar(self, uid: str) -> bytes | None:
        """From now on nobody else changes that object, until this delivery has come to its end."""
        if self._calendars is None:
            return None
        self._recall.seen(duplicate_key(self._target.remembers, f"calendar {uid}"))
        try:
            return self._calendars.get(uid)
        except OSError as e:
            raise RunError(f"the calendar cannot be read: {e}") from e

    def has_calendar(self, identifier: str) -> bool:
        return self._calendars is not None and self._calendars.exists(identifier)

    @cached_property
    def _calendars(self) -> Calendars | None:
        owner = self._target.owner
        return None if owner is None else calendars_of(self._parts, owner)

    # -- external lists ------------------------------------------------------------------------------------------

    def has_list(self, name: str) -> bool:
        return self._lists is not None and self._lists.has(name)

    def in_list(self, name: str, values: Sequence[str]) -> str | None:
        return self._lists.find(name, values) if self._lists else None

    def list_members(self, name: str, most: int) -> Sequence[str]:
        return self._lists.members(name, most) if self._lists else ()

    @cached_property
    def _lists(self) -> OwnLists | None:
        """The lists of the owner; a board has none."""
        owner = self._target.owner
        return None if owner is None else self._parts.lists.of(owner, self._parts.store.home(owner))
