"""Writes what processcalendar decided, once the copies are safe. RFC 9671.

Why trouble with a calendar is no failure of the script: the message is kept in any case (§4.9), and with it what the
calendar has missed.
"""

from __future__ import annotations

import logging

from sievemda.delivery.job import Account, Job, Parts
from sievemda.delivery.steps import Schedule
from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.store.calendars import Calendars

log = logging.getLogger(__name__)


def calendars_of(parts: Parts, owner: str) -> Calendars:
    store = parts.settings.store
    folder = parts.settings.sieve.sieve_calendars
    return Calendars(parts.store.home(owner), folder, store.message_mode, store.folder_mode)


def schedule(parts: Parts, job: Job, account: Account, step: Schedule) -> None:
    """Write or remove each object; what cannot be done is noted."""
    owner = job.target.owner
    if owner is None:
        account.left("processcalendar", step, "a shared folder has no calendars")
        return
    calendars, update = calendars_of(parts, owner), step.update
    for uid, data in update.objects:
        try:
            if data:
                path = calendars.put(uid, data, update.calendar)
                account.did("processcalendar", step, outcome=update.outcome, uid=uid, file=str(path))
            else:
                calendars.remove(uid)
                account.did("processcalendar", step, outcome=update.outcome, uid=uid)
        except (OSError, SievemdaError) as e:
            account.left("processcalendar", step, f"the calendar cannot be written: {e}")
            log.error("calendar not written %s", words(session=job.peer.session, user=owner, error=e))  # noqa: TRY400
