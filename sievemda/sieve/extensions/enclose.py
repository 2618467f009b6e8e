"""enclose: put the whole message as an attachment into a new one. RFC 5703 §6.

The new message is multipart/mixed: the text of the script, then the message as it is at that moment, octet for octet
(RFC 5703 §11 wants that for signed mail). Whatever comes later, tests and edits, has to do with the new message; a
loop that is under way goes on with the parts of the message that was enclosed.

`redirect` sends the message as it was before it was first enclosed: "This action does not affect messages that are
forwarded via a "redirect" action."

What is not said there: Content-* and MIME-Version are not copied by `:headers`, for the new message has its own, and
neither is Subject when `:subject` is given. From is the owner of the script. A Message-ID is made from the header of
the message, the same for the same message, unless it is to be copied.
"""

from __future__ import annotations

import hashlib

from sievemda.mail.compose import field, structured
from sievemda.mail.rebuild import enclosed
from sievemda.sieve.loops import edit_around, pay
from sievemda.sieve.node import Command, node
from sievemda.sieve.run import Run
from sievemda.sieve.senders import owner
from sievemda.sieve.text import Text, Texts
from sievemda.sieve.vocabulary import Extension

_INSIDE = (1, 0)  # the path of the enclosed message


@node
class Enclose(Command):
    """enclose [":subject" string] [":headers" string-list] <text: string>, §6."""

    keyword = "enclose"
    subject: Text | None = None
    headers: Texts | None = None
    text: Text

    def execute(self, run: Run) -> None:
        pay(run)
        message = enclosed(run.message, self._fields(run), run.text(self.text))
        if run.unenclosed is None:
            run.unenclosed = run.message
        edit_around(run, message, _INSIDE, "enclosed the message in another one")

    def _fields(self, run: Run) -> bytes:
        """The header of the new message but for its MIME fields."""
        copied = {name.lower() for name in run.texts(self.headers)} if self.headers is not None else set()
        if self.subject is None:
            copied.add("subject")
        else:
            copied.discard("subject")
        kept = [
            item
            for item in run.message.fields
            if item.name.lower() in copied and not item.name.lower().startswith(("content-", "mime-version"))
        ]
        have = {item.name.lower() for item in kept}
        own = [made for name, made in self._made(run) if name not in have]
        return b"".join([*own, *(item.name.encode() + b":" + item.raw + b"\n" for item in kept)])

    def _made(self, run: Run) -> list[tuple[str, bytes]]:
        """§6: "Date: and From: headers should be synthesized"."""
        from email.utils import format_datetime  # noqa: PLC0415 - few scripts need it

        address = owner(run)
        domain = address.rpartition("@")[2] if address.isascii() and "@" in address else "localhost"
        digest = hashlib.sha256(run.message.head).hexdigest()[:32]
        made = [
            ("date", structured("Date", [format_datetime(run.facts.now())])),
            ("from", structured("From", [address])),
            ("message-id", structured("Message-ID", [f"<{digest}.enclosed@{domain}>"])),
        ]
        if self.subject is not None:
            made.append(("subject", field("Subject", run.text(self.subject))))
        return made


EXTENSIONS = (Extension("enclose", "RFC 5703 §6", commands=(Enclose,)),)
