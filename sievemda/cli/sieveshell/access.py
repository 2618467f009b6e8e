"""From what the user asks for to a session: which server, how protected, logged in as whom.

A password comes from a prompt, a file or the environment, and is asked for when the server has shown that it is the
right one and can use it. Where the server, or the DNS, names another host, the user is asked before anything goes
there: it is he who knows whether his password belongs there.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click

from sievemda.cli.complaints import one_line
from sievemda.errors import DataError, NotPermitted, SievemdaError, TemporaryTrouble, Unavailable
from sievemda.given import read_given
from sievemda.managesieve.client import sasl
from sievemda.managesieve.client.discovery import OLD_PORT, PORT, Endpoint, endpoints, is_address, parse_host
from sievemda.managesieve.client.refusals import Referred
from sievemda.managesieve.client.sasl import Identity
from sievemda.managesieve.client.session import Session, connect
from sievemda.managesieve.client.tls import Protection

PASSWORD, TOKEN = "SIEVEMDA_PASSWORD", "SIEVEMDA_TOKEN"  # names in the environment
_HOPS = 3  # referrals in a row
_MAX_SECRET = 64 << 10  # octets


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks for."""

    host: str
    port: int | None
    identity: Identity
    protection: Protection
    mechanism: str = ""
    seconds: float = 30.0
    discover: bool = True  # ask the DNS for SRV records
    follow: bool = False  # go to other hosts without being asked
    password_file: Path | None = None


class Access:
    """Opens sessions. `ask` puts a question that yes or no answers; None when nobody can be asked."""

    def __init__(self, wanted: Wanted, ask: Callable[[str], bool] | None) -> None:
        self._wanted = wanted
        self._ask = ask
        self._secret: Identity | None = None

    def open(self) -> Session:
        """Logged in. Raises what `managesieve.client` does."""
        for _ in range(_HOPS):
            try:
                return self._opened()
            except Referred as referred:
                self.refer(referred)
        raise Unavailable(f"{_HOPS} servers in a row refer to another one")

    def refer(self, referred: Referred) -> None:
        """From now on that server is meant, if the user agrees. RFC 5804 §1.3."""
        host, port = _referred_to(referred.url)
        check_protection(host, self._wanted.protection)
        self._consent(f"the server refers to {host}")
        self._wanted = replace(self._wanted, host=host, port=port)

    def _opened(self) -> Session:
        session = self._connected()
        try:
            session.login(self._identity(session), self._wanted.mechanism)
        except BaseException:
            session.close()
            raise
        return session

    def _connected(self) -> Session:
        wanted, failures = self._wanted, list[SievemdaError]()
        for endpoint in self._endpoints():
            if endpoint.foreign:
                self._consent(f"the DNS says that the server of {wanted.host} is {endpoint.host}, of another domain")
            try:
                session = connect(endpoint, wanted.protection, wanted.seconds)
            except (Unavailable, TemporaryTrouble) as e:
                failures.append(e)
                continue
            if wanted.port is None and endpoint.port == OLD_PORT:
                _notice(f"{endpoint.host} has its server on the port of old, {OLD_PORT}, and not on {PORT}")
            return session
        raise failures[0]

    def _endpoints(self) -> list[Endpoint]:
        wanted = self._wanted
        if wanted.discover or wanted.port is not None:
            return endpoints(wanted.host, wanted.port)
        return [Endpoint(wanted.host, PORT), Endpoint(wanted.host, OLD_PORT)]

    def _consent(self, what: str) -> None:
        if self._wanted.follow:
            return
        if self._ask is None:
            raise NotPermitted(f"{what}: say --follow to go there")
        if not self._ask(f"{one_line(what)}. Go there?"):
            raise NotPermitted(f"{what}, and that was not wanted")

    # --- secrets -------------------------------------------------------------------------------------------------

    def _identity(self, session: Session) -> Identity:
        """With the password, if one is needed; asked for once."""
        if self._secret is None:
            self._secret = self._with_password(session)
        return self._secret

    def _with_password(self, session: Session) -> Identity:
        wanted, identity = self._wanted, self._wanted.identity
        if identity.token is not None or identity.password is not None or wanted.mechanism.upper() == "EXTERNAL":
            return identity
        given = secret(wanted.password_file, PASSWORD)
        if given is not None:
            return replace(identity, password=given)
        offered = session.capabilities.get("SASL", "").upper().split()
        if wanted.protection.certificate is not None and not wanted.mechanism and "EXTERNAL" in offered:
            return identity
        own = wanted.protection.certificate is not None
        sasl.choose(offered, identity, wanted=wanted.mechanism, secure=session.secure, certificate=own)  # or it is said
        return replace(identity, password=_typed(f"Password of {identity.login} at {session.where}: "))


def secret(file: Path | None, variable: str) -> str | None:
    """The first line of a file (`-`: of standard input), else what is in the environment. DataError."""
    if file is None:
        return os.environ.get(variable) or None
    try:
        octets = sys.stdin.buffer.readline(_MAX_SECRET) if str(file) == "-" else read_given(file)
        return octets.splitlines()[0].decode() if octets.strip() else ""
    except OSError as e:
        raise DataError(f"{file}: {e.strerror or e}") from e
    except UnicodeDecodeError as e:
        raise DataError(f"{file}: this is not UTF-8") from e


def _typed(prompt: str) -> str:
    """From the terminal, which does not show it. What is typed here never gets into a history."""
    try:
        with Path("/dev/tty").open("rb"):
            pass
    except OSError as e:
        raise DataError(
            f"a password is needed, and there is no terminal to ask at: --password-file FILE, or {PASSWORD} in the "
            "environment"
        ) from e
    try:
        return getpass.getpass(one_line(prompt))
    except EOFError as e:
        raise click.Abort from e


def check_protection(host: str, protection: Protection) -> None:
    """Without TLS only to this host, whoever names it, unless the user wants it so. Raises NotPermitted."""
    if protection.mode == "none" and protection.check and not is_here(host):
        raise NotPermitted(f"without TLS anybody between here and {host} can read and change everything: --insecure?")


def is_here(host: str) -> bool:
    if is_address(host):
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    return host.lower().rstrip(".") == "localhost"


def _referred_to(url: str) -> tuple[str, int | None]:
    """Host and port of a Sieve URL. RFC 5804 §3."""
    try:
        parts = urlsplit(url)
        host, port = unquote(parts.hostname or ""), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme.lower() != "sieve" or not host:
        raise Unavailable(f"the server refers to what is no server: {url}")
    return (host, port) if is_address(host) else (parse_host(host)[0], port)


def _notice(text: str) -> None:
    click.echo(f"sieveshell: {one_line(text)}", err=True)
