"""Who mail comes from that a script sends: the owner, the postmaster, or whom the site wants.

Addresses are texts as they stand in MAIL FROM; the empty one is the null reverse-path.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sievemda.mail.address import Address
from sievemda.mail.addresslist import mailboxes, sieve_address
from sievemda.sieve.limits import Limits
from sievemda.sieve.run import Run


def owner(run: Run) -> str:
    """The address of the script's owner: what the site knows, else the one that was written to."""
    return run.limits.options.user_email or str(run.envelope.recipient.address)


def postmaster(run: Run) -> str:
    name = run.limits.options.postmaster
    domain = run.envelope.recipient.address.domain
    return name if "@" in name or not domain else f"{name}@{domain}"


def reverse_path(run: Run) -> str:
    """Who sent the message."""
    return str(run.envelope.sender.reverse_path or "")


def own_addresses(run: Run, more: Sequence[str] = ()) -> frozenset[str]:
    """Addresses of the owner, and `more` that he names as his, in lower case. RFC 5230 §4.5."""
    recipient, options = run.envelope.recipient, run.limits.options
    mine = {str(address).lower() for address in _with_plain(recipient.address, run.limits)}
    if options.vacation_use_original_recipient and recipient.orcpt and recipient.orcpt_type in {"", "rfc822", "utf-8"}:
        mine.add(recipient.orcpt.lower())
    if options.user_email:
        mine.add(options.user_email.lower())
    for text in more:
        address = sieve_address(text)
        mine.add(str(address).lower() if address else text.strip().lower())
    return frozenset(mine) | run.facts.own_addresses()


def _with_plain(address: Address, limits: Limits) -> Iterator[Address]:
    """The recipient, and the recipient without detail."""
    yield address
    places = [at for mark in limits.recipient_delimiter if (at := address.local.find(mark)) > 0]
    if places:
        yield Address(address.local[: min(places)], address.domain)


def resolve(source: str, run: Run) -> str | None:
    """What an address source means (see `options`); `None` for the default, which is the caller's."""
    name = source.strip()
    match name.lower():
        case "" | "default":
            return None
        case "sender":
            return reverse_path(run)
        case "recipient":
            return str(run.envelope.recipient.address)
        case "orig_recipient":
            return run.envelope.recipient.orcpt or str(run.envelope.recipient.address)
        case "user_email":
            return owner(run)
        case "postmaster":
            return postmaster(run)
    return name.removeprefix("<").removesuffix(">").strip()


def is_source(text: str) -> bool:
    """Whether a setting is an address source."""
    name = text.strip()
    if name.lower() in {"", "default", "sender", "recipient", "orig_recipient", "user_email", "postmaster", "<>"}:
        return True
    return name.startswith("<") and name.endswith(">") and len(mailboxes(name[1:-1]) or ()) == 1
