"""The items of the environment that every world has, by name. RFC 5183 §4.1."""

from __future__ import annotations

from sievemda import __version__
from sievemda.sieve.facts import NO_EVENT


def standard(host: str, domain: str = "", *, location: str = "MDA", phase: str = "during") -> dict[str, str]:
    """`domain` is part of `host` when it is not given. Delivery is done by an MDA, and the script runs during it."""
    return {
        "name": "sievemda",
        "version": __version__,
        "location": location,
        "phase": phase,
        "host": host,
        "domain": domain or domain_of(host),
        **NO_EVENT,
    }


def domain_of(host: str) -> str:
    """`example.org` of `mail.example.org`, and of `example.org` itself."""
    _, _, rest = host.partition(".")
    return rest if "." in rest else host


def client(name: str, address: str) -> dict[str, str]:
    """Who handed the message over. The address is unknown where there is none, as on a UNIX socket.

    The name is what the client calls itself, when that is a domain name; without one it is empty, as the RFC has it.
    The address is written as in RFC 5321 §4.1.3, without brackets.
    """
    known = "." in name and name.strip("[") == name and not name.replace(".", "").isdigit()
    items = {"remote-host": name if known else ""}
    if address:
        items["remote-ip"] = f"IPv6:{address}" if ":" in address else address
    return items
