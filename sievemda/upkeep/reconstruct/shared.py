"""The file in which Dovecot looks up who shares folders with whom (`acl_shared_dict`): sound, and true of all users."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from sievemda.errors import SievemdaError
from sievemda.given import read_given
from sievemda.store.dictfile import encode
from sievemda.store.files import Dotlock, unique_name
from sievemda.upkeep.reconstruct.findings import Work

_KEYS = ("shared/", "priv/")


def mend_sharing(work: Work) -> None:
    path = work.store.settings.acl.acl_shared_dict
    sharing = work.store.files.sharing
    if not path or sharing is None:
        return
    path = Path(path)
    try:
        if path.exists() and (pairs := _sound(path)) is not None:

            def write() -> str:
                kept = path.with_name(f"{path.name}.{unique_name()}")
                kept.hardlink_to(path)
                with Dotlock(path, work.store.files.message_mode) as lock:
                    lock.replace(encode(pairs))
                return f"written anew; as it was: {kept}"

            work.mend("", "sharing", path, "it is not made of keys and values", "written anew", write)
        for user in sorted(set(work.store.layout.users())):
            found = work.store.user_tree(user)
            if not sharing.is_told(user, found):
                work.mend(
                    "",
                    "sharing",
                    path,
                    f"it is not told what {user} shares",
                    "told",
                    partial(sharing.update, user, found),
                )
    except (OSError, ValueError, SievemdaError) as error:
        work.leave("", "sharing", path, f"it cannot be read: {error}", "look what it is")


def _sound(path: Path) -> dict[str, str] | None:
    """What can be understood of a damaged file; None for a sound one."""
    lines = read_given(path).decode("utf-8", "surrogateescape").split("\n")
    pairs: dict[str, str] = {}
    at, damaged = 0, False
    while at < len(lines):
        key = lines[at]
        if not key and at == len(lines) - 1:
            break
        if key.startswith(_KEYS) and at + 2 < len(lines) and not lines[at + 1].startswith(_KEYS):
            pairs[key] = lines[at + 1]
            at += 2
        else:
            damaged = True
            at += 1
    return pairs if damaged else None
