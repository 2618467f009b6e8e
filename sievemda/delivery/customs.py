"""Annotations of a mailbox that change how deliveries to it are done, under the names that Cyrus gives them.

    /shared/vendor/cmu/cyrus-imapd/sieve              script of a bulletin board (semantics, section 8)
    /shared/vendor/cmu/cyrus-imapd/duplicatedeliver   `true`: it takes a message again that it has had (section 4)
    /shared/vendor/cmu/cyrus-imapd/expire             how long it is remembered that it had one, and how old a message
                                                      may become there; 0 is for ever
    /shared/vendor/cmu/cyrus-imapd/noexpire_until     of an INBOX: none of its user's messages expire before that time,
                                                      in seconds since 1970; 0: never

Why the last one is asked of the mailboxes above, too, and the others are not: so it is documented of Cyrus.

Why what cannot be read counts as not set in the last two: they are asked when a copy is in its place already, and a
failure would have the MTA bring another, again and again.
"""

from __future__ import annotations

import logging
import math
import re

from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore

_PREFIX = "/shared/vendor/cmu/cyrus-imapd/"
_DURATION = re.compile(r"([0-9]{1,9})([dhms]?)")
_UNITS = {"": 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_FOR_EVER = 100 * 365 * 86_400  # seconds
log = logging.getLogger(__name__)

_TRUE = {"true", "on", "yes", "1", "t"}


def script_of(store: MailStore, board: Mailbox) -> str:
    """The name of the board's script; empty when it has none."""
    return store.annotations.shared(board, _PREFIX + "sieve").strip()


def takes_duplicates(store: MailStore, mailbox: Mailbox) -> bool:
    """Whether it is not to be kept from messages that it has had. Never raises."""
    try:
        return store.annotations.shared(mailbox, _PREFIX + "duplicatedeliver").strip().lower() in _TRUE
    except (OSError, SievemdaError) as e:
        _complain(mailbox, e)
        return False


def remembered(store: MailStore, mailbox: Mailbox, usual: int) -> int:
    """The seconds for which it is remembered that the mailbox had a message; `usual` when nothing else is said.

    Never raises.
    """
    try:
        return _remembered(store, mailbox) or usual
    except (OSError, SievemdaError) as e:
        _complain(mailbox, e)
        return usual


def _complain(mailbox: Mailbox, error: Exception) -> None:
    log.error("annotations not read %s", words(mailbox="/".join(mailbox.name.path) or "INBOX", error=error))


def _remembered(store: MailStore, mailbox: Mailbox) -> int:
    """As the nearest mailbox says, this one or one above; 0 when none does."""
    found = expire_of(store, mailbox)
    return 0 if found is None else found or _FOR_EVER


def expire_of(store: MailStore, mailbox: Mailbox) -> int | None:
    """`expire` in seconds, of the nearest mailbox that has it, this one or one above; None when none does.

    OSError and TemporaryTrouble when it cannot be read.
    """
    here: Mailbox | None = mailbox
    while here is not None:
        found = _DURATION.fullmatch(store.annotations.shared(here, _PREFIX + "expire").strip())
        if found:
            return int(found[1]) * _UNITS[found[2]]
        above = here.name.parent
        here = store.find(above) if above is not None else None
    return None


def held_until(store: MailStore, inbox: Mailbox) -> float:
    """Until when nothing of its user expires, in seconds since 1970; for ever, too, when it cannot be understood.

    OSError and TemporaryTrouble when it cannot be read.
    """
    text = store.annotations.shared(inbox, _PREFIX + "noexpire_until").strip()
    return (int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0) or math.inf if text else 0.0
