"""From what DATA brings to the form in which a message is stored.

An `Intake` takes the message block by block, as it comes; no block border means anything. Every CR is dropped, so
that CRLF and a bare LF both end a line and a bare CR vanishes; the header is collected, checked, cleaned and gets
our fields; the body is not looked at but for NUL. A message larger than `lmtp_spool_threshold` is written to the
stage directory of the first recipient's partition as it comes. Since our fields are known by the time the header
is, that file already is the message as it will lie in the mailbox: delivering it is one link(2).

An `Intake` never raises because of the message or the disk: the trouble is in `Content.refusal`, which becomes the
answer for every recipient. It has no lock: one thread at a time.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

from sievemda.config import Settings
from sievemda.delivery.header import MAX_HEADER, Refused, accept, named
from sievemda.delivery.trace import new_message_id, now_field, trace_fields
from sievemda.mail.envelope import Peer, Sender
from sievemda.mail.message import Message
from sievemda.mail.result import Receipt, Result
from sievemda.policy.loops import is_loop
from sievemda.store.mailstore import MailStore

log = logging.getLogger(__name__)

_WRITE = 1 << 18  # octets gathered before they are written


@dataclass(frozen=True, slots=True)
class Content:
    """One message in its stored form, for all recipients of a transaction.

    Whoever has one either hands it to `Deliverer.deliver`, which closes it, or calls `close`.
    """

    message: Message
    message_id: str = ""
    date: str = ""
    size: int = 0  # octets as they came, with CRLF
    spooled: Path | None = None  # where it already lies in full, in the stage directory of `partition`
    partition: str = ""
    refusal: Receipt | None = None  # nobody gets it, for this reason

    def close(self) -> None:
        """Give up the memory map and the stage file, if a delivery has not taken it."""
        if isinstance(self.message.data, mmap.mmap):
            self.message.data.close()
        if self.spooled is not None:
            self.spooled.unlink(missing_ok=True)


class Intake:
    """Takes one message. `feed` its blocks, dot-unstuffed, then either `finish` or `abort`."""

    def __init__(self, settings: Settings, store: MailStore, sender: Sender, peer: Peer, partition: str) -> None:
        self.size = 0  # octets so far, with CRLF line ends
        self._settings = settings
        self._store = store
        self._sender = sender
        self._peer = peer
        self._partition = partition
        self._head: bytearray | None = bytearray()  # None once the header is complete
        self._chunks: list[bytes] = []
        self._held = 0  # octets in _chunks
        self._travelling = 0  # octets of the stored form, if its line ends were CRLF
        self._file = -1
        self._path: Path | None = None
        self._refusal: Receipt | None = None
        self._message_id = self._date = ""

    def feed(self, block: bytes) -> None:
        """The next octets of the message, divided anywhere."""
        if b"\r" in block:
            block = block.replace(b"\r", b"")
        self.size += len(block) + block.count(b"\n")
        if self._refusal is not None:
            return
        if b"\0" in block:
            self._message_id = self._message_id or named(b"" if self._head is None else bytes(self._head) + block)
            self._refuse(Receipt(Result.CONTENT_REFUSED, "the message contains NUL characters"))
        elif self._head is None:
            self._add(block)
        else:
            self._collect(self._head, block)

    def finish(self) -> Content:
        """The message is complete."""
        if self._head is not None and self._refusal is None:
            self._begin(bytes(self._head), b"")
        if self._file >= 0:
            self._write()
        if self._refusal is not None:
            return Content(Message(b""), self._message_id, self._date, self.size, refusal=self._refusal)
        if self._path is None:
            return Content(Message(b"".join(self._chunks), self._travelling), self._message_id, self._date, self.size)
        mapped = mmap.mmap(self._file, 0, access=mmap.ACCESS_READ)
        self._close()
        message = Message(mapped, self._travelling)
        return Content(message, self._message_id, self._date, self.size, self._path, self._partition)

    def abort(self) -> None:
        """The message does not come to its end: leave nothing behind."""
        self._close()
        self._chunks, self._head = [], None
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _collect(self, head: bytearray, block: bytes) -> None:
        start = max(0, len(head) - 1)
        head += block
        if head.startswith(b"\n"):
            self._begin(b"", bytes(head[1:]))
        elif (end := head.find(b"\n\n", start)) >= 0:
            self._begin(bytes(head[: end + 1]), bytes(head[end + 2 :]))
        elif len(head) > MAX_HEADER:
            self._message_id = named(bytes(head))
            self._refuse(Receipt(Result.CONTENT_REFUSED, "the header is too long"))

    def _begin(self, raw: bytes, body: bytes) -> None:
        """The header is there: from here on everything is in its stored form."""
        self._head = None
        options = self._settings.delivery
        try:
            if len(raw) > MAX_HEADER:
                raise Refused("the header is too long")
            header = accept(raw, munge8bit=options.munge8bit, reject8bit=options.reject8bit, utf8=self._sender.smtputf8)
        except Refused as e:
            self._message_id = named(raw)
            self._refuse(Receipt(Result.CONTENT_REFUSED, str(e)))
            return
        self._message_id = header.message_id or new_message_id(self._settings)
        self._date = now_field() if header.date is None else header.date
        if is_loop(header.hops, options.maximum_hops):
            self._refuse(Receipt(Result.LOOP))
            return
        added = "" if header.message_id else f"Message-ID: {self._message_id}\n"
        added += f"Date: {self._date}\n" if header.date is None else ""
        trace = trace_fields(self._settings, self._sender, self._peer)
        self._add(b"".join((trace, header.text, added.encode(), b"\n")))
        self._add(body)

    def _add(self, block: bytes) -> None:
        self._chunks.append(block)
        self._held += len(block)
        self._travelling += len(block) + block.count(b"\n")
        if self._held > (_WRITE if self._file >= 0 else self._settings.lmtp.lmtp_spool_threshold):
            self._write()

    def _write(self) -> None:
        """Put what is held into the stage file."""
        try:
            if self._file < 0:
                self._path = self._store.spool_path(self._partition)
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._file = os.open(self._path, flags, self._settings.store.message_mode)
            data = memoryview(b"".join(self._chunks))
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as e:
            log.warning("spool: session=%s partition=%s: %s", self._peer.session, self._partition, e)
            full = e.errno in {errno.ENOSPC, errno.EDQUOT}
            self._refuse(Receipt(Result.SPOOL_FULL if full else Result.SPOOL_TROUBLE))
        self._chunks, self._held = [], 0

    def _refuse(self, receipt: Receipt) -> None:
        self._refusal = receipt
        with contextlib.suppress(OSError):
            self.abort()
        self._path = None

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
