"""What goes wrong with one of many things, while a command goes on with the others."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sievemda.cli.complaints import one_line
from sievemda.cli.main import tell
from sievemda.errors import SievemdaError, exit_code

if TYPE_CHECKING:
    from sievemda.store.mailstore import MailStore


class Failures:
    """Each is told at once, one line on standard error. The exit code is that of the first."""

    def __init__(self) -> None:
        self.code = 0
        self.number = 0

    def tell(self, error: SievemdaError | OSError, about: str = "") -> None:
        self.code = self.code or exit_code(error)
        self.number += 1
        where = () if isinstance(error, SievemdaError) or not error.filename else (str(error.filename),)
        text = str(error) if isinstance(error, SievemdaError) else error.strerror or str(error)
        line = one_line(": ".join(part for part in dict.fromkeys((about, *where, text)) if part))
        tell(lambda: print(f"sievemda: {line}", file=sys.stderr))

    def note_if_away(self, store: MailStore, partition: str = "") -> None:
        """What is on a disk that is away has not been done. The store tells of the disk, if it has not yet."""
        if store.layout.tell_if_away(partition, again=False):
            self.code = self.code or os.EX_TEMPFAIL
            self.number += 1
