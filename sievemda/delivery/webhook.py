"""Posts the small JSON of a notification to a web server of the site's choice.

What comes back is as for mail: `None` (taken), a `Refusal` (for good) or a `Delay` (try again). A 2xx is taken; 408,
425, 429 and 5xx are worth another try; everything else is final, a redirect too: to follow one would be to let a
stranger say where we go. Of the answer no more is read than its status.

Why the address is looked at before it is used, and used as it was looked at: the owner of a name could otherwise lead
us to services inside the site's own network. Addresses that are not of the open Internet are refused unless the site
lists their network. Why a clock beside the time-outs: a server that sends one octet now and then keeps within those.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from urllib.parse import urlsplit

from sievemda import __version__
from sievemda.config import Settings
from sievemda.delivery.submission import Delay, Refusal

_STEP = 10.0  # seconds for one step
_ALL = 20.0  # seconds for everything
_AGAIN = {408, 425, 429}

Address = tuple[int, str, int]  # family, IP address, port


def post(settings: Settings, url: str, body: bytes) -> Refusal | Delay | None:
    """Post once. Raises nothing that the network or the other side causes."""
    parts = urlsplit(url)
    host = parts.hostname
    if not host:
        return Refusal("5.1.3", "the URL names no host")
    try:
        found = _addresses(host, parts.port or 443)
    except OSError as e:
        return Delay(f"{host} is not found: {e}")
    allowed = [address for address in found if _may_go(settings, address[1])]
    if not allowed:
        return Refusal("5.7.1", f"{host} is not on the Internet, and its network is not allowed here")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        status = _status(settings, host, parts.netloc.rpartition("@")[2], target, allowed[0], body)
    except (OSError, http.client.HTTPException, ValueError) as e:
        return Delay(f"{host}: {type(e).__name__}: {e}")
    if 200 <= status < 300:
        return None
    again = status in _AGAIN or status >= 500
    return Delay(f"{host} answered {status}") if again else Refusal("5.3.0", f"{host} answered {status}")


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, str(address[0]), int(address[1])) for family, _, _, _, address in found]


def _may_go(settings: Settings, text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    if address.is_global and not address.is_multicast:
        return True
    return any(address in ipaddress.ip_network(one, strict=False) for one in settings.sieve.sieve_notify_https_networks)


def _status(settings: Settings, host: str, name: str, target: str, address: Address, body: bytes) -> int:
    """Connect to the address, talk to the host, and read the status of its answer."""
    ca = settings.sieve.sieve_notify_https_ca
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    family, ip, port = address
    headers = {
        "Host": name,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": f"sievemda/{__version__}",
        "Connection": "close",
    }
    with socket.socket(family, socket.SOCK_STREAM) as plain:
        under_way: list[socket.socket] = [plain]
        clock = threading.Timer(_ALL, _cut, (under_way,))
        clock.daemon = True
        clock.start()
        try:
            plain.settimeout(_STEP)
            plain.connect((ip, port))
            with context.wrap_socket(plain, server_hostname=host) as encrypted:
                under_way[0] = encrypted
                connection = http.client.HTTPSConnection(host, port, timeout=_STEP)
                connection.sock = encrypted
                connection.request("POST", target, body, headers)
                return connection.getresponse().status
        finally:
            clock.cancel()


def _cut(under_way: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):
        under_way[0].shutdown(socket.SHUT_RDWR)
