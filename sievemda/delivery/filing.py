"""The mailbox of a place: there, or made now because a script wants it there."""

from __future__ import annotations

from sievemda.delivery.places import Place
from sievemda.errors import AlreadyExists
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore


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
