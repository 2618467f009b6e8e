"""All clients, and for each by which ways it comes and how it can log in there."""

from __future__ import annotations

from tests.interop.clients import commands, foreign, protocol, pythons
from tests.interop.clients.session import Client, Tls

__all__ = ["CLIENTS", "mechanisms", "ways"]

CLIENTS: list[Client] = [*commands.CLIENTS, *protocol.CLIENTS, *pythons.CLIENTS, *foreign.CLIENTS]


def ways(client: Client) -> tuple[Tls, Tls]:
    """With STARTTLS where it has that, and with TLS on connect, by itself or by a relay."""
    return "starttls" if client.starttls else "never", "connect" if client.tls_on_connect else "relay"


def mechanisms(client: Client, tls: Tls) -> list[str]:
    """By which it can log in; "" is by the one that it chooses.

    Behind a relay there is neither its certificate nor a channel that it could bind to: sievemgr, which is offered
    that, wants to bind nevertheless.
    """
    names = ["", *client.mechanisms]
    if tls == "relay":
        bound = [name for name in names if name == "EXTERNAL" or name.endswith("-PLUS")]
        names = [name for name in names if name not in bound]
        return names[1:] if client.name == "sievemgr" else names
    return [name for name in names if tls != "never" or name not in {"PLAIN", "LOGIN"}]
