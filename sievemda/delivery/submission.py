"""Hands one message to whoever sends it: the program `sendmail`, or an SMTP host.

Both are told the envelope apart from the message; a recipient can never be taken for an option. What comes back is
`None` (taken), a `Refusal` (for good) or a `Delay` (try again).
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import smtplib
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from sievemda.config import Outbox as Options
from sievemda.config import Settings
from sievemda.delivery.outgoing import DsnOptions
from sievemda.mail.address import parse_address
from sievemda.mail.xtext import to_xtext

_TIMEOUT = 120  # seconds for one step of the hand-over
_BLOCK = 1 << 18
_MOST = 999_999_999  # seconds of BY=, RFC 2852 §4
_FOR_GOOD = {os.EX_DATAERR: "5.6.0", os.EX_NOUSER: "5.1.1", os.EX_NOHOST: "5.1.2"}
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


_NOTHING = DsnOptions()


@dataclass(frozen=True, slots=True)
class Refusal:
    status: str  # RFC 3463
    text: str


@dataclass(frozen=True, slots=True)
class Delay:
    text: str
    nobody_there: bool = False  # the next message would fare no better


@dataclass(frozen=True, slots=True)
class Relayed:
    """Taken by somebody who knows nothing of the time limit of the message."""


Answer = Refusal | Delay | Relayed | None


def submit(settings: Settings, sender: str, recipient: str, message: BinaryIO, dsn: DsnOptions = _NOTHING) -> Answer:
    """Hand over the rest of the open file `message`, which has LF line ends. `sender` "" is the null reverse-path.

    RFC 2852 §4.1.4: a message that is to be returned when it is late goes to nobody who would not do so; but one from
    nobody, which cannot be returned, would be lost by that, and goes on.
    """
    if dsn.by_mode == "R" and dsn.by_until <= time.time():
        if sender:
            return Refusal("5.4.7", "it could not be delivered within the time that was set")
        dsn = replace(dsn, by_mode="", by_until=0)
    if settings.outbox.smtp_backend == "sendmail":
        return _program(settings.outbox, sender, recipient, message, dsn)
    return _host(settings, sender, recipient, message, dsn)


def _unlimited(dsn: DsnOptions, sender: str) -> Refusal | Relayed | None:
    """What becomes of a message that goes to somebody without Deliver-By."""
    if dsn.by_mode == "R" and sender:
        return Refusal("5.3.3", "the next host cannot be told of the time within which it is to be delivered")
    return Relayed() if dsn.by_mode else None


def _program(options: Options, sender: str, recipient: str, message: BinaryIO, dsn: DsnOptions) -> Answer:
    taken = _unlimited(dsn, sender)
    if isinstance(taken, Refusal):
        return taken
    wishes = [("-N", dsn.notify.lower()), ("-R", dsn.ret.lower()), ("-V", dsn.envid)]
    told = [word for tag, value in wishes if value and sender for word in (tag, value)]  # else there is nobody to tell
    command = [str(options.sendmail), "-i", *told, "-f", sender or "<>", "--", recipient]
    os.lseek(message.fileno(), message.tell(), os.SEEK_SET)  # the program reads from the descriptor itself
    try:
        done = subprocess.run(command, stdin=message, capture_output=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        return Delay(str(e), nobody_there=True)
    if done.returncode == 0:
        return taken
    text = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[:1000] or f"exit code {done.returncode}"
    if status := _FOR_GOOD.get(done.returncode):
        return Refusal(status, text)
    return Delay(text)


def _host(settings: Settings, sender: str, recipient: str, message: BinaryIO, dsn: DsnOptions) -> Answer:
    host, _, port = settings.outbox.smtp_host.rpartition(":")
    host = (host or settings.outbox.smtp_host).strip("[]")
    client = smtplib.SMTP(timeout=_TIMEOUT, local_hostname=settings.site.servername)
    try:
        greeting = client.connect(host, int(port) if port.isdigit() else 25)
        if greeting[0] != 220:
            return Delay(f"{host} does not take mail now: {greeting[0]}", nobody_there=True)
        client.ehlo_or_helo_if_needed()
        if client.has_extn("starttls") and not _is_loopback(host):
            client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
        answer = _transaction(client, _whole(settings, sender), _whole(settings, recipient), message, dsn)
        with contextlib.suppress(OSError, smtplib.SMTPException):  # the message is theirs whatever they say now
            client.quit()
    except (OSError, smtplib.SMTPException) as e:
        return Delay(str(e), nobody_there=True)
    else:
        return answer
    finally:
        client.close()


def _whole(settings: Settings, path: str) -> str:
    """A bare local part with this host's name behind it: RFC 5321 §2.3.5 wants a domain. (The program adds its own.)"""
    address = parse_address(path) if path else None
    return path if address is None or address.domain else f"{path}@{settings.site.servername}"


