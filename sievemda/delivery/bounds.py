"""The limits that the scripts of one user run under."""

from __future__ import annotations

from dataclasses import replace

from sievemda.config import Settings
from sievemda.sieve.limits import Limits


def limits_of(settings: Settings, limits: Limits, owner: str | None) -> Limits:
    """The limits of the site, with the address that it knows this user by."""
    template = settings.sieve.sieve_user_email
    if not template or owner is None:
        return limits
    local, _, domain = owner.partition("@")
    names = {"{user}": owner, "{local}": local, "{domain}": domain or settings.domain}
    for name, value in names.items():
        template = template.replace(name, value)
    return replace(limits, options=replace(limits.options, user_email=template))
