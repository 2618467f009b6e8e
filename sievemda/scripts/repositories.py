"""The administrator's own scripts as repositories, which he works on as a user does on his.

    /global   the directory sieve_global           /before, /after   the first directory of sieve_before, sieve_after

Behind it may stand @DOMAIN, where the setting has {domain} in it. No user can have such a name, for users have no `/`.

Why an administrator without a mailbox finds /global when he logs in as himself: so he does with Cyrus, whose
administrators work on the global scripts (RFC 5804 §3 calls their owner the empty one, which SASL cannot say). One who
has a mailbox has scripts of his own, and asks for the others as he asks for a user's: by an authorization identity.
"""

from __future__ import annotations

import re
from pathlib import Path

from sievemda.config import Settings
from sievemda.store.script_names import SUFFIX

GLOBAL = "/global"
_NAME = re.compile(r"/(global|before|after)(?:@([^@/]+))?")


def is_repository(owner: str) -> bool:
    """Whether that is the name of a repository, whether it is there or not."""
    return owner.startswith("/")


def canonical(settings: Settings, owner: str) -> str:
    """The one name of a repository: domains are in small letters, and that of the site is not named."""
    name, at, domain = owner.partition("@")
    return name if domain.lower() == settings.domain.lower() else f"{name}{at}{domain.lower()}"


def place_of(settings: Settings, owner: str) -> Path | None:
    """The directory of a repository, which may not have been made yet; None when there is no such one here."""
    match = _NAME.fullmatch(canonical(settings, owner)) if is_repository(owner) else None
    if match is None:
        return None
    sieve = settings.sieve
    templates = {"global": (sieve.sieve_global,), "before": sieve.sieve_before, "after": sieve.sieve_after}
    for template in templates[match[1]]:
        if not template or "{user}" in template or "{local}" in template:
            continue
        if match[2] and "{domain}" not in template:
            continue
        place = settings.place(template, f"@{match[2]}" if match[2] else "")
        if place is not None and (place.is_dir() or (not place.exists() and place.suffix != SUFFIX)):
            return place.resolve()
    return None
