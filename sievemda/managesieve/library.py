"""What the scripts of a user may include: for a warning when a script is stored. RFC 6609 §3.1."""

from __future__ import annotations

from sievemda.config import Settings
from sievemda.errors import NotFound, SievemdaError
from sievemda.scripts.repositories import is_repository
from sievemda.sieve.node import Inclusion
from sievemda.store.script_names import file_for
from sievemda.store.scripts import ScriptStore


class Repository:
    """The user's own scripts and the global ones. What cannot be looked at counts as there: nothing is said of it."""

    strict = False

    def __init__(self, settings: Settings, userid: str, own: ScriptStore) -> None:
        place = settings.sieve.sieve_global
        self._own = None if is_repository(userid) else own  # whose the personal ones are is known at a delivery only
        self._global = settings.place(place, userid) if place else None

    def has(self, inclusion: Inclusion) -> bool:
        try:
            return self.text(inclusion) is not None
        except (OSError, SievemdaError):
            return True

    def text(self, inclusion: Inclusion) -> bytes | None:
        """Raises OSError or a SievemdaError when it cannot be read."""
        if inclusion.location != "global":
            if self._own is None:
                raise NotFound(f"there is no user whose {inclusion.name!r} it could be")
            return self._own.read(inclusion.name)
        path = self._global and self._global / file_for(inclusion.name)
        return path.read_bytes() if path and path.exists() else None
