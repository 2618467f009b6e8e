"""Names that a script gives or uses: variables, mailboxes, places to include from."""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.lsp.document import Document, value
from sievemda.lsp.scene import STRINGS, Frame
from sievemda.sieve.scanner import Lexeme

_FILING = {"fileinto": "", "mailboxexists": "", "vacation": "fcc", "notify": "fcc"}
_SETTING = {"set": "", "extracttext": "", "global": "", "import": "", "export": "", "execute": "output"}


def declared(call: Frame) -> Iterator[Lexeme]:
    """The strings in which a command names a variable that it sets or declares, without a namespace."""
    if call.kind != "call" or call.name not in _SETTING:
        return
    words = _operand(call, _SETTING[call.name]) if _SETTING[call.name] else _positional(call)
    for word in words:
        if "${" not in word.text:
            yield word


def variables(document: Document) -> dict[str, Lexeme]:
    """Each variable in lower case, with the string in which the script first sets or declares it."""
    found: dict[str, Lexeme] = {}
    for call in sorted(document.closed, key=lambda one: one.at):
        for word in declared(call):
            found.setdefault(value(word).lower(), word)
    return found


def mailboxes(document: Document) -> tuple[str, ...]:
    """The mailboxes that are known, and those that the script names elsewhere."""
    found = dict.fromkeys(("INBOX", *document.world.mailboxes))
    for call in document.closed:
        if call.kind == "call" and call.name in _FILING:
            words = _operand(call, _FILING[call.name]) if _FILING[call.name] else _positional(call)
            found |= dict.fromkeys(value(word) for word in words if "${" not in word.text)
    return tuple(name for name in found if name)


def location(call: Frame) -> str:
    """Where an `include` takes its script from. RFC 6609 §3.2."""
    return "global" if any(one.kind == "tag" and one.name == "global" for one in call.given) else "personal"


def _positional(call: Frame) -> tuple[Lexeme, ...]:
    """The strings of the first positional argument. (Tags of these commands take no strings, but for numbers.)"""
    behind = ""
    for one in call.given:
        if one.kind == "tag":
            behind = one.name
        elif one.kind in {"string", "strings"} and behind not in _TAKING:
            return tuple(word for word in one.words if word.kind in STRINGS)
        else:
            behind = ""
    return ()


_TAKING = {"flags", "mailboxid", "specialuse", "comparator", "value", "count", "name"}  # tags before a string of theirs


def _operand(call: Frame, tag: str) -> tuple[Lexeme, ...]:
    for one, following in zip(call.given, call.given[1:], strict=False):
        if one.kind == "tag" and one.name == tag:
            return tuple(word for word in following.words if word.kind in STRINGS)
    return ()
