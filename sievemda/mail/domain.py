"""Names of domains in the one form in which they can be compared: that of DNS.

Why not as they are read: an MTA hands over what the sender wrote, `xn--bcher-kva.example` or, under SMTPUTF8,
`bücher.example`, and both are one domain with the same users. Identifiers in ACLs are ASCII in any case.
"""

from __future__ import annotations

import unicodedata

_PREFIX = "xn--"


def dns_name(domain: str) -> str:
    """Lower case, each label beyond ASCII as its A-label (RFC 5890 §2.3.2.1, RFC 3492)."""
    domain = domain.lower()
    if domain.isascii():
        return domain
    return ".".join(label if label.isascii() else _a_label(label) for label in domain.split("."))


def without_default(userid: str, default: str) -> str:
    """The user id with its domain as in DNS, and without the domain that goes without saying."""
    local, at, domain = userid.rpartition("@")
    if not at:
        return userid
    domain = dns_name(domain)
    return local if domain == dns_name(default) else f"{local}@{domain}"


def _a_label(label: str) -> str:
    """The label as it is when it cannot be encoded."""
    try:
        return _PREFIX + unicodedata.normalize("NFC", label).encode("punycode").decode("ascii")
    except UnicodeError:
        return label
