"""Names of Sieve scripts (RFC 5804 §1.6) and the files that hold them.

A script NAME is the file `NAME.sieve`. A name too long for a file name (over 255 octets with its suffix) is stored
as `long-DIGEST.sieve` with the name in `long-DIGEST.name`. Names that themselves look like that are stored so too,
hence no two names share a file. A name cannot hold `/`, so no file lies outside of its folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from sievemda.errors import DataError

SUFFIX = ".sieve"
MAX_NAME = 128  # characters, hence up to 512 octets

_FILE_NAME_MAX = 255
FORBIDDEN = re.compile("[/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DIGEST = re.compile(r"long-[0-9a-f]{64}")


def check_name(name: str) -> None:
    """Raises DataError when `name` is not a script name. RFC 5804 §1.6."""
    if not name:
        raise DataError("a script name cannot be empty")
    if len(name) > MAX_NAME:
        raise DataError(f"the script name is longer than {MAX_NAME} characters")
    if FORBIDDEN.search(name):
        raise DataError("a script name cannot contain '/', control characters, line separators or invalid UTF-8")


def is_name(name: str) -> bool:
    """Whether it can be a script's."""
    try:
        check_name(name)
    except DataError:
        return False
    return True


def file_for(name: str) -> str:
    """The file of a script; raises DataError for what is not a name."""
    check_name(name)
    if len(name.encode()) + len(SUFFIX) > _FILE_NAME_MAX or _DIGEST.fullmatch(name):
        return f"long-{hashlib.sha256(name.encode()).hexdigest()}{SUFFIX}"
    return name + SUFFIX


def name_file(file: str) -> str:
    """The file beside `file` that holds the name; empty when the file's name says it."""
    stem = file.removesuffix(SUFFIX)
    return stem + ".name" if _DIGEST.fullmatch(stem) else ""


def name_for(file: str, read: Callable[[str], bytes]) -> str | None:
    """The script's name for its file; None for a file that is none of ours. `read` gets what a file beside it holds."""
    beside = name_file(file)
    try:
        name = read(beside).decode() if beside else file.removesuffix(SUFFIX)
        return name if file_for(name) == file else None
    except (UnicodeDecodeError, DataError):
        return None
