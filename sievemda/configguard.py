"""The section of the settings tree about defence: failed logins, how many sessions there may be, trusted proxies."""

from __future__ import annotations

from sievemda.configfields import Seconds, Section, setting

__all__ = ["Guard"]


class Guard(Section):
    """What strangers meet at the door of ManageSieve and LMTP."""

    failedloginpause: Seconds = setting(
        Seconds(2),
        "Longest pause before a failed login is answered: it begins with half a second and doubles with each failure"
        " of that address or user; 0: none. A right password never waits.",
    )
    lockout_failures: int = setting(
        20, "Failed logins of one address (of IPv6: one /64) after which it may not try for a while; 0: never."
    )
    lockout_within: Seconds = setting(Seconds(600), "Time in which so many failures are forgotten, one after another.")
    lockout_time: Seconds = setting(Seconds(600), "How long such an address may not try.")
    lockout_never: tuple[str, ...] = setting(
        ("127.0.0.1", "::1"),
        "Networks that are never locked out, such as a web mail's: it speaks for all its users from one address.",
    )
    lmtp_max_strangers: int = setting(
        25, "LMTP sessions over TCP at once, over all workers, that have not logged in and are in no trusted network."
    )
    haproxy_trusted_networks: tuple[str, ...] = setting(
        (),
        "Networks of proxies whose TCP connections begin with the client's address, by the PROXY protocol (version 1 or"
        " 2); without it they are refused.",
    )
    haproxy_timeout: Seconds = setting(Seconds(3), "Time within which a proxy must have told the address.")
    haproxy_tls: bool = setting(
        False,
        "Believe such a proxy that it has ended a client's TLS (send-proxy-v2-ssl): the session counts as one with TLS,"
        " though it is none on the way from the proxy to here.",
    )
