"""replace: another text in place of a part, or of the whole message. RFC 5703 §5.

The part is the one that the loop is at; the message itself where there is no loop, and in the first turn of one.
Whatever is replaced keeps the fields of its header but for those about its MIME structure (Content-*, MIME-Version).
A loop does not go into what it replaced.

What is not said there: from the entity of `:mime` only its MIME fields and its body are taken, for all other fields of
the message must be preserved. `:subject` and `:from` count only for the message itself. A `:mime` entity that would
end a multipart around it is a run-time error: its text may come from a stranger.
"""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.mail.addresslist import mailboxes
from sievemda.mail.compose import field, mailbox, structured
from sievemda.mail.message import Message, spans
from sievemda.mail.mime import Part
from sievemda.mail.rebuild import Entity, Replacement, breaks_out, replaced, superseded, text_entity
from sievemda.sieve.loops import current, edit_part, pay, root
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, octets
from sievemda.sieve.vocabulary import Extension

_LINE = 998  # characters of a list of addresses, RFC 5322 §2.1.1


@node
class Replace(Command):
    """replace [":mime"] [":subject" string] [":from" string] <replacement: string>, §5."""

    keyword = "replace"
    mime: bool = False
    subject: Text | None = None
    from_: Text | None = None
    replacement: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        sender = self.from_
        if self.mime and (self.subject or sender):
            tag = "':subject'" if self.subject else "':from'"
            yield f"{tag} cannot be used together with ':mime'"
        elif sender is not None and sender.constant and not _authors(sender.source):
            yield sender, f"invalid address in ':from': {sender.source[:80]!r}"

    def execute(self, run: Run) -> None:
        top, part = root(run), current(run)
        pay(run)
        text = run.text(self.replacement)
        entity = _entity(text) if self.mime else text_entity(text)
        if self.mime and breaks_out(entity.body, _boundaries(top, part)):
            raise RunError("the replacement contains a boundary of the message", self.line)
        author = _authors(run.text(self.from_)) if self.from_ is not None else ()
        if author is None:
            raise RunError("invalid address in ':from'", self.line)
        message = replaced(run.message, top, [Replacement(part, entity)])
        if not part.path:
            message = self._told(run, message, author)
        what = f"part {'.'.join(str(number + 1) for number in part.path)}" if part.path else "the message"
        edit_part(run, message, f"replaced {what}")

    def _told(self, run: Run, message: Message, author: tuple[str, ...]) -> Message:
        """§5: new Subject and From, the old ones kept under other names that no script may touch any more."""
        head = message.head
        if self.subject is not None:
            head = superseded(head, "Subject", field("Subject", run.text(self.subject)))
            run.protected |= {"original-subject"}
        if author:
            head = superseded(head, "From", structured("From", list(author), ","))
            run.protected |= {"original-from"}
        return message if head is message.head else message.with_head(head)


def _authors(text: str) -> tuple[str, ...] | None:
    """The addresses of a mailbox-list as they stand in a field; `None` when one is wrong."""
    found = mailboxes(text) if len(text) <= _LINE else None
    return tuple(mailbox(*one) for one in found) if found else None


def _entity(text: str) -> Entity:
    """A MIME entity, RFC 2045 §2.4: of its header the fields that begin with Content-.

    A text that has no field at all where its header should be is a body alone: nothing that was written is lost.
    """
    message = Message(octets(text.replace("\r\n", "\n")))
    if not message.fields and not text.startswith(("\r\n", "\n")):
        return Entity(b"", message.data[:])
    head = message.head
    fields = [head[start:end] for name, start, end in spans(head) if name.startswith("content-")]
    lines = [line if line.endswith(b"\n") else line + b"\n" for line in fields]
    return Entity(b"".join(lines), message.data[message.header_end :])


def _boundaries(top: Part, part: Part) -> Iterator[bytes]:
    """Those of the multiparts that a part is in."""
    for depth in range(len(part.path)):
        around = top.at(part.path[:depth])
        boundary = around.type.field.get("boundary") if around is not None and around.type else None
        if boundary:
            yield octets(boundary)


EXTENSIONS = (Extension("replace", "RFC 5703 §5", commands=(Replace,)),)
