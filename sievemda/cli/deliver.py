"""`sievemda deliver`: hand a message on standard input to the running server, as Cyrus' deliver does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

import click

from sievemda.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from sievemda.config import Settings
    from sievemda.lmtp.client import Order, Reply
    from sievemda.mail.address import Address

TIMEOUT = 600.0  # seconds without a word from the server
BLOCK = 64 * 1024
NO_SUCH_USER = "5.1.1"


@click.command(epilog="Example: sievemda deliver -r bob@example.net -m Lists alice < message.eml")
@click.option("-a", "auth", metavar="ID", default="", help="Post as ID instead of anonymously.")
@click.option("-m", "folder", metavar="FOLDER", default="", help="Folder of each user; without a USER: shared folder.")
@click.option("-r", "-f", "sender", metavar="RETURN-PATH", help="Envelope sender; your login name by default.")
@click.option("-q", "ignore_quota", is_flag=True, help="Deliver even when over quota.")
@click.option("-d", "ignored_d", is_flag=True, hidden=True)
@click.option("-e", "ignored_e", is_flag=True, hidden=True)
@click.argument("users", metavar="[USER]...", nargs=-1)
@click.pass_obj
def deliver(
    settings: Settings,
    auth: str,
    folder: str,
    sender: str | None,
    ignore_quota: bool,
    users: tuple[str, ...],
    ignored_d: bool,  # noqa: ARG001 - old options of Cyrus' deliver that have no meaning any more
    ignored_e: bool,  # noqa: ARG001
) -> int:
    """Deliver the message on standard input to USERs through the server at `lmtpsocket`.

    Exit codes: 0 when all have got it, 75 when trying again may help somebody, else 67 (no such user) or 65 (refused);
    69 when there is no server. Each refusal for good is a line `ADDRESS: REASON`; the others are on standard error.
    """
    from sievemda.lmtp.client import Order

    recipients = _recipients(settings, folder, users)
    order = Order(_path(_login_name() if sender is None else sender), recipients, auth, ignore_quota)
    replies = _deliver(settings, order)
    for recipient, reply in zip(recipients, replies, strict=True):
        if not reply.ok:
            click.echo(f"{recipient}: {reply.text}", err=reply.temporary)
    return _exit_code(replies)


def _recipients(settings: Settings, folder: str, users: Sequence[str]) -> list[Address]:
    """USERs with the folder as their detail; without USERs, the shared folder's address."""
    from sievemda.mail.address import Address, parse_address

    if not users and not folder:
        raise UsageError("deliver: name a USER, or a shared folder with -m")
    delimiter = settings.delivery.recipient_delimiter[:1]
    if folder and not delimiter:
        raise ConfigurationError("delivery.recipient_delimiter: it is empty, so that no address can name a folder")
    if not users:
        name, at, domain = folder.rpartition("@") if settings.site.virtdomains != "off" else ("", "", "")
        return [Address(settings.delivery.postuser + delimiter + (name if at else folder), domain)]
    found = []
    for user in users:
        address = parse_address(user) if user else Address("")
        if address is None:
            raise UsageError(f"deliver: {user!r} is not the address of a user")
        found.append(Address(address.local + (delimiter + folder if folder else ""), address.domain))
    return found


def _path(text: str) -> str:
    """A return path as given, with or without brackets; `<>` and nothing are the null reverse-path."""
    from sievemda.mail.address import parse_address

    bare = text[1:-1] if text.startswith("<") and text.endswith(">") else text
    address = parse_address(bare)
    if bare and address is None:
        raise UsageError(f"deliver: {text!r} is not an address")
    return str(address) if address else ""


def _login_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _deliver(settings: Settings, order: Order) -> list[Reply]:
    from sievemda.errors import Unavailable
    from sievemda.lmtp.client import Client, connect

    path = settings.lmtp_socket
    try:
        connection = connect(path, TIMEOUT)
    except OSError as e:
        raise Unavailable(f"no LMTP server at {path}: {e.strerror or e}") from e
    with connection:
        return Client(connection).deliver(order, _message(sys.stdin.buffer))


def _message(stream: BinaryIO) -> Iterator[bytes]:
    """In blocks, without a leading `From ` line of an mbox."""
    head = stream.read(BLOCK)
    if head.startswith(b"From "):
        head = head.partition(b"\n")[2]
    yield head
    while block := stream.read(BLOCK):
        yield block


def _exit_code(replies: Sequence[Reply]) -> int:
    if any(reply.temporary for reply in replies):
        return os.EX_TEMPFAIL
    refusals = [reply for reply in replies if not reply.ok]
    if not refusals:
        return os.EX_OK
    return os.EX_NOUSER if all(reply.enhanced == NO_SUCH_USER for reply in refusals) else os.EX_DATAERR
