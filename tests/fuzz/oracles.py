"""What must hold of values, whatever octets they come from."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sievemda.mail.message import Message
from sievemda.mail.mime import Bounds, Part, tree

BOUNDS = Bounds(100, 10)
_LONGEST = 998  # octets of a line, RFC 5322 §2.1.1


def well_formed_mail(text: bytes) -> None:
    """A mail of ours: nothing that a stranger wrote adds a field to it, or a line that no mail can have."""
    message = Message(text)
    head = message.head
    assert b"\0" not in head, "a NUL in a header"
    assert b"\r" not in head, "a CR in a header"
    for line in head.rstrip(b"\n").split(b"\n"):
        assert len(line) <= _LONGEST, "a line of a header is too long"
        assert line[:1] in b" \t" or re.match(rb"[!-9;-~]+:", line), f"a line of a header is no field: {line[:80]!r}"
    for name in (b"from", b"to", b"subject", b"date", b"message-id", b"content-type", b"mime-version"):
        assert len(message.raw_values(name.decode())) <= 1, f"the field {name.decode()} is there twice"


def kept(text: str, what: str) -> bytes:
    """The octets of a text that came from octets: all of them, no character that cannot be written."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as e:
        raise AssertionError(f"{what} holds halves of surrogate pairs") from e


def explained(error: ValueError) -> None:
    """Whoever is refused is told why."""
    assert str(error), "refused without a reason"


def well_nested(root: Part) -> None:
    """Every part is within the one that it is in, behind the one before it."""
    paths = set()
    for part in root.walk():
        assert part.path not in paths, "two parts have one path"
        paths.add(part.path)
        assert 0 <= part.start <= part.body <= part.end <= len(part.data), f"the part {part.path} has no place"
        position = part.body
        for number, child in enumerate(part.children):
            assert child.path == (*part.path, number), "a path leads elsewhere"
            assert position <= child.start, f"the part {child.path} begins before the one in front of it ends"
            # One line end may be both the end of a header and what belongs to the delimiter behind it.
            assert child.end <= max(part.end, child.body), f"the part {child.path} ends behind the one it is in"
            position = child.end
        kept(part.text, "the text of a part")
        kept(part.readable, "the readable text of a part")
        kept(part.exact(), "the exact text of a part")
    assert len(paths) <= BOUNDS.parts, "there are too many parts"


def parts(message: Message) -> Part:
    return tree(message, BOUNDS)


def cut(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The octets in blocks of these sizes, the rest in the last one."""
    blocks, position = [], 0
    for size in sizes:
        blocks.append(data[position : position + size])
        position += size
    return [*blocks, data[position:]]
