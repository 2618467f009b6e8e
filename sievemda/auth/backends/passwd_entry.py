"""One line of a passwd-file, in the form that Dovecot reads: `user:{SCHEME}password:uid:gid:gecos:home:shell:extra`.

Only user, password and of the extra fields these matter here: `allow_nets` (networks that may log in, and `local` for
UNIX sockets), `nopassword` (any password is right; the field must be empty), `nologin` and `fail` (nobody gets in).
Everything else is for other programs.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from sievemda.auth.client import Client
from sievemda.auth.schemes import Secret, fits, read_secret
from sievemda.errors import DataError

_LOCAL = "local"
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line says of a user."""

    user: str  # as it is written
    secret: Secret | None  # None: no password fits, or each one does
    open: bool = False  # every password is right
    shut: bool = False  # none is
    local: bool = True  # whether he may come by a UNIX socket
    networks: tuple[_Network, ...] | None = None  # whence he may come otherwise; None: from everywhere

    def admits(self, client: Client) -> bool:
        """Whether he may log in from there."""
        if self.shut:
            return False
        if not client.address:
            return self.local
        if self.networks is None:
            return True
        try:
            address = ipaddress.ip_address(client.address.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def fits(self, password: str) -> bool:
        """Raises DataError when the hash cannot be read."""
        return self.open if self.secret is None else fits(self.secret, password, self.user)


def read_entry(line: str, scheme: str) -> Entry:
    """`scheme` is that of passwords that name none. DataError, which repeats no password."""
    user, colon, _ = line.partition(":")
    if not colon:
        raise DataError("no password follows the name")
    _, password, *rest = line.split(":", 7)
    extra = _extra(rest[5] if len(rest) > 5 else "")
    is_open = "nopassword" in extra
    if is_open and password and not password.endswith("}"):  # a scheme alone is as good as nothing
        raise DataError("nopassword goes with an empty password")
    secret = read_secret(password, scheme) if password and not is_open else None
    nets = extra.get("allow_nets")
    networks, local = (None, True) if nets is None else _networks(nets)
    shut = not {"nologin", "fail"}.isdisjoint(extra)
    return Entry(user, secret, open=is_open, shut=shut, local=local, networks=networks)


def _extra(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in text.split():
        key, _, value = word.partition("=")
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


def _networks(text: str) -> tuple[tuple[_Network, ...], bool]:
    found: list[_Network] = []
    words = [word for word in text.split(",") if word]
    for word in words:
        try:
            if word != _LOCAL:
                found.append(ipaddress.ip_network(word, strict=False))
        except ValueError as e:
            raise DataError(f"allow_nets: {word[:60]!r} is no network") from e
    return tuple(found), _LOCAL in words
