"""Where the ManageSieve server of a domain is: SRV records, else the host itself. RFC 5804 §1.8, RFC 2782.

Order by priority and weight is dnspython's. A target of "." says that there is none, and then none is looked for. Who
names a port, or an address, means exactly that.

A record may name a host of another domain, and whoever can forge answers of the DNS could have passwords brought to
him: such a host must be approved of by the user (RFC 6186 §6 has this rule for the same records of mail servers).
"""

from __future__ import annotations

import ipaddress
import logging
import re
from dataclasses import dataclass

from sievemda.errors import DataError, Unavailable

PORT = 4190
OLD_PORT = 2000  # before it was registered: Cyrus up to 2.3
_SECONDS = 8.0  # for an answer of the DNS
_MOST = 20  # hosts that are tried
_WRITTEN = re.compile(r"\[(?P<v6>[^\]]*)\](?::(?P<port6>[^:]*))?|(?P<host>[^:]*)(?::(?P<port>[^:]*))?")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    port: int
    foreign: bool = False  # a host that the DNS names, and which is not of the domain that was asked for

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_host(text: str) -> tuple[str, int | None]:
    """HOST[:PORT], an IPv6 address in brackets or alone. Raises DataError."""
    if is_address(text):
        return text, None
    found = _WRITTEN.fullmatch(text)
    host = found and (found["v6"] if found["v6"] is not None else found["host"])
    if not found or not host or (found["v6"] is not None and not is_address(host)):
        raise DataError(f"{text!r} is not a host: write HOST, HOST:PORT or [ADDRESS]:PORT")
    port = found["port6"] if found["v6"] is not None else found["port"]
    if port is None:
        return _ascii(host), None
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise DataError(f"{port!r} is not a port")
    return _ascii(host), int(port)


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def endpoints(host: str, port: int | None = None) -> list[Endpoint]:
    """What to try, in order. Raises Unavailable when the domain says that it has no server."""
    if port is not None:
        return [Endpoint(host, port)]
    if not is_address(host) and "." in host.strip("."):
        found = _records(host)
        if found:
            return found
    return [Endpoint(host, PORT), Endpoint(host, OLD_PORT)]


def _records(host: str) -> list[Endpoint]:
    import dns.exception  # noqa: PLC0415 - an address, or a name with a port, needs no look-up
    import dns.name  # noqa: PLC0415
    import dns.resolver  # noqa: PLC0415
    from dns.rdtypes.IN.SRV import SRV  # noqa: PLC0415

    domain = host.strip(".").lower()
    resolver = dns.resolver.get_default_resolver()
    try:
        answer = resolver.resolve(dns.name.from_text(f"_sieve._tcp.{domain}."), "SRV", lifetime=_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as e:
        _log.warning("the DNS does not say where %s has its ManageSieve server: %s", domain, e)
        return []
    if answer.rrset is None:
        return []
    records = [r for r in answer.rrset.processing_order() if isinstance(r, SRV)]
    if [r.target for r in records] == [dns.name.root]:
        raise Unavailable(f"{domain} has no ManageSieve server: that is what its SRV record says")
    found = []
    for record in records[:_MOST]:
        target = record.target.to_text(omit_final_dot=True).lower()
        if record.target != dns.name.root and record.port:
            found.append(Endpoint(target, record.port, foreign=not _belongs(target, domain)))
    return found


def _belongs(target: str, domain: str) -> bool:
    return target == domain or target.endswith(f".{domain}")


def _ascii(host: str) -> str:
    """A name as the DNS writes it. RFC 5804 §2.2.1.1. Raises DataError, also for one that no host can have."""
    try:
        written = host.encode("idna").decode()
    except UnicodeError as e:
        raise DataError(f"{host!r} is not a name of a host") from e
    if not written.isprintable() or " " in written:
        raise DataError(f"{host!r} is not a name of a host")
    return host if host.isascii() else written
