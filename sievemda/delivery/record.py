"""One delivery as an entry of the journal: plain data, bounded, enough for `why` to explain it later.

What is bounded: a script with a thousand rules, a message with a thousand recipients in To, values of a megabyte. What
is cut says so. The content of the message never goes into the journal, only what a test compared.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sievemda.delivery.content import Content
from sievemda.delivery.job import Account, Job
from sievemda.delivery.scripts import Source
from sievemda.delivery.snoozes import Note as Snoozed
from sievemda.delivery.tried import MAX_TESTS, cut, pack
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.result import Receipt, Result
from sievemda.sieve.effects import Effect, Note
from sievemda.sieve.report import to_json
from sievemda.sieve.run import Outcome, Tried

Entry = dict[str, Any]
_counter = itertools.count(1)
_SCRIPTS = 50  # that are told of beside the user's own
_NOTES = 50  # lines of a script's log


@dataclass(slots=True)
class Trail:
    """What is gathered about one job on its way."""

    id: str = field(default_factory=lambda: f"{time.time_ns() // 1000:x}{os.getpid():x}{next(_counter):x}")
    account: Account = field(default_factory=Account)
    script: dict[str, str] | None = None  # name and hash of the user's own; of several the first one
    others: list[dict[str, str]] = field(default_factory=list)  # of the administrator's, and of those included
    tests: Sequence[Tried] = ()
    notes: tuple[Note, ...] = ()
    edits: tuple[Note, ...] = ()
    planned: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.time)
    error: str = ""  # for the administrator: never told to the peer

    def read(self, source: Source) -> None:
        """A script was read."""
        told = {"name": cut(source.name, 500), "sha256": source.sha256}
        if source.own and self.script in (None, told):
            self.script = told
        elif told not in self.others and len(self.others) < _SCRIPTS:
            self.others.append(told)

    def ran(self, outcome: Outcome) -> None:
        """The scripts ran."""
        self.tests, self.notes, self.edits = outcome.tests, outcome.notes, outcome.edits
        self.planned = [_said(effect) for effect in outcome.effects]


def entry(job: Job, receipt: Receipt, trail: Trail) -> Entry:
    """The account of one recipient, as JSON can say it."""
    account, target = trail.account, job.target
    return {
        **_about(job.sender, job.peer, job.content),
        **_recipient(target.recipient, receipt),
        "id": trail.id,
        "time": round(trail.started, 3),
        "took": round(time.time() - trail.started, 4),
        "user": target.owner,
        "poster": target.poster,
        "script": trail.script,
        "scripts": trail.others,
        "tests": pack(trail.tests),
        "tests_left_out": max(0, len(trail.tests) - MAX_TESTS),
        "notes": _log(trail.notes),
        "edits": _log(trail.edits),
        "planned": [_short(action) for action in trail.planned],
        "done": account.done,
        "not_done": _not_done(account),
        "failure": cut(account.failure, 500),
        "error": cut(trail.error, 500),
    }


def refused_entry(sender: Sender, peer: Peer, content: Content, recipient: Recipient, receipt: Receipt) -> Entry:
    """The account of a recipient who was refused at RCPT, while others of the transaction were not."""
    about = _about(sender, peer, content)
    return about | _recipient(recipient, receipt) | _without_script(None) | {"at_rcpt": True}


def awakened_entry(snoozed: Snoozed, size: int, account: Account) -> Entry:
    """The account of a snoozed message that has come back."""
    about = {"message_id": cut(snoozed.message_id, 1000), "session": "awakening", "from": "", "size": size}
    to = {"to": snoozed.user, "orcpt": None, "result": Result.DELIVERED.name.lower(), "reason": ""}
    told: Entry = {"done": account.done, "awakened": True}
    told["not_done"] = _not_done(account)
    return about | to | _without_script(snoozed.user) | told


def _without_script(user: str | None) -> Entry:
    trail = Trail()
    return {
        "id": trail.id,
        "time": round(trail.started, 3),
        "took": 0,
        "user": user,
        "poster": None,
        "script": None,
        "tests": [],
        "tests_left_out": 0,
        "planned": [],
        "done": [],
        "not_done": [],
        "failure": "",
        "error": "",
    }


def _about(sender: Sender, peer: Peer, content: Content) -> Entry:
    return {
        "message_id": cut(content.message_id, 1000),
        "session": peer.session,
        "from": "" if sender.reverse_path is None else str(sender.reverse_path),
        "size": content.size,
    }


def _recipient(recipient: Recipient, receipt: Receipt) -> Entry:
    return {
        "to": str(recipient.address),
        "orcpt": recipient.orcpt,
        "result": receipt.result.name.lower(),
        "reason": cut(receipt.reason, 500),
    }


def in_short(told: dict[str, Any]) -> dict[str, object]:
    """An entry in the words of one line of the log."""
    return {
        "session": told["session"],
        "id": told["id"],
        "msgid": told["message_id"],
        "sender": told["from"] or "<>",
        "to": told["to"],
        "result": told["result"],
        "where": ",".join(str(done.get("mailbox") or done["action"]) for done in told["done"]),
        "left": "" if told["done"] else "; ".join(left["why"] for left in told["not_done"]),
        "reason": told["reason"],
        "size": told["size"],
        "ms": round(told["took"] * 1000, 1),
    }


def _not_done(account: Account) -> list[dict[str, Any]]:
    return [
        {"action": n.action, "line": n.line, "why": cut(n.why, 500), **({"script": n.script} if n.script else {})}
        for n in account.not_done
    ]


def _said(effect: Effect) -> dict[str, Any]:
    return to_json(effect) | ({"script": effect.script} if effect.script else {})


def _log(notes: Sequence[Note]) -> list[list[Any]]:
    """Rows of line and text, and the script when it is not the user's own."""
    kept = [[note.line, cut(note.text, 500), *([note.script] if note.script else [])] for note in notes[:_NOTES]]
    more = len(notes) - len(kept)
    return [*kept, [0, f"... and {more} more"]] if more else kept


def _short(action: dict[str, Any]) -> dict[str, Any]:
    return {key: cut(value, 500) if isinstance(value, str) else value for key, value in action.items()}
