"""Annotations that tell what is there and cannot be set: size, place and age of a mailbox, room on the disks."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.mail.annotation import SHARED

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore

_PREFIX = f"{SHARED}/vendor/cmu/cyrus-imapd/"
_OF_MAILBOX = ("annotsize", "lastupdate", "partition", "size", "uniqueid")
_OF_SERVER = ("freespace", "freespace/total", "freespace/percent/most")
READ_ONLY = frozenset(_PREFIX + name for name in (*_OF_MAILBOX, *_OF_SERVER))


def described(mailbox: Mailbox) -> dict[str, str | None]:
    from sievemda.store.annotationsize import own_octets
    from sievemda.store.maildir import contents

    size, _ = contents(mailbox.path)
    record = mailbox.store.records.get(mailbox.path)
    values = {
        "annotsize": str(own_octets(record.metadata)),
        "lastupdate": _last_update(mailbox.path),
        "partition": mailbox.partition,
        "size": str(size),
        "uniqueid": record.id or None,
    }
    return {_PREFIX + name: value for name, value in values.items()}


def _last_update(folder: Path) -> str | None:
    stamps = []
    for part in ("new", "cur"):
        with suppress(OSError):
            stamps.append((folder / part).stat().st_mtime)
    return f"{datetime.fromtimestamp(max(stamps), UTC):%d-%b-%Y %H:%M:%S %z}" if stamps else None


def described_server(store: MailStore) -> dict[str, str | None]:
    """Free and all octets, in KiB: of all disks, and of the one that has the greatest share left."""
    disks: dict[int, tuple[int, int]] = {}
    for path in store.layout.partitions.values():
        with suppress(OSError):
            found = os.statvfs(path)
            unit = found.f_frsize / 1024
            disks[path.stat().st_dev] = (int(found.f_bavail * unit), int(found.f_blocks * unit))
    if not disks:
        return {}
    free, total = sum(disk[0] for disk in disks.values()), sum(disk[1] for disk in disks.values())
    most = max(disks.values(), key=lambda disk: disk[0] / max(disk[1], 1))
    values = {
        "freespace": str(free),
        "freespace/total": f"{free};{total}",
        "freespace/percent/most": "{};{}".format(*most),
    }
    return {_PREFIX + name: value for name, value in values.items()}
