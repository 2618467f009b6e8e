"""With which code a message is refused for lack of room: for now, or for good.

    quota_grace   lmtp_over_quota_perm_failure   answer
    0             no                             452 4.2.2, always
    0             yes                            552 5.2.2, always
    longer        no or yes                      452 4.2.2 until the root has been full for so long, then 552 5.2.2

A root is full from the message that brought it over its limit, or the first one that was refused, to the next message
for which there is room; new limits begin anew. `lmtp_strict_quota` says for what there is room: without it a message is
refused while the usage has passed the limit, with it when the usage would pass the limit with it.

Why a grace period: senders try again for some days, so a box that is emptied within them loses nothing; and a box that
nobody empties does not keep mail in other people's queues, whose senders hear of it late.
"""

from __future__ import annotations

from typing import Literal

# refused: for lack of room; room: taken because there was some; unasked: taken whatever the quota; look: no message
Occasion = Literal["refused", "room", "unasked", "look"]


def is_for_good(*, permanent: bool, grace: int, full_since: int, now: int) -> bool:
    """Whether the refusal is permanent. Instants in seconds since 1970; one in the future is now."""
    if grace <= 0:
        return permanent
    return ends(grace, full_since, now) <= now


def ends(grace: int, full_since: int, now: int) -> int:
    """When the grace period is over; a root that is not full is taken to become so now."""
    return (full_since if 0 < full_since <= now else now) + grace


def since_when_full(before: int, occasion: Occasion, *, over: bool, near: bool, now: int) -> int:
    """Since when a root is full (0: it is not) that was full since `before`. Instants in seconds since 1970.

    `over`: the usage has passed a limit. `near`: it has not, and so little is left that with `lmtp_strict_quota` the
    next message may be refused.
    """
    known = before if before <= now else 0
    match occasion:
        case "refused":
            return known or now
        case "room":
            return now if over else 0
        case "unasked" | "look":
            if over:
                return known or now
            return known if near else 0
