"""Files that people name: configuration, lists, rules, templates, scripts. Opening one never waits; reading one ends.

Why a named pipe is refused: nobody may ever write to it. What a shell makes of `<(command)` has no name and is read.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MAX_GIVEN = 64 * 1024 * 1024  # octets; nobody writes so much by hand


def open_given(path: Path | str) -> BinaryIO:
    """A file to be read. OSError; ValueError for what can be no name."""
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - who called closes it
    try:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISFIFO(mode):
            if os.path.lexists(os.path.realpath(path)):  # that of an open pipe leads to nothing
                raise OSError(errno.EINVAL, "is a named pipe", str(path))
            os.set_blocking(file.fileno(), True)
    except BaseException:
        file.close()
        raise
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def read_given(path: Path | str, longest: int = MAX_GIVEN) -> bytes:
    """The content; as `open_given`, and OSError for a file of more than so many octets."""
    with open_given(path) as file:
        content = file.read(longest + 1)
    if len(content) > longest:
        raise OSError(errno.EFBIG, f"has more than {longest} octets", str(path))
    return content
