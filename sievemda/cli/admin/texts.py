"""What errors are called in the shell: the words of a Cyrus server, which scripts look for."""

from __future__ import annotations

from sievemda.cli.admin.session import Refused
from sievemda.errors import AlreadyExists, NotFound, NotPermitted, SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.policy.acl import BadIdentifier
from sievemda.policy.quota import OverQuota
from sievemda.store.authority import Disabled

_TEXTS: tuple[tuple[type[SievemdaError], str], ...] = (
    (AlreadyExists, "Mailbox already exists"),
    (NotFound, "Mailbox does not exist"),
    (Disabled, "Command is disabled by configuration"),
    (NotPermitted, "Permission denied"),
    (OverQuota, "Over quota"),
    (BadIdentifier, "Invalid identifier"),
)
_TROUBLE = "System I/O error"


def told(error: SievemdaError) -> str:
    """The words of Cyrus; our own where it has none or they would say nothing."""
    if isinstance(error, Refused):
        return str(error)
    for kind, text in _TEXTS:
        if isinstance(error, kind):
            return text
    if isinstance(error, StoreTrouble | TemporaryTrouble):
        return f"{_TROUBLE}: {error}"
    return str(error)


def behind(error: BaseException) -> str:
    """The sentence of ours that the words stand for; empty when they say it all."""
    cause: BaseException | None = error
    while isinstance(cause, Refused):
        cause = cause.__cause__
    said = str(cause) if isinstance(cause, SievemdaError) else ""
    return said if said and not (isinstance(error, SievemdaError) and said in told(error)) else ""
