"""What the site knows of the owner of a script: his mailboxes and addresses, for warnings when it is stored."""

from __future__ import annotations

from typing import Protocol

from sievemda.config import Settings
from sievemda.errors import SievemdaError
from sievemda.sieve.lint import Known


class Mailboxes(Protocol):
    """What is asked of the mail store."""

    def find_for(self, text: str, owner: str) -> object | None: ...


def known_of(settings: Settings, store: Mailboxes, userid: str) -> Known:
    """A name that the store cannot look up counts as there: nothing is said of it.

    Where the site makes a mailbox that a script names, none is missing.
    """
    made = frozenset(settings.autocreate.autocreate_sieve_folders.split("|"))

    def exists(name: str) -> bool:
        try:
            return name in made or store.find_for(name, userid) is not None
        except (OSError, SievemdaError):
            return True

    return Known(None if settings.autocreate.anysievefolder else exists, _own(settings, userid))


def _own(settings: Settings, userid: str) -> frozenset[str]:
    local, _, domain = userid.partition("@")
    domains = {domain} if domain else {settings.domain, settings.site.servername, "localhost"}
    return frozenset(f"{local}@{each}".lower() for each in domains if each)
