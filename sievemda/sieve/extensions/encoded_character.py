"""encoded-character: `${hex:...}` and `${unicode:...}` in strings. RFC 5228 §2.4.2.4.

Replaced once, when the script is compiled, before variables are looked for (RFC 5229 §3.1).
"""

from __future__ import annotations

import re

from sievemda.sieve.text import from_octets, normal
from sievemda.sieve.vocabulary import Extension

_BLANK = r"(?:[ \t]|\r\n)"
_ENCODED = re.compile(
    rf"\$\{{(?:hex:(?P<hex>{_BLANK}*+[0-9a-f]{{1,2}}(?:{_BLANK}++[0-9a-f]{{1,2}})*{_BLANK}*+)"
    rf"|unicode:(?P<unicode>{_BLANK}*+[0-9a-f]++(?:{_BLANK}++[0-9a-f]++)*{_BLANK}*+))\}}",
    re.IGNORECASE,
)


def decode(text: str) -> str:
    """Replace every well-formed sequence. Raises `ValueError` for a number that is no Unicode character."""
    return normal(_ENCODED.sub(_replace, text))


def _replace(found: re.Match[str]) -> str:
    if found["hex"] is not None:
        return from_octets(bytes(int(pair, 16) for pair in found["hex"].split()))
    return "".join(_character(digits) for digits in found["unicode"].split())


def _character(digits: str) -> str:
    number = int(digits, 16)
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        raise ValueError(f"no Unicode character has the number {digits.lstrip('0')[:20]}")
    return chr(number)


EXTENSIONS = (Extension("encoded-character", "RFC 5228 §2.4.2.4", decode=decode),)
