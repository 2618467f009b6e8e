"""`sievemda-quota`: what a quota root remembers of warnings, and since when it is full. In the root's folder.

One JSON object: `full_since`, and `told`, which has level and time by name of rule. Times are seconds since 1970.

Why a file of its own and not the folder's record: the message that tells of a level is delivered while the lock is
held, so that it is told once; a delivery looks at the record, and the quota's limits are changed in it, and neither is
to wait for that. It is made when there is something to remember, so a root that never filled up has none.

Why damage is nothing: a file that cannot be understood is one that says nothing, and costs one message too many.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sievemda.errors import TemporaryTrouble
from sievemda.policy.warnings import OVER, State, Told
from sievemda.store.files import Cached, Dotlock, read_control_file

FILE_NAME = "sievemda-quota"
_MAX_TIME = 1 << 40
_MAX_NAME = 200
_log = logging.getLogger(__name__)


@dataclass
class Held:
    """The state of a root, while nobody else changes it."""

    state: State
    _lock: Dotlock

    def replace(self, state: State) -> None:
        """Keep that, durably; once, at the end."""
        self._lock.replace(_encode(state))


class QuotaStates:
    """Read through a cache that is never stale."""

    def __init__(self, mode: int) -> None:
        self._mode = mode
        self._cache = Cached(_parse)

    def get(self, folder: Path) -> State:
        """Never raises: trouble with the file is a file that says nothing."""
        try:
            return self._cache.get(f"{folder}/{FILE_NAME}")
        except OSError as e:
            _log.warning("%s cannot be read and counts as empty: %s", folder / FILE_NAME, e)
            return State()

    @contextmanager
    def held(self, folder: Path, patience: float = 0.0) -> Iterator[Held | None]:
        """The state of a root to be changed; None when somebody else is at it. OSError when it cannot be written."""
        path = folder / FILE_NAME
        try:
            lock = Dotlock(path, self._mode, patience).__enter__()
        except TemporaryTrouble:
            yield None
            return
        try:
            if path.is_dir() and not path.is_symlink():  # before anybody is told what could not be remembered
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
            yield Held(_read(path), lock)
        finally:
            lock.__exit__(None, None, None)


def limits_changed(folder: Path, mode: int, *, lifted: bool) -> None:
    """Limits were replaced: what was full is so only from now on; without any nothing is remembered.

    Never raises: the limits are what matters.
    """
    path = folder / FILE_NAME
    try:
        before = _read(path)
        if before == State() or not (lifted or before.full_since):
            return
        with Dotlock(path, mode) as lock:
            lock.replace(_encode(State() if lifted else State(0, _read(path).told)))
    except (OSError, TemporaryTrouble) as e:
        _log.warning("%s still says what was before: %s", path, e)


def _read(path: Path) -> State:
    try:
        return _parse(str(path), read_control_file(path))
    except OSError:  # a link, or what is no file: it is replaced by a file of ours
        return State()


def _encode(state: State) -> bytes:
    told = {name: [told.level, told.at] for name, told in state.told.items()}
    return json.dumps({"full_since": state.full_since, "told": told}).encode() + b"\n"


def _parse(path: str, content: bytes | None) -> State:
    if content is None:
        return State()
    try:
        found: dict[str, Any] = json.loads(content)
        since = _time(found.get("full_since", 0))
        told = {str(name): _told(*pair) for name, pair in found.get("told", {}).items() if len(name) <= _MAX_NAME}
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        _log.warning("%s is damaged and counts as empty", path)
        return State()
    return State(since, told)


def _told(level: object, at: object) -> Told:
    if not isinstance(level, int) or not 0 <= level <= OVER:
        raise ValueError(level)
    return Told(level, _time(at))


def _time(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < _MAX_TIME:
        raise ValueError(value)
    return int(value)
