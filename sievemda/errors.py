"""The exception tree.

    SievemdaError
     ├─ UsageError         the command line was wrong                      64
     ├─ DataError          what was given is not what it must be           65
     ├─ NotFound           no such user, mailbox or script                 67
     ├─ Unavailable        a server or back end does not answer            69
     ├─ AlreadyExists      cannot be created: it is there                  73
     ├─ StoreTrouble       the file system failed (full, read-only, ...)   74
     ├─ TemporaryTrouble   try again later                                 75
     ├─ NotPermitted       no right to do this                             77
     └─ ConfigurationError the settings are wrong                          78

Every error carries one sentence for a person: what was wrong, where, and what to do. `exit_code` is the
sysexits.h code with which a command ends. Decisions about a recipient (unknown, over quota, refused) are values
(`mail.result`), not exceptions.
"""

from __future__ import annotations

import os

_FORBIDDEN = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")


class SievemdaError(Exception):
    """Root of everything raised on purpose."""

    exit_code = os.EX_SOFTWARE


class UsageError(SievemdaError):
    exit_code = os.EX_USAGE


class DataError(SievemdaError):
    exit_code = os.EX_DATAERR


class NotFound(SievemdaError):
    exit_code = os.EX_NOUSER


class Unavailable(SievemdaError):
    exit_code = os.EX_UNAVAILABLE


class AlreadyExists(SievemdaError):
    exit_code = os.EX_CANTCREAT


class StoreTrouble(SievemdaError):
    exit_code = os.EX_IOERR


class TemporaryTrouble(SievemdaError):
    exit_code = os.EX_TEMPFAIL


class NotPermitted(SievemdaError):
    exit_code = os.EX_NOPERM


class ConfigurationError(SievemdaError):
    """`problems` lists every mistake that was found, one sentence each, naming the key."""

    exit_code = os.EX_CONFIG

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def exit_code(error: SievemdaError | OSError) -> int:
    """The code with which a command ends. What somebody may not do does not get better when he tries again."""
    if not isinstance(error, SievemdaError):
        return os.EX_IOERR
    cause = error.__cause__
    forbidden = isinstance(cause, PermissionError) or getattr(cause, "sqlite_errorname", "").startswith(_FORBIDDEN)
    return os.EX_IOERR if forbidden and isinstance(error, TemporaryTrouble) else error.exit_code
