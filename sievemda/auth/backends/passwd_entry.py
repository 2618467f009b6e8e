"""One line of a passwd-file, in the form that Dovecot reads: `user:{SCHEME}password:uid:gid:gecos:home:shell:extra`.

Only user, password and of the extra fields these matter here: `allow_nets` and `allow_real_nets` (networks that may log
in, and `local` for UNIX sockets; each of them must allow it), `nopassword` (any password is right; the field must be
empty), `nologin` and `fail` (nobody gets in), `user`, `username` and `domain` (whom he is once he has logged in, as a
whole or its parts). Everything else is for other programs.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sievemda.auth.client import Client
from sievemda.auth.schemes import Secret, fits, read_secret
from sievemda.errors import DataError

_LOCAL = "local"
_WHOLE = frozenset({"user", "login_user"})  # fields that say who somebody is; others say a part of it
_VARIABLE = re.compile(r"%(?:\{(\w*)\}|(.?))")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Field = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limit:
    """Whence somebody may come."""

    networks: tuple[_Network, ...]
    local: bool  # by a UNIX socket

    def admits(self, address: str) -> bool:
        if not address:
            return self.local
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line says of a user."""

    user: str  # as it is written
    secret: Secret | None  # None: no password fits, or each one does
    called: str = ""  # who he is once he has logged in; empty: the same
    open: bool = False  # every password is right
    shut: bool = False  # none is
    limits: tuple[Limit, ...] = ()  # he may come whence all of them allow it

    def admits(self, client: Client) -> bool:
        """Whether he may log in from there."""
        return not self.shut and all(limit.admits(client.address) for limit in self.limits)

    def fits(self, password: str) -> bool:
        """Raises DataError when the hash cannot be read."""
        return self.open if self.secret is None else fits(self.secret, password, self.user)


def read_entry(line: str, scheme: str) -> Entry:
    """`scheme` is that of passwords that name none. DataError, which repeats no password."""
    user, colon, _ = line.partition(":")
    if not colon:
        raise DataError("no password follows the name")
    _, password, *rest = line.split(":", 7)
    fields = list(_fields(rest[5] if len(rest) > 5 else ""))
    extra = {key for key, _ in fields}
    is_open = "nopassword" in extra
    if is_open and password and not password.endswith("}"):  # a scheme alone is as good as nothing
        raise DataError("nopassword goes with an empty password")
    secret = read_secret(password, scheme) if password and not is_open else None
    limits = tuple(_limit(key, value) for key, value in fields if key in {"allow_nets", "allow_real_nets"})
    shut = not {"nologin", "fail"}.isdisjoint(extra)
    return Entry(user, secret, _called(user, fields), open=is_open, shut=shut, limits=limits)


def _fields(text: str) -> Iterator[_Field]:
    for word in text.split():
        key, _, value = word.partition("=")
        yield key, value


def _called(user: str, fields: list[_Field]) -> str:
    """Another name that the fields give him; the later one holds."""
    name = user
    for key, value in fields:
        local, at, domain = name.partition("@")
        match key.removeprefix("userdb_"):
            case whole if whole in _WHOLE:
                name = _expanded(value, user)
            case "username":
                name = f"{_expanded(value, user)}{at}{domain}"
            case "domain":
                name = f"{local}@{_expanded(value, user)}"
    if not name:
        raise DataError("there is no name in user= or username=")
    return "" if name == user else name


def _expanded(text: str, user: str) -> str:
    local, _, domain = user.partition("@")
    words = {"u": user, "n": local, "d": domain, "%": "%", "user": user, "username": local, "domain": domain}

    def word(match: re.Match[str]) -> str:
        found = words.get(match[1] or match[2])
        if found is None:
            raise DataError(f"there is no variable {match[0][:40]!r} here")
        return found

    return _VARIABLE.sub(word, text)


def _limit(key: str, text: str) -> Limit:
    found: list[_Network] = []
    words = [word for word in text.split(",") if word]
    for word in words:
        try:
            if word != _LOCAL:
                found.append(ipaddress.ip_network(word, strict=False))
        except ValueError as e:
            raise DataError(f"{key}: {word[:60]!r} is no network") from e
    return Limit(tuple(found), _LOCAL in words)
