"""Annotations of mailboxes and of the server: values by entry name. RFC 5464 §3.

Two places hold them, and the one of an IMAP server goes first:

    dovecot-attributes     at the root of a user's tree, where Dovecot keeps what a client sets, when it is told to
                           (`mail_attribute_dict = file:%h/Maildir/dovecot-attributes`); keys have the GUID that
                           Dovecot gave the folder
    sievemda-mailbox       our own file in the folder: where Dovecot keeps none, knows the folder not yet, or the folder
                           is a shared one
    server-metadata        below the data directory: the shared annotations of the server

Why not one place: what a user sets in his mail client is to count for his script at once, and what an administrator
sets is to be there whether an IMAP server has ever looked at the folder or not. What is written goes to the first that
can have it, and out of the other; so an entry is in both only when Dovecot has come to know the folder in between.

In `sievemda-mailbox` shared entries stand under "", private ones under the user, a user's private annotations of the
server in his INBOX under "/server". Values are octets, held as text with lone surrogates for what is not UTF-8.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import DataError
from sievemda.mail.annotation import PRIVATE, canonical
from sievemda.policy.quota import OverQuota
from sievemda.store.dictfile import decode, encode
from sievemda.store.files import MAX_CONTROL_FILE, Cached, Dotlock, read_control_file
from sievemda.store.record import Record

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

DOVECOT_FILE = "dovecot-attributes"
SERVER_FILE = "server-metadata"
LARGEST = MAX_CONTROL_FILE // 2  # octets; the rest is for ACLs and what else is in a record
_SERVER = "/server"  # no user has that name
_DOVECOT_SERVER = "vendor/vendor.dovecot/pvt/server/"  # where Dovecot keeps the server's, below the INBOX
_DOVECOT_OWN = "vendor/vendor.dovecot/pvt/"  # not for clients
_GUID = re.compile(rb" G([0-9a-f]{32})(?=\s|$)")
_log = logging.getLogger(__name__)

Entries = Mapping[str, str]


def _parse_dovecot(_path: str, content: bytes | None) -> Entries:
    return decode(content)


def _parse_server(path: str, content: bytes | None) -> Entries:
    if content is None:
        return {}
    try:
        return {str(entry): str(value) for entry, value in json.loads(content).items()}
    except (ValueError, AttributeError, RecursionError):
        _log.warning("%s is damaged and counts as empty", path)
        return {}


class Annotations:
    """Reads through a cache that is never stale. OSError and TemporaryTrouble when a file cannot be used."""

    def __init__(self, data: Path, mode: int) -> None:
        self._server_file = data / SERVER_FILE
        self._mode = mode
        self._dovecot = Cached(_parse_dovecot, 256)
        self._server = Cached(_parse_server)

    # -- mailboxes -----------------------------------------------------------------------------------------------

    def of(self, mailbox: Mailbox, user: str | None) -> Entries:
        """All annotations that a user sees there, by name: the shared ones, and his private ones."""
        kept = mailbox.store.records.get(mailbox.path).metadata
        found = dict(kept.get("", {})) | (kept.get(user, {}) if user else {})
        if mailbox.special_use:  # RFC 6154 §4
            found.setdefault("/private/specialuse", mailbox.special_use)
        return found | self._theirs(mailbox, user, server=False)

    def get(self, mailbox: Mailbox, user: str | None, entry: str) -> str | None:
        return self.of(mailbox, user).get(canonical(entry))

    def shared(self, mailbox: Mailbox, entry: str) -> str:
        """The value of an entry that all share, as deliveries ask for it; empty when there is none."""
        name = canonical(entry)
        found = mailbox.store.records.get(mailbox.path).metadata.get("", {}).get(name, "")
        return self._theirs(mailbox, None, server=False).get(name, found)

    def set(self, mailbox: Mailbox, user: str | None, entry: str, value: str | None) -> None:
        """Set an annotation, or remove it. OverQuota, DataError when there is no room for more of them."""
        name = canonical(entry)
        self._check_room(mailbox, user, name, value)
        if self._set_theirs(mailbox, user, name, value, server=False):
            value = None
        self._set_ours(mailbox, (user or "") if name.startswith(PRIVATE) else "", name, value)

    def _check_room(self, mailbox: Mailbox, user: str | None, name: str, value: str | None) -> None:
        """The limit ANNOTATION-STORAGE (semantics, section 7); what gets no larger needs no room."""
        root = mailbox.quota_root() if value else None
        limit = root.limits().annotation if root else None
        if root is None or value is None or limit is None:
            return
        more = octets(value) - octets(self.of(mailbox, user).get(name, ""))
        if more > 0 and root.annotations() + more > limit:
            raise OverQuota(f"there is no room for {name}: annotations may have {limit} octets there")

    # -- the server ----------------------------------------------------------------------------------------------

    def of_server(self, inbox: Mailbox | None, user: str | None) -> Entries:
        """All annotations of the server that a user sees, who has that INBOX."""
        found = dict(self._server.get(str(self._server_file)))
        if inbox is not None:
            found |= inbox.store.records.get(inbox.path).metadata.get(_SERVER, {})
            found |= self._theirs(inbox, user, server=True)
        return found

    def set_server(self, inbox: Mailbox | None, user: str | None, entry: str, value: str | None) -> None:
        """Set an annotation of the server, or remove it; a private one is that of a user with an INBOX."""
        name = canonical(entry)
        if not name.startswith(PRIVATE):
            self._set_shared_server(name, value)
        elif inbox is not None:
            if self._set_theirs(inbox, user, name, value, server=True):
                value = None
            self._set_ours(inbox, _SERVER, name, value)

    def _set_shared_server(self, name: str, value: str | None) -> None:
        self._server_file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with Dotlock(self._server_file, self._mode) as lock:
            found = dict(_parse_server(str(self._server_file), read_control_file(self._server_file)))
            content = json.dumps(_changed(found, name, value)).encode() + b"\n"
            _check_size(value, content)
            lock.replace(content)

    # -- our own file --------------------------------------------------------------------------------------------

    def _set_ours(self, mailbox: Mailbox, section: str, name: str, value: str | None) -> None:
        def change(record: Record) -> Record:
            entries = _changed(dict(record.metadata.get(section, {})), name, value)
            others = {other: found for other, found in record.metadata.items() if other != section}
            changed = replace(record, metadata=others | ({section: entries} if entries else {}))
            _check_size(value, changed.encode())
            return changed

        records = mailbox.store.records
        if records.get(mailbox.path).metadata.get(section, {}).get(name) != value:
            records.update(mailbox.path, change)

    # -- Dovecot's -----------------------------------------------------------------------------------------------

    def _theirs(self, mailbox: Mailbox, user: str | None, *, server: bool) -> dict[str, str]:
        found = self._dovecot.get(f"{mailbox.tree.root}/{DOVECOT_FILE}")
        guid = guid_of(mailbox.path) if found else ""
        if not guid:
            return {}
        entries = {}
        for scope, prefix in (("shared", "/shared/"), ("priv", "/private/")):
            if scope == "priv" and user != mailbox.name.owner:
                continue  # the file has what is private to the owner of the tree
            start = f"{scope}/{guid}/" + (_DOVECOT_SERVER if server else "")
            for key, value in found.items():
                name = key[len(start) :]
                if key.startswith(start) and (server or not name.startswith(_DOVECOT_OWN)):
                    entries[prefix + name] = value
        return entries

    def _set_theirs(self, mailbox: Mailbox, user: str | None, name: str, value: str | None, *, server: bool) -> bool:
        """Whether it is kept there now: Dovecot has such a file, and the entry can be in it."""
        path = mailbox.tree.root / DOVECOT_FILE
        private = name.startswith(PRIVATE)
        if mailbox.name.owner is None or (private and user != mailbox.name.owner) or not path.is_file():
            return False
        guid = guid_of(mailbox.path)
        if not guid:
            return False
        rest = name.split("/", 2)[2]
        key = f"{'priv' if private else 'shared'}/{guid}/{_DOVECOT_SERVER if server else ''}{rest}"
        with Dotlock(path, self._mode) as lock:
            content = encode(_changed(decode(read_control_file(path)), key, value))
            _check_size(value, content)
            lock.replace(content)
        return True


def _check_size(value: str | None, content: bytes) -> None:
    """DataError when a file would become so long by a value that it could soon not be read any more."""
    if value and len(content) > LARGEST:
        raise DataError(
            f"the annotations become too long: there is room for {LARGEST} octets of all that is kept there"
        )


def _changed(entries: dict[str, str], name: str, value: str | None) -> dict[str, str]:
    entries.pop(name, None)
    return entries if value is None else entries | {name: value}


def octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def guid_of(folder: Path | str) -> str:
    """The GUID that Dovecot gave a folder, in the first line of its `dovecot-uidlist`; empty when it has none."""
    try:
        fd = os.open(f"{folder}/dovecot-uidlist", os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        found = _GUID.search(os.read(fd, 1024).partition(b"\n")[0])
    finally:
        os.close(fd)
    return found[1].decode() if found else ""
