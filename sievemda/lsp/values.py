"""What may stand in a string, by the argument that the string is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sievemda.lsp.document import Document, value
from sievemda.lsp.headers import HEADERS
from sievemda.lsp.lexicon import Spot, others, tags
from sievemda.lsp.names import location, mailboxes, variables
from sievemda.sieve.base.tests import ADDRESS_FIELDS
from sievemda.sieve.extensions.date import PARTS
from sievemda.sieve.facts import NO_EVENT
from sievemda.sieve.surroundings import standard
from sievemda.sieve.usage import word_usage
from sievemda.sieve.vocabulary import registry


@dataclass(frozen=True, slots=True)
class Offer:
    """One string, what it is, and the capability that it needs yet."""

    text: str
    detail: str = ""
    capability: str = ""


Offers = Iterator[Offer]

FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Forwarded", "$MDNSent", "$Junk", "$NotJunk")
USES = ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Snoozed", "\\Trash")
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def offers(document: Document, spot: Spot) -> tuple[Offer, ...]:
    """The strings that are offered for an argument; none where anything may stand."""
    if spot.tag:
        tag = tags(document, spot.cls).get(spot.tag)
        if tag and tag.choice:
            return tuple(Offer(word) for word in tag.choice)
    source = _SOURCES.get(f"{spot.cls.keyword} {spot.role}") or _SOURCES.get(spot.role)
    return tuple(source(document, spot)) if source else ()


def _capabilities(document: Document, _spot: Spot) -> Offers:
    for name in sorted(document.allowed):
        extension = registry().extensions.get(name)
        if extension is not None and (extension.advertised or extension.private or document.testing):
            yield Offer(name, extension.rfc)


def _comparators(document: Document, _spot: Spot) -> Offers:
    known = dict.fromkeys(document.vocabulary.comparators, "")
    for extension in others(document):
        for comparator in extension.comparators:
            known.setdefault(comparator.name, extension.name)
    for name, capability in known.items():
        yield Offer(name, word_usage(name).summary, capability)


def _headers(_document: Document, spot: Spot) -> Offers:
    only_addresses = spot.cls.keyword == "address"
    for name in HEADERS:
        if not only_addresses or name.lower() in ADDRESS_FIELDS:
            yield Offer(name)


def _dates(_document: Document, _spot: Spot) -> Offers:
    for name in ("Date", "Received", "Resent-Date"):
        yield Offer(name)


def _envelope(document: Document, _spot: Spot) -> Offers:
    known = dict.fromkeys(document.vocabulary.envelope_parts, "")
    for extension in others(document):
        for name in extension.envelope_parts:
            known.setdefault(name, extension.name)
    for name, capability in known.items():
        yield Offer(name, "", capability)


def _mailboxes(document: Document, _spot: Spot) -> Offers:
    for name in mailboxes(document):
        yield Offer(name)


def _scripts(document: Document, spot: Spot) -> Offers:
    where = location(spot.call)
    for name in document.shelf.names(where):
        yield Offer(name, f"{where} script")


def _files(document: Document, _spot: Spot) -> Offers:
    """Scripts beside a file of tests, to be tested."""
    if document.path is not None:
        for path in sorted(document.path.parent.glob("*.sieve"))[:200]:
            yield Offer(path.name)


def _variables(document: Document, _spot: Spot) -> Offers:
    for word in variables(document).values():
        yield Offer(value(word))


def _environment(document: Document, _spot: Spot) -> Offers:
    for name in (*standard("localhost"), "remote-host", "remote-ip"):
        if name not in NO_EVENT or "imapsieve" in document.required:
            yield Offer(name)


def _constant(*texts: str) -> Callable[[Document, Spot], Offers]:
    def given(_document: Document, _spot: Spot) -> Offers:
        for text in texts:
            yield Offer(text)

    return given


def _weekdays(_document: Document, _spot: Spot) -> Offers:
    for number, name in enumerate(WEEKDAYS):
        yield Offer(str(number), name)


_SOURCES: dict[str, Callable[[Document, Spot], Offers]] = {
    "capabilities": _capabilities,
    "comparator": _comparators,
    "header_names": _headers,
    "header_list": _headers,
    "header_name": _headers,
    "header": _headers,  # the tag of duplicate
    "field_name": _headers,
    "date header_name": _dates,
    "date_part": _constant(*PARTS),
    "envelope_part": _envelope,
    "environment name": _environment,
    "mailbox": _mailboxes,
    "mailbox_names": _mailboxes,
    "include value": _scripts,
    "global value": _variables,
    "set name": _variables,
    "list_of_flags": _constant(*FLAGS),
    "flag_list": _constant(*FLAGS),
    "special_use_attr": _constant(*USES),
    "special_use_attrs": _constant(*USES),
    "importance": _constant("1", "2", "3"),
    "notification_capability": _constant("online"),
    "weekdays": _weekdays,
    "test_script_compile path": _files,
}
