"""Mail loops: a message that has come through too many hands. RFC 5321 §6.3.

The count of Received fields is the one sign that no program on the way takes away. Redirects that come back to where
they started are recognised earlier, by a field of their own (`delivery.outgoing`).
"""

from __future__ import annotations


def is_loop(hops: int, maximum: int) -> bool:
    """Whether a message with that many Received fields is looping."""
    return hops > maximum
