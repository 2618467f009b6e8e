"""The file in which Dovecot looks up who shares folders with whom (`acl_shared_dict`): sound, and true of all users."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from sievemda.errors import SievemdaError
from sievemda.given import read_given
from sievemda.store.dictfile import encode
from sievemda.store.files import Dotlock, unique_name
from sievemda.upkeep.reconstruct.attributes import salvaged
from sievemda.upkeep.reconstruct.findings import Work


def mend_sharing(work: Work) -> None:
    path = work.store.settings.acl.acl_shared_dict
    sharing = work.store.files.sharing
    if not path or sharing is None:
        return
    path = Path(path)
    try:
        if path.exists() and (pairs := salvaged(read_given(path))) is not None:

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
