"""`subscriptions`: the folders that a user's IMAP client shows, in Dovecot's file at the root of his tree.

Version 2 (Dovecot 2.3 and later) starts with a line `V<TAB>2` and an empty one, and separates levels by tabs; version 1
has one name on disk a line, without its leading dot. Names stand as on disk. INBOX stands as `INBOX`. Folders of others
have the prefix of their namespace in front as Dovecot's configuration writes it: `Shared Folders/board<TAB>sub`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from sievemda.store.files import Dotlock, read_control_file
from sievemda.store.spelling import to_disk

FILE_NAME = "subscriptions"
_HEADER = "V\t2\n\n"


def subscribe(root: Path, paths: Sequence[tuple[str, ...]], mode: int) -> None:
    """Add folders; nothing happens to those that are there."""
    add(root, [line_of(path) for path in paths], mode)


def add(root: Path, new: Sequence[str], mode: int) -> None:
    """Add lines; nothing happens to those that are there."""
    _change(root, lambda lines: lines + [line for line in new if line not in lines], mode)


def unsubscribe(root: Path, paths: Sequence[tuple[str, ...]], mode: int) -> None:
    remove(root, {line_of(path) for path in paths}, mode)


def remove(root: Path, gone: Collection[str], mode: int) -> None:
    _change(root, lambda lines: [old for old in lines if old not in gone], mode)


def rename(root: Path, names: dict[tuple[str, ...], tuple[str, ...]], mode: int) -> None:
    """Give folders that are subscribed their new names."""
    lines_of = {line_of(old): line_of(new) for old, new in names.items()}
    _change(root, lambda lines: [lines_of.get(line, line) for line in lines], mode)


def keep(root: Path, which: Callable[[list[str]], list[str]], mode: int) -> None:
    """Keep some of the lines alone."""
    _change(root, which, mode)


def subscribed(root: Path) -> list[str]:
    """The lines of the file, levels separated by tabs."""
    return _read(root / FILE_NAME)[0]


def line_of(path: tuple[str, ...], prefix: str = "") -> str:
    """The line of a folder, with the prefix of its namespace when it is somebody else's."""
    return prefix + (to_disk(path)[1:].replace(".", "\t") if path else "INBOX")


def _change(root: Path, change: Callable[[list[str]], list[str]], mode: int) -> None:
    path = root / FILE_NAME
    with Dotlock(path, mode) as lock:
        lines, version = _read(path)
        changed = change(lines)
        if changed != lines:
            text = "".join(f"{line}\n" for line in changed)
            lock.replace(
                (_HEADER + text if version == 2 else text.replace("\t", ".")).encode("utf-8", "surrogateescape")
            )


def _read(path: Path) -> tuple[list[str], int]:
    text = (read_control_file(path) or _HEADER.encode()).decode("utf-8", "surrogateescape")
    if text.startswith("V\t"):
        return [line for line in text.split("\n")[1:] if line], 2
    return [line.replace(".", "\t") for line in text.split("\n") if line], 1
