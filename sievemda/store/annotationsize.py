"""How much the annotations of folders amount to: octets of their values, as Cyrus counts ANNOTATION-STORAGE.

Those of a folder count wherever they are kept (see `annotations`): in our record of it, and in Dovecot's file of the
tree. What Dovecot keeps there for itself, and annotations of the server, are nobody's folder's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sievemda.store.annotations import DOVECOT_FILE, guid_of, octets
from sievemda.store.dictfile import decode
from sievemda.store.files import read_control_file
from sievemda.store.record import Records

_SERVER = "/server"
_DOVECOT_OWN = "vendor/vendor.dovecot/"


def annotation_octets(tree: Path, folders: Iterable[Path], records: Records) -> int:
    """Of folders in the tree with that root. OSError when a file cannot be read."""
    theirs = _dovecot(tree)
    total = 0
    for folder in folders:
        for section, entries in records.get(folder).metadata.items():
            total += sum(map(octets, entries.values())) if section != _SERVER else 0
        if theirs:
            total += theirs.get(guid_of(folder), 0)
    return total


def _dovecot(tree: Path) -> dict[str, int]:
    """Octets by the GUID of a folder."""
    found: dict[str, int] = {}
    for key, value in decode(read_control_file(tree / DOVECOT_FILE)).items():
        _, _, rest = key.partition("/")
        guid, _, entry = rest.partition("/")
        if entry and not entry.startswith(_DOVECOT_OWN):
            found[guid] = found.get(guid, 0) + octets(value)
    return found
