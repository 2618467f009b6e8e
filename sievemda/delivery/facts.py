"""What a script may ask about the world, answered for one delivery."""

from __future__ import annotations

from datetime import datetime

from sievemda.config import Settings
from sievemda.delivery.places import Places
from sievemda.delivery.target import Target
from sievemda.sieve.facts import Unknown


class DeliveryFacts(Unknown):
    """Answers `sieve.facts.Facts` for one target. Asking changes nothing."""

    def __init__(self, settings: Settings, places: Places, target: Target) -> None:
        self._settings = settings
        self._places = places
        self._target = target
        self._now: datetime | None = None

    def now(self) -> datetime:
        if self._now is None:
            self._now = datetime.now().astimezone()
        return self._now

    def mailbox_exists(self, name: str) -> bool:
        return self._places.exists_for_owner(self._target, name)

    def own_addresses(self) -> frozenset[str]:
        """The user at his domain, at the one that was written to (a bare name is written to on this host), and here."""
        owner = self._target.owner
        if owner is None:
            return frozenset()
        local, _, domain = owner.partition("@")
        site = self._settings
        domains = (
            {domain}
            if domain
            else {self._target.recipient.address.domain or "localhost", site.domain, site.site.servername}
        )
        return frozenset(f"{local}@{each}".lower() for each in domains)
