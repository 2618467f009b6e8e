"""The list of mailboxes as a file: in the JSON of Cyrus' `ctl_mboxlist -d`, or in the older form with tabs.

Why a dump makes ids that are missing: a mailbox that an IMAP server made gets its id when somebody first asks. Asked
now, it has the same one in the dump, in what is loaded from it, and in the next dump.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from sievemda.mail.annotation import PRIVATE
from sievemda.policy.acl import format_rights
from sievemda.policy.quota import PRINTED, Limits
from sievemda.store import aclfile, record, uidlist
from sievemda.store.internal import format_internal
from sievemda.store.mailbox import Mailbox
from sievemda.store.mailstore import MailStore
from sievemda.store.quota import QuotaRoot
from sievemda.store.subscribed import subscribed
from sievemda.upkeep.listing.entries import MAIL, ROOT, Annotations

Fields = dict[str, Any]


def acl_fields(mailbox: Mailbox) -> dict[str, str]:
    """Rights by identifier. StoreTrouble when the file is damaged."""
    acl = mailbox.store.acls.whole(mailbox.path, mailbox.name.owner)
    return {identifier: format_rights(rights) for identifier, rights in acl.entries}


def fields_of(store: MailStore, mailbox: Mailbox) -> Fields:
    """What belongs to a mailbox beside its messages. OSError and StoreTrouble when something cannot be read."""
    fields: Fields = {
        "name": format_internal(mailbox.name),
        "mtime": str(_changed(mailbox)),
        "uidvalidity": str(uidlist.validity(mailbox.path)),
        "createdmodseq": "0",
        "foldermodseq": "0",
        "mbtype": MAIL,
        "partition": mailbox.partition,
        "acl": acl_fields(mailbox),
        "uniqueid": mailbox.id,
        "name_history": [],
    }
    if use := mailbox.special_use:
        fields["specialuse"] = use
    if (limits := limits_of(store, mailbox)) is not None:
        fields["quota"] = shown(limits)
    if annotations := annotations_of(store, mailbox):
        fields["annotations"] = annotations
    if mailbox.name.is_inbox:
        fields["subscriptions"] = subscriptions_of(store, mailbox.name.owner or "")
    return fields


def _changed(mailbox: Mailbox) -> int:
    """When something of this was last changed, in seconds since 1970."""
    times = []
    for name in (record.FILE_NAME, aclfile.FILE_NAME):
        try:
            times.append(os.lstat(f"{mailbox.path}/{name}").st_mtime)
        except FileNotFoundError:
            continue
    return int(max(times, default=mailbox.path.lstat().st_mtime))


def limits_of(store: MailStore, mailbox: Mailbox) -> Limits | None:
    """None when it is no quota root."""
    roots = store.files.roots
    return roots.at(mailbox.name, mailbox.tree).limits() if roots.is_root(mailbox.name.path, mailbox.tree) else None


def shown(limits: Limits) -> dict[str, str]:
    return {resource: str(limit) for resource in PRINTED if (limit := limits.of(resource)) is not None}


def annotations_of(store: MailStore, mailbox: Mailbox) -> Annotations:
    """By user, "" for all, and entry. What an IMAP server keeps of them is that of the owner and of all."""
    owner = mailbox.name.owner
    found = {user: dict(entries) for user, entries in store.files.records.get(mailbox.path).metadata.items()}
    for entry, value in store.annotations.of(mailbox, owner).items():
        if entry != "/private/specialuse" or value != mailbox.special_use:
            user = (owner or "") if entry.startswith(PRIVATE) else ""
            found.setdefault(user, {})[entry] = value
    return {user: dict(sorted(entries.items())) for user, entries in sorted(found.items()) if entries}


def subscriptions_of(store: MailStore, userid: str) -> list[str]:
    """Internal names in the order of the file; lines that name nothing are left out. StoreTrouble."""
    return [format_internal(name) for name, _ in subscribed(store, userid) if name is not None]


def bare_roots(store: MailStore) -> Iterator[QuotaRoot]:
    """Quota roots where no mailbox is: of domains, and of what is still to be made."""
    for root in store.roots():
        if root.is_domain or store.find(root.name) is None:
            yield root


def root_fields(root: QuotaRoot) -> Fields:
    limits = shown(root.limits())
    return {"name": format_internal(root.name), "mbtype": ROOT, "quota": limits}


def in_json(rows: Iterator[Fields]) -> Iterator[str]:
    """The object, a line for each entry."""
    separator = "{\n"
    for fields in rows:
        yield f"{separator}{json.dumps(fields['name'])}: {json.dumps(fields)}"
        separator = ",\n"
    yield "{\n\n}\n" if separator == "{\n" else "\n}\n"


def in_lines(rows: Iterator[Fields]) -> Iterator[str]:
    """The older form, which has names, partitions and ACLs alone."""
    for fields in rows:
        if fields["mbtype"] == MAIL:
            acl = "".join(f"{identifier}\t{rights}\t" for identifier, rights in fields["acl"].items())
            yield f"{fields['name']}\t0 {fields['partition']} {acl}\n"
