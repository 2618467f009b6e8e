"""The doors that a probe knocks at: LMTP, SMTP, ManageSieve, IMAP.

Raised are Unavailable (nobody there), TemporaryTrouble, NotFound (no such user), DataError (refused for good) and
NotPermitted (not let in).
"""

from __future__ import annotations

import imaplib
import ipaddress
import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sievemda.errors import DataError, NotFound, NotPermitted, TemporaryTrouble, Unavailable
from sievemda.lmtp.client import Client, Order, connect
from sievemda.managesieve.client.discovery import Endpoint
from sievemda.managesieve.client.session import connect as sieve_server
from sievemda.managesieve.client.tls import Protection

if TYPE_CHECKING:
    from pathlib import Path

    from sievemda.mail.address import Address
    from sievemda.upkeep.probing.letter import Letter


@dataclass(frozen=True, slots=True)
class Place:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def by_lmtp(where: Path | Place, recipient: Address, sent: Letter, seconds: float) -> str:
    """Hand the message in; what the server answered."""
    try:
        connection = _connected(where, seconds) if isinstance(where, Place) else connect(where, seconds)
    except OSError as e:
        raise Unavailable(f"no LMTP server at {where}: {e.strerror or e}") from e
    with connection:
        (reply,) = Client(connection).deliver(Order("", [recipient]), [sent.content])
    if reply.ok:
        return f"{reply.code} {reply.text}"
    kind = TemporaryTrouble if reply.temporary else NotFound if reply.enhanced == "5.1.1" else DataError
    raise kind(f"{recipient} was refused: {reply.code} {reply.enhanced} {reply.text}")


def by_smtp(where: Place, recipient: Address, sent: Letter, seconds: float) -> str:
    """Hand the message to a mail server, which hands it on."""
    try:
        with smtplib.SMTP(where.host, where.port, timeout=seconds) as client:
            client.ehlo_or_helo_if_needed()
            if client.has_extn("starttls"):  # as an MTA does, which takes any certificate
                client.starttls(context=_trusting())
            client.sendmail("", [str(recipient)], sent.content.replace(b"\n", b"\r\n"))
    except smtplib.SMTPRecipientsRefused as e:
        code, text = next(iter(e.recipients.values()))
        said = f"{recipient} was refused: {code} {text.decode('utf-8', 'replace')}"
        raise (TemporaryTrouble if code < 500 else DataError)(said) from e
    except smtplib.SMTPResponseException as e:
        said = str(e.smtp_error, "utf-8", "replace") if isinstance(e.smtp_error, bytes) else str(e.smtp_error)
        raise (TemporaryTrouble if e.smtp_code < 500 else DataError)(f"{where} said: {e.smtp_code} {said}") from e
    except (OSError, smtplib.SMTPException) as e:
        raise Unavailable(f"no SMTP server at {where}: {e}") from e
    return "accepted"


def managesieve(where: Place, seconds: float) -> str:
    """Read the greeting to its OK. RFC 5804 §1.7."""
    with sieve_server(Endpoint(where.host, where.port), Protection("none"), seconds):
        return "greets"


def imap(where: Place, user: str, password: str, sent: Letter, seconds: float, *, tls: bool) -> str:
    """Look for the message in every folder that the IMAP server shows; the folder's name there."""
    try:
        client = _greeted(where, seconds, tls=tls)
    except (OSError, imaplib.IMAP4.error) as e:
        raise Unavailable(f"no IMAP server at {where}: {e}") from e
    try:
        with client:
            try:
                client.login(user, password)
            except imaplib.IMAP4.error as e:
                raise NotPermitted(f"{where} does not let {user} in: {str(e)[:200]}") from e
            for folder in _folders(client):
                if client.select(folder, readonly=True)[0] != "OK":
                    continue
                answer = client.search(None, "HEADER", "Message-ID", f'"{sent.message_id}"')
                if answer[0] == "OK" and answer[1] and answer[1][0]:
                    return f"seen in {folder.strip(chr(34))}"
    except (OSError, imaplib.IMAP4.error) as e:
        raise Unavailable(f"{where} went away: {e}") from e
    raise TemporaryTrouble(f"{user} does not see the message at {where}")


def _greeted(where: Place, seconds: float, *, tls: bool) -> imaplib.IMAP4:
    """A session that is encrypted when the server can: a password goes through it. OSError, IMAP4.error."""
    context = _trusting() if _is_here(where) else ssl.create_default_context()
    if tls:
        return imaplib.IMAP4_SSL(where.host, where.port, ssl_context=context, timeout=seconds)
    client = imaplib.IMAP4(where.host, where.port, timeout=seconds)
    try:
        if "STARTTLS" in client.capabilities:
            client.starttls(context)
    except BaseException:
        client.shutdown()
        raise
    return client


def _is_here(where: Place) -> bool:
    """Whether it is this machine: nobody is between, and certificates seldom bear its name."""
    try:
        return ipaddress.ip_address(where.host).is_loopback
    except ValueError:
        return where.host.lower() == "localhost"


def _trusting() -> ssl.SSLContext:
    """Encrypts, whatever the certificate of the other side."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _folders(client: imaplib.IMAP4) -> list[str]:
    """Names as they came, INBOX first; one that was sent as a literal is left out."""
    found = ["INBOX"]
    for row in client.list()[1]:
        if isinstance(row, bytes):
            name = row.decode("utf-8", "replace").partition(") ")[2].partition(" ")[2]
            if name and name.strip('"').upper() != "INBOX":
                found.append(name)
    return found


def _connected(where: Place, seconds: float) -> socket.socket:
    return socket.create_connection((where.host, where.port), timeout=seconds)
