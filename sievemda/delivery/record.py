"""One delivery as an entry of the journal: plain data, bounded, enough for `why` to explain it later.

What is bounded: a script with a thousand rules, a message with a thousand recipients in To, values of a megabyte. What
is cut says so. The content of the message never goes into the journal, only what a test compared.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass, field
from typing import Any

from sievemda.delivery.content import Content
from sievemda.delivery.job import Account, Job
from sievemda.delivery.tried import MAX_TESTS, cut, pack
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.result import Receipt
from sievemda.sieve.run import Tried

Entry = dict[str, Any]
_counter = itertools.count(1)


@dataclass(slots=True)
class Trail:
    """What is gathered about one job on its way."""

    id: str = field(default_factory=lambda: f"{time.time_ns() // 1000:x}{os.getpid():x}{next(_counter):x}")
    account: Account = field(default_factory=Account)
    script: dict[str, str] | None = None  # name and hash
    tests: tuple[Tried, ...] = ()
    planned: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.time)
    error: str = ""  # for the administrator: never told to the peer


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
        "tests": pack(trail.tests),
        "tests_left_out": max(0, len(trail.tests) - MAX_TESTS),
        "planned": [_short(action) for action in trail.planned],
        "done": account.done,
        "not_done": [{"action": n.action, "line": n.line, "why": cut(n.why, 500)} for n in account.not_done],
        "failure": cut(account.failure, 500),
        "error": cut(trail.error, 500),
    }


def refused_entry(sender: Sender, peer: Peer, content: Content, recipient: Recipient, receipt: Receipt) -> Entry:
    """The account of a recipient who was refused at RCPT, while others of the transaction were not."""
    trail = Trail()
    return {
        **_about(sender, peer, content),
        **_recipient(recipient, receipt),
        "id": trail.id,
        "time": round(trail.started, 3),
        "took": 0,
        "user": None,
        "poster": None,
        "script": None,
        "tests": [],
        "tests_left_out": 0,
        "planned": [],
        "done": [],
        "not_done": [],
        "failure": "",
        "error": "",
        "at_rcpt": True,
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


def _short(action: dict[str, Any]) -> dict[str, Any]:
    return {key: cut(value, 500) if isinstance(value, str) else value for key, value in action.items()}
