"""A client that hands one message to an LMTP server: what the command `deliver` is made of.

Why not smtplib: its LMTP class reads one reply after DATA where there is one for each recipient, and importing it
takes longer than the delivery.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sievemda.errors import TemporaryTrouble
from sievemda.mail.address import Address
from sievemda.mail.xtext import to_xtext

BLOCK = 64 * 1024
MAX_REPLY = 64 * 1024  # octets of one reply


@dataclass(frozen=True, slots=True)
class Reply:
    """Of a server. `text` are its lines without codes."""

    code: int
    enhanced: str
    text: str

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500


@dataclass(frozen=True, slots=True)
class Order:
    """Whom a message is from and for. `auth` is the posting identity, empty for anonymous."""

    sender: str  # a path without brackets; empty is the null reverse-path
    recipients: Sequence[Address]
    auth: str = ""
    ignore_quota: bool = False


def near(directory: int, name: str) -> str:
    """A short path of a file in an open directory: a UNIX socket's address has 107 octets, a path may have more."""
    return f"/proc/self/fd/{directory}/{name}"


def connect(path: Path, seconds: float) -> socket.socket:
    """A connection to a UNIX socket, however long its path. Raises OSError."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(seconds)
        try:
            sock.connect(near(descriptor, path.name))
        except BaseException:
            sock.close()
            raise
        return sock
    finally:
        os.close(descriptor)


class Client:
    """Over a connected socket. Every method raises TemporaryTrouble when the server does not play its part."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rwb", BLOCK)

    def deliver(self, order: Order, message: Iterable[bytes]) -> list[Reply]:
        """One reply for each recipient, in order. `message` comes in blocks with any line ends."""
        self._expect(self._reply(), 220)
        self._send([b"LHLO localhost\r\n"])
        self._expect(self._reply(), 250)
        answers: list[Reply] = []
        for group in _groups([_mail(order), *(_rcpt(recipient, order) for recipient in order.recipients)]):
            self._send(group)
            answers += [self._reply() for _ in group]
        begun = answers.pop(0)
        if not begun.ok:
            return [begun] * len(order.recipients)
        accepted = [number for number, answer in enumerate(answers) if answer.ok]
        if accepted:
            for number, reply in zip(accepted, self._data(message, len(accepted)), strict=True):
                answers[number] = reply
        with contextlib.suppress(TemporaryTrouble):  # all has been said
            self._send([b"QUIT\r\n"])
        return answers

    def _data(self, message: Iterable[bytes], number: int) -> list[Reply]:
        self._send([b"DATA\r\n"])
        go = self._reply()
        if go.code != 354:
            return [go] * number
        self._send(stuffed(message))
        return [self._reply() for _ in range(number)]

    def _send(self, blocks: Iterable[bytes]) -> None:
        try:
            self._file.writelines(blocks)
            self._file.flush()
        except OSError as e:
            raise TemporaryTrouble(f"the LMTP server went away: {e.strerror or e}") from e

    def _reply(self) -> Reply:
        lines: list[str] = []
        try:
            while True:
                line = self._file.readline(MAX_REPLY).decode("utf-8", "replace").rstrip("\r\n")
                if not line[:3].isdigit() or len(lines) > 1000:
                    raise TemporaryTrouble("the LMTP server went away" if not line else f"not an LMTP server: {line}")
                lines.append(line)
                if line[3:4] != "-":
                    break
        except OSError as e:
            raise TemporaryTrouble(f"the LMTP server does not answer: {e.strerror or e}") from e
        enhanced = lines[-1][4:].partition(" ")[0] if lines[-1][4:5].isdigit() else ""
        texts = (line[4:].removeprefix(enhanced).strip() for line in lines)
        return Reply(int(lines[-1][:3]), enhanced, " ".join(filter(None, texts)))

    @staticmethod
    def _expect(reply: Reply, code: int) -> None:
        if reply.code != code:
            raise TemporaryTrouble(f"the LMTP server said: {reply.code} {reply.text}")


def stuffed(message: Iterable[bytes]) -> Iterator[bytes]:
    """As it goes on the wire: every line end CRLF, dots doubled, the end marked. RFC 5321 §4.5.2."""
    held = b""  # a CR whose LF may come with the next block
    at_line_start = True
    for given in message:
        block = held + given
        held = b"\r" if block.endswith(b"\r") else b""
        block = block[: len(block) - len(held)].replace(b"\r\n", b"\n").replace(b"\n.", b"\n..")
        if not block:
            continue
        if at_line_start and block.startswith(b"."):
            block = b"." + block
        at_line_start = block.endswith(b"\n")
        yield block.replace(b"\n", b"\r\n")
    yield b".\r\n" if at_line_start and not held else held + b"\r\n.\r\n"


def _mail(order: Order) -> bytes:
    words = [f"MAIL FROM:<{order.sender}>"]
    addresses = [order.sender, *map(str, order.recipients)]
    if not all(address.isascii() for address in addresses):
        words.append("SMTPUTF8")
    if order.auth:
        words.append(f"AUTH={to_xtext(order.auth)}")
    return " ".join(words).encode() + b"\r\n"


def _rcpt(recipient: Address, order: Order) -> bytes:
    return f"RCPT TO:<{recipient}>{' IGNOREQUOTA' if order.ignore_quota else ''}\r\n".encode()


def _groups(commands: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """So many that their replies, unread, block nobody."""
    for start in range(0, len(commands), 100):
        yield commands[start : start + 100]
