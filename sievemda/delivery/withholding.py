"""What becomes of a message that a script discards: for some days it can be brought back.

Why trouble with that is no failure: the owner wants to be rid of the message, and a full disk is no reason to have its
sender try again, or to put it into his INBOX.
"""

from __future__ import annotations

import logging
from datetime import datetime

from sievemda.delivery.job import Job, Parts
from sievemda.delivery.staging import Staging
from sievemda.delivery.steps import Drop, Plan
from sievemda.errors import SievemdaError
from sievemda.logs import words
from sievemda.store.withdrawn import Withdrawn

log = logging.getLogger(__name__)

_DAY = 86_400


def withhold(parts: Parts, job: Job, staging: Staging, plan: Plan) -> dict[str, object]:
    """Keep a message of which the plan leaves nothing anywhere: how it can be brought back, for the journal."""
    options = parts.settings.store
    if not options.withholds or plan.failure or not all(isinstance(step, Drop) for step in plan.steps):
        return {}
    content, sender = job.content, job.sender.reverse_path
    entry = Withdrawn.now(
        parts.store.namespace.format_admin(job.target.mailbox.name),
        "discard",
        message_id=content.message_id,
        sender="" if sender is None else str(sender),
        to=str(job.target.recipient.address),
        subject=" ".join(content.message.values("subject")[:1]),
    )
    try:
        staging.withhold(job.target.mailbox, entry, last=job.last)
    except (OSError, SievemdaError) as e:
        log.error("not kept %s", words(session=job.peer.session, msgid=content.message_id, error=e))  # noqa: TRY400
        return {}
    until = datetime.fromtimestamp(entry.when + options.discard_days * _DAY).astimezone()
    return {"of": entry.mailbox, "withdrawn": entry.id, "until": until.date().isoformat()}
