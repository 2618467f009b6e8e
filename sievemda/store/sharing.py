"""Who shows folders to whom, in the file in which Dovecot looks that up (`acl_shared_dict = file:PATH`).

Dovecot shows the folders of other users (`Other Users/...`) to somebody only when that file says that their owner
shares something with him: two lines each, a key and `1`. Keys are `shared/shared-boxes/user/WHO/OWNER`, for everybody
`shared/shared-boxes/anyone/OWNER`, for a group `shared/shared-boxes/group/GROUP/OWNER`. Dovecot writes the file when
an ACL is changed over IMAP; `Sharing` does when one is changed here.

Why nothing depends on it: rights are in the ACLs, and Dovecot looks at them before it shows a folder. An entry too many
shows nothing, one too few hides what can be opened all the same; so trouble with the file is logged, and the change of
the ACL stands. The owner's entries are made of all his ACLs each time, so a mistake does not last.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from sievemda.errors import SievemdaError
from sievemda.given import read_given
from sievemda.policy.acl import ANYONE, AUTHENTICATED, Acl
from sievemda.store.aclfile import AclFiles
from sievemda.store.dictfile import decode, encode
from sievemda.store.files import Dotlock
from sievemda.store.layout import Tree

_PREFIX = "shared/shared-boxes/"
_log = logging.getLogger(__name__)


class Sharing:
    def __init__(self, path: Path, acls: AclFiles, mode: int) -> None:
        self._path = path
        self._acls = acls
        self._mode = mode

    def update(self, owner: str, tree: Tree | None) -> None:
        """Write what an owner shares now; nothing when he has no tree any more."""
        try:
            self._write(owner, set(_shared(owner, self._lists(owner, tree))) if tree else set())
        except (OSError, ValueError, SievemdaError) as error:
            _log.error("%s does not know what %s shares: %s", self._path, owner, error)

    def is_told(self, owner: str, tree: Tree | None) -> bool:
        """Whether the file says what an owner shares now. OSError, ValueError."""
        wanted = set(_shared(owner, self._lists(owner, tree))) if tree else set()
        return _of(owner, self._read()) == wanted

    def _lists(self, owner: str, tree: Tree) -> Iterator[Acl]:
        for path in tree.folders():
            yield self._acls.get(tree.folder(path), owner)

    def _write(self, owner: str, wanted: set[str]) -> None:
        if _of(owner, self._read()) == wanted:
            return
        with Dotlock(self._path, self._mode) as lock:
            found = self._read()
            old = _of(owner, found)
            kept = {key: value for key, value in found.items() if key not in old}
            lock.replace(encode(kept | dict.fromkeys(sorted(wanted), "1")))

    def _read(self) -> dict[str, str]:
        return decode(read_given(self._path) if self._path.exists() else None)


def _of(owner: str, entries: Iterable[str]) -> set[str]:
    return {key for key in entries if key.startswith(_PREFIX) and key.rpartition("/")[2] == owner}


def _shared(owner: str, lists: Iterable[Acl]) -> Iterator[str]:
    """The keys for everybody who may look up (RFC 4314 §2.1, right `l`) a folder of that owner."""
    for acl in lists:
        for name, rights in acl.entries:
            if "l" not in rights or name == owner or name.startswith("-"):
                continue
            if name in (ANYONE, AUTHENTICATED):
                yield f"{_PREFIX}anyone/{owner}"
            elif name.startswith("group:"):
                yield f"{_PREFIX}group/{name[6:]}/{owner}"
            else:
                yield f"{_PREFIX}user/{name}/{owner}"
