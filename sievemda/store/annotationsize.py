"""How much the annotations of folders amount to: octets of their values, as Cyrus counts ANNOTATION-STORAGE.

Those of a folder count wherever they are kept (see `annotations`): in our record of it, and in Dovecot's file of the
tree. What Dovecot keeps there for itself, and annotations of the server, are nobody's folder's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sievemda.store.annotations import DOVECOT_FILE, octets
from sievemda.store.dictfile import decode
from sievemda.store.files import read_control_file

_SERVER = "/server"
_DOVECOT_OWN = "vendor/vendor.dovecot/"


def own_octets(metadata: Mapping[str, Mapping[str, str]]) -> int:
    """What the record of a folder has, by user and entry."""
    kept = (entries for section, entries in metadata.items() if section != _SERVER)
    return sum(octets(value) for entries in kept for value in entries.values())


def dovecot_octets(tree: Path) -> dict[str, int]:
    """What Dovecot keeps for a tree, by the GUID of the folder. OSError when the file cannot be read."""
    found: dict[str, int] = {}
    for key, value in decode(read_control_file(tree / DOVECOT_FILE)).items():
        guid, _, entry = key.partition("/")[2].partition("/")
        if entry and not entry.startswith(_DOVECOT_OWN):
            found[guid] = found.get(guid, 0) + octets(value)
    return found
