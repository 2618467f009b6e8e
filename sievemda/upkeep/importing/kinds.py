"""What is to be imported, told from what it looks like, for who does not say."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from sievemda.errors import UsageError
from sievemda.upkeep.importing.unpacking import beginning_of

_RULES = {".forward": "forward", ".procmailrc": "procmail", "procmailrc": "procmail", ".mailfilter": "maildrop"}
_SCHEMES = {"imap": "imap", "imaps": "imap", "nntp": "news", "nntps": "news", "news": "news"}
_URL = re.compile(r"([A-Za-z]+)://")
_FIELD = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
_SPOOLS = {"user", "domain", "uuid"}  # beside directories of a letter, the hash
_LOOKED_AT = 1000  # entries of a directory


def kind_of(source: str) -> str:
    """The subcommand that imports it; UsageError when that cannot be told."""
    if url := _URL.match(source):
        kind = _SCHEMES.get(url[1].lower(), "")
    else:
        path = Path(source)
        try:
            kind = _RULES.get(path.name, "") or (_kind_of_directory(path) if path.is_dir() else _kind_of_file(path))
        except OSError as error:
            raise UsageError(f"{source}: {error.strerror or error}") from error
    if not kind:
        raise UsageError(f"cannot tell what {source} is: say it, as in `import mbox {source} MAILBOX`")
    return kind


def _kind_of_directory(path: Path) -> str:
    names = {entry.name for entry in islice(path.iterdir(), _LOOKED_AT)}
    if {"cur", "new"} <= names or any(name.startswith(".") and (path / name / "cur").is_dir() for name in names):
        return "maildir"
    if "cyrus.header" in names or any(_is_spool(path / name) for name in names if name in _SPOOLS or len(name) == 1):
        return "cyrus"
    if any(name.lower().endswith((".eml", ".emlx")) for name in names):
        return "eml"
    files = (path / name for name in sorted(names))
    return next((kind for file in files if file.is_file() and (kind := _kind_of_file(file))), "")


def _is_spool(path: Path) -> bool:
    return next(islice(path.rglob("cyrus.header"), 1), None) is not None


def _kind_of_file(path: Path) -> str:
    beginning = beginning_of(path).lstrip(b"\r\n")
    if beginning.startswith(b"From "):
        return "mbox"
    return "eml" if _FIELD.match(beginning) or path.suffix.lower() == ".emlx" else ""
