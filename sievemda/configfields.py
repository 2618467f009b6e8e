"""What the fields of the settings tree are made of: their kinds of values, and how one is declared."""

from __future__ import annotations

from dataclasses import field
from typing import Any, NewType

Size = NewType("Size", int)  # octets; accepts K, M, G
Kibibytes = NewType("Kibibytes", int)  # KiB; accepts K, M, G, and -1 for none
Seconds = NewType("Seconds", int)  # accepts s, m, h, d
Mode = NewType("Mode", int)  # octal digits


def setting(default: Any, doc: str, *, restart: bool = False, secret: bool = False) -> Any:
    """One field of a section: its default (a callable is called for it) and the sentence of the reference.

    `restart`: a running server does not take it when it reads the settings again. `secret`: it is not to be shown
    unless somebody asks for it.
    """
    metadata = {"doc": doc, "restart": restart, "secret": secret}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)
