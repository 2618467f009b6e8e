"""Whether a message has an attachment, as Dovecot sees it when it stores one.

A part is one when it says so (`Content-Disposition: attachment`), or when it is to be shown and yet has the name of a
file; a signature is none.
"""

from __future__ import annotations

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, Part, tree
from sievemda.mail.parameters import structured

_BOUNDS = Bounds(1_000, 50)


def has_attachment(message: Message) -> bool:
    return any(map(_is_attachment, tree(message, _BOUNDS).walk()))


def _is_attachment(part: Part) -> bool:
    given = part.header.raw_values("content-disposition")
    if not given or (part.type is not None and part.type.name == "application/signature"):
        return False
    found = structured(given[0])
    match found.value.lower():
        case "attachment":
            return True
        case "inline":
            return found.get("filename") is not None or found.get("name") is not None
    return False
