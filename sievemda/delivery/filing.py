"""The mailbox of a place: there, or made now because a script wants it there."""

from __future__ import annotations

import errno
from dataclasses import replace

from sievemda.delivery.places import Place
from sievemda.errors import AlreadyExists
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore

_GONE = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR}  # not there, or a link is


def place_after(store: MailStore, place: Place, error: Exception) -> Place | None:
    """Where a folder is now that was found, and has gone from its place since; None when that is not the trouble."""
    if place.mailbox is None or getattr(error, "errno", None) not in _GONE:
        return None
    found = store.find(place.name)
    return replace(place, mailbox=found) if found else None


def mailbox_of(store: MailStore, place: Place) -> tuple[Mailbox, bool]:
    """The mailbox, and whether it was made for this. Raises OSError and what `MailStore.create` does."""
    mailbox = place.mailbox
    if mailbox is None:
        try:
            return store.create(place.name, special_use=place.special_use), True
        except AlreadyExists:  # somebody was quicker
            mailbox = store.find(place.name)
            if mailbox is None:
                raise
    if place.special_use and place.special_use.lower() not in mailbox.special_use.lower().split():
        mailbox.set_special_use(f"{mailbox.special_use} {place.special_use}".strip())
    return mailbox, False
