"""subaddress: the address parts `:user` and `:detail`. RFC 5233.

The local part is cut at the first separator; each character of the site's `recipient_delimiter` is one.
"""

from __future__ import annotations

from sievemda.mail.address import Address
from sievemda.sieve.limits import Limits
from sievemda.sieve.matching import AddressPart
from sievemda.sieve.vocabulary import Extension


def _cut(address: Address, limits: Limits) -> tuple[str, str | None]:
    local = address.local
    places = [at for mark in limits.recipient_delimiter if (at := local.find(mark)) >= 0]
    return (local[: min(places)], local[min(places) + 1 :]) if places else (local, None)


USER = AddressPart("user", lambda address, limits: _cut(address, limits)[0])
DETAIL = AddressPart("detail", lambda address, limits: _cut(address, limits)[1])

EXTENSIONS = (Extension("subaddress", "RFC 5233", address_parts=(USER, DETAIL)),)
