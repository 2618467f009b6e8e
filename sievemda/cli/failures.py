"""What goes wrong with one of many things, while a command goes on with the others."""

from __future__ import annotations

import os
import sys

from sievemda.cli.complaints import one_line
from sievemda.cli.main import tell
from sievemda.errors import SievemdaError


class Failures:
    """Each is told at once, one line on standard error. The exit code is that of the first."""

    def __init__(self) -> None:
        self.code = 0
        self.number = 0

    def tell(self, error: SievemdaError | OSError, about: str = "") -> None:
        code = error.exit_code if isinstance(error, SievemdaError) else os.EX_IOERR
        self.code = self.code or code
        self.number += 1
        text = str(error) if isinstance(error, SievemdaError) else error.strerror or str(error)
        line = one_line(f"{about}{': ' if about else ''}{text}")
        tell(lambda: print(f"sievemda: {line}", file=sys.stderr))