def _transaction(client: smtplib.SMTP, sender: str, recipient: str, message: BinaryIO, dsn: DsnOptions) -> Answer:
    taken = None if client.has_extn("deliverby") else _unlimited(dsn, sender)
    if isinstance(taken, Refusal):
        return taken
    options = ["BODY=8BITMIME"] if client.has_extn("8bitmime") else []
    options += _by(dsn) if client.has_extn("deliverby") else []
    of_sender, of_recipient = _asked(dsn) if client.has_extn("dsn") else ([], [])
    options += of_sender
    if not (sender + recipient).isascii():
        if not client.has_extn("smtputf8"):
            return Refusal("5.6.7", "the next host cannot take addresses that are not ASCII")
        options.append("SMTPUTF8")
        client.command_encoding = "utf-8"
    for code, text in (client.mail(sender, options), client.rcpt(recipient, of_recipient)):
        if code not in {250, 251}:
            return _answer(code, text)
    code, text = client.docmd("DATA")
    if code != 354:
        return _answer(code, text)
    for block in _on_the_wire(message):
        client.send(block)
    code, text = client.getreply()
    return taken if code == 250 else _answer(code, text)


def _by(dsn: DsnOptions) -> list[str]:
    """BY= with what is left of the time; it may be negative for who only wants to be told. RFC 2852 §4."""
    if not dsn.by_mode:
        return []
    left = max(-_MOST, min(dsn.by_until - int(time.time()), _MOST))
    return [f"BY={left};{dsn.by_mode}{'T' if dsn.by_trace else ''}"]


def _asked(dsn: DsnOptions) -> tuple[list[str], list[str]]:
    """RET= and ENVID= for MAIL, NOTIFY= and ORCPT= for RCPT. RFC 3461 §4."""
    of_sender = [f"RET={dsn.ret}"] if dsn.ret else []
    of_sender += [f"ENVID={to_xtext(dsn.envid)}"] if dsn.envid else []
    of_recipient = [f"NOTIFY={dsn.notify}"] if dsn.notify else []
    kind, _, original = dsn.orcpt.partition(";")
    if original and original.isascii():
        of_recipient.append(f"ORCPT={kind};{to_xtext(original)}")
    return of_sender, of_recipient


def _answer(code: int, text: bytes | str) -> Refusal | Delay:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if not 500 <= code < 600:
        return Delay(f"{code} {words}")
    status = _STATUS.match(words)
    return Refusal(status[0] if status and status[0][0] == "5" else "5.0.0", f"{code} {words}")


def _on_the_wire(message: BinaryIO) -> Iterator[bytes]:
    """Whole lines with CRLF, dots doubled, then the final dot. RFC 5321 §4.5.2."""
    ends = True
    while block := message.readlines(_BLOCK):
        text = b"".join(block)
        ends = text.endswith(b"\n")
        yield re.sub(rb"(?m)^\.", b"..", text).replace(b"\n", b"\r\n")
    yield b".\r\n" if ends else b"\r\n.\r\n"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
