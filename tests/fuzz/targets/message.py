"""Any octets as a message: its header, parts and texts, and scripts that look at it, edit it and answer it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from sievemda.config import Settings
from sievemda.delivery.notices import rejection
from sievemda.mail.address import parse_address
from sievemda.mail.addresslist import address_list, mailboxes, sieve_address
from sievemda.mail.compose import field, structured, text_part
from sievemda.mail.dates import read_date
from sievemda.mail.edit import find, with_field, without
from sievemda.mail.envelope import Peer
from sievemda.mail.header import unfold
from sievemda.mail.html import html_to_text
from sievemda.mail.message import Message
from sievemda.mail.mime import tree
from sievemda.mail.parameters import content_type, disposition
from sievemda.mail.parameters import structured as read_structured
from sievemda.mail.rebuild import Replacement, enclosed, replaced, text_entity
from sievemda.sieve.compile import compile_script
from sievemda.sieve.effects import Effect, Notify, Redirect, Refuse, Report, Respond, Store
from sievemda.sieve.program import Program
from sievemda.sieve.rehearsal import message_of
from tests.fuzz.mails import mail_words, mutated_mail
from tests.fuzz.oracles import BOUNDS, kept, parts, well_formed_mail, well_nested
from tests.fuzz.targets import Target
from tests.fuzz.world import LIMITS, envelope_of, ran

_SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
_SETTINGS = Settings(data=Path("/nonexistent"))
_OURS = b"Date: Sun, 1 Mar 2026 12:00:00 +0000\nMessage-ID: <1@mx.example.org>\n"  # what the outbox adds


def check(data: bytes) -> None:
    message = message_of(data)
    _header(message)
    root = parts(message)
    well_nested(root)
    _edited(message)
    _rebuilt(message)
    kept(html_to_text(message.data[:].decode("utf-8", "surrogateescape")), "the text of HTML")
    for number, program in enumerate(_programs()):
        for effect in ran(program, message, twice=number == len(data) % len(_programs())).effects:
            _composed(effect, message)


@lru_cache(maxsize=1)
def _programs() -> tuple[Program, ...]:
    return tuple(compile_script(path.read_bytes(), LIMITS) for path in sorted(_SCRIPTS.glob("*.sieve")))


def _header(message: Message) -> None:
    """Every way to read a field, whatever it is."""
    assert message.head + message.data[message.header_end :] == message.data, "header and body are not the message"
    assert message.size == len(message.data) + message.data.count(b"\n"), "the size is wrong"
    for one in message.fields:
        assert one.raw in message.raw_values(one.name), "a field is not found by its name"
        kept(one.value, "the value of a field")
        text = unfold(one.raw)
        assert read_date(text) is None or read_date(read_date(text).std11) == read_date(text), "a date changes"
        _addresses(text)
        for name, value in read_structured(one.raw).parameters:
            kept(name + value, "a parameter")
        content_type(one.raw)
        disposition(one.raw)


def _addresses(text: str) -> None:
    for address in address_list(text):
        kept(str(address), "an address")
        again = address_list(f"<{address}>")
        assert not address.domain or address.local == "" or again == (address,), (
            f"the address {address!s} is read as {again}"
        )
    for phrase, address in mailboxes(text) or ():
        kept(phrase, "a phrase")
        assert parse_address(str(address)) in {address, None}, f"the address {address!s} is read as another"
    if (one := sieve_address(text)) is not None:
        assert sieve_address(str(one)) == one, f"the address {one!s} is not one when it is written"


def _edited(message: Message) -> None:
    """Fields that are added are there, those that are taken out are gone, and the body is what it was."""
    body = message.data[message.header_end :]
    for one in message.fields[:8]:
        less = without(message, find(message, one.name))
        assert not less.raw_values(one.name), "a field that was taken out is there"
        more = with_field(less, "X-New", one.value, last=len(one.name) % 2 == 0)
        assert len(more.fields) == len(less.fields) + 1, "more or less than one field was added"
        wanted = " ".join(kept(one.value, "a value").decode("utf-8", "replace").split())
        got = next(
            " ".join(value.split()) for value in (more.values("x-new") or ("",))[:: -1 if len(one.name) % 2 == 0 else 1]
        )
        assert got == wanted, f"a field is read as {got!r}, not as {wanted!r}"
        if message.has_body:
            assert more.data[more.header_end :] == body, "the body was changed"
        assert more.size == Message(more.data[:]).size, "the size of an edited message is wrong"


def _rebuilt(message: Message) -> None:
    """A message with another part has all other parts as they were; one in another is there octet for octet."""
    root = tree(message, BOUNDS)
    leaves = [part for part in root.walk() if not part.children and part.path]
    for leaf in (leaves[:1] + leaves[-1:]) if len(leaves) > 1 else leaves:
        made = replaced(message, root, [Replacement(leaf, text_entity("--a\nb"))])
        again = tree(made, BOUNDS)
        found = again.at(leaf.path)
        assert found is not None, f"the part {leaf.path} is gone"
        assert found.text == "--a\r\nb", f"the part {leaf.path} has the text {found.text!r}"
        others = [part.path for part in again.walk() if part.path[: len(leaf.path)] != leaf.path]
        assert others == [part.path for part in root.walk() if part.path != leaf.path], "other parts were changed"
    whole = tree(enclosed(message, b"Subject: a\n", "text"), BOUNDS)
    inner = whole.at((1,))
    assert inner is not None, "the message that was enclosed is not there"
    assert inner.data[inner.body : inner.end] == message.data, "the message that was enclosed has changed"


def _composed(effect: Effect, message: Message) -> None:
    """What is to be sent in somebody's name."""
    match effect:
        case Respond(suppressed="") | Notify(suppressed="") if effect.text:
            well_formed_mail(_OURS + effect.text)
        case Report(suppressed=""):
            well_formed_mail(_OURS + effect.head)
        case Refuse():
            envelope = envelope_of(message)
            sender, peer = envelope.sender.reverse_path, Peer("1")
            if sender is not None and sender.domain:
                notice = rejection(_SETTINGS, message, "<1@a>", sender, envelope.recipient, peer, effect.reason)
                well_formed_mail(notice.head)
        case Redirect(message=Message() as edited) | Store(message=Message() as edited):
            assert edited.size == Message(edited.data[:]).size, "the size of an edited message is wrong"
        case _:
            pass
    for text in _texts(effect):
        text_part(text)
        assert field("X", text).count(b"\n") == field("X", text).count(b"\n ") + 1, "a value is more than one field"
        structured("X", [text])


def _texts(effect: Effect) -> Iterator[str]:
    match effect:
        case Respond() | Refuse() | Report():
            yield effect.reason
        case Notify():
            yield effect.message


TARGET = Target(check, mail_words, mutated_mail, 8_192)
