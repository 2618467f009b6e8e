"""What a store says of a user, or of a shared tree, and of each folder, besides messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

from sievemda.errors import SievemdaError
from sievemda.policy.quota import Limits
from sievemda.state.credentials import credentials_of
from sievemda.store import subscriptions
from sievemda.store.quota import is_limiting
from sievemda.store.scripts import ScriptStore
from sievemda.upkeep.backup.entries import FolderEntry, TreeEntry

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.upkeep.backup.choosing import ChosenTree

Failed = Callable[[str, OSError | SievemdaError], None]
LIMITS = ("storage", "messages", "mailboxes", "annotation")
_PRIVATE = "/private/"
_USE = "/private/specialuse"


def described(
    store: MailStore, chosen: ChosenTree, failed: Failed, *, dry_run: bool = False
) -> tuple[TreeEntry, list[Mailbox]]:
    """The entry, and the mailboxes in the order of its folders. What cannot be read is told, and left out.

    Folders without an id are given one, unless it is a dry run.
    """
    found: dict[str, tuple[FolderEntry, Mailbox]] = {}
    for mailbox in sorted(chosen.mailboxes, key=lambda one: one.name.path):
        shown = store.namespace.format_admin(mailbox.name)
        try:
            folder = _folder(store, mailbox, dry_run=dry_run)
        except (OSError, SievemdaError) as error:
            failed(shown, error)
            folder = FolderEntry(_by_name(shown), mailbox.name.path, mailbox.partition)
        if folder.key in found:  # somebody has copied a folder with all that is in it
            folder = replace(folder, key=f"{folder.key} {shown}")
        found[folder.key] = folder, mailbox
    pairs = [found[key] for key in sorted(found)]
    folders = tuple(folder for folder, _ in pairs)
    tree = TreeEntry(chosen.owner, chosen.domain, folders)
    if chosen.owner is not None and chosen.whole:
        tree = _with_what_is_his(store, tree, chosen.owner, failed)
    return tree, [mailbox for _, mailbox in pairs]


def _folder(store: MailStore, mailbox: Mailbox, *, dry_run: bool) -> FolderEntry:
    root = store.make_root(mailbox) if is_limiting(mailbox.path, store.files.records) else None
    return FolderEntry(
        _key(store, mailbox, dry_run=dry_run),
        mailbox.name.path,
        mailbox.partition,
        mailbox.special_use,
        tuple((identifier, "".join(sorted(rights))) for identifier, rights in mailbox.acl().entries),
        None if root is None else _limits(root.limits()),
        _metadata(store, mailbox),
        store.files.keywords.names(mailbox.path, ascii_lowercase),
    )


def _key(store: MailStore, mailbox: Mailbox, *, dry_run: bool) -> str:
    """Its id, or its name where none can be given to it, as in a snapshot that is read-only."""
    try:
        found = store.files.records.get(mailbox.path).id if dry_run else mailbox.id
        return found or _by_name(store.namespace.format_admin(mailbox.name))
    except (OSError, SievemdaError):
        return _by_name(store.namespace.format_admin(mailbox.name))


def _by_name(shown: str) -> str:
    return f"name {shown}"


def _limits(limits: Limits) -> dict[str, int]:
    return {name: value for name in LIMITS if (value := getattr(limits, name)) is not None}


def _metadata(store: MailStore, mailbox: Mailbox) -> dict[str, dict[str, str]]:
    """Annotations by user, those too that an IMAP server keeps."""
    owner = mailbox.name.owner
    found = {section: dict(kept) for section, kept in store.files.records.get(mailbox.path).metadata.items()}
    for name, value in store.annotations.of(mailbox, owner).items():
        if name != _USE or value != mailbox.special_use:
            section = (owner or "") if name.startswith(_PRIVATE) else ""
            found.setdefault(section, {})[name] = value
    return found


def _with_what_is_his(store: MailStore, tree: TreeEntry, owner: str, failed: Failed) -> TreeEntry:
    lines: tuple[str, ...] = ()
    scripts: dict[str, str] = {}
    active, credentials = "", {}
    root = store.user_tree(owner)
    try:
        lines = tuple(subscriptions.subscribed(root.root)) if root else ()
    except OSError as error:
        failed(f"subscriptions of {owner}", error)
    try:
        scripts, active = _scripts(store, owner)
    except (OSError, SievemdaError) as error:
        failed(f"scripts of {owner}", error)
    try:
        credentials = credentials_of(store.settings).of(owner)
    except SievemdaError as error:
        failed(f"password of {owner}", error)
    his: dict[str, Any] = {"subscriptions": lines, "scripts": scripts, "active": active, "credentials": credentials}
    return replace(tree, whole=True, **his)


def _scripts(store: MailStore, owner: str) -> tuple[dict[str, str], str]:
    found, active = ScriptStore(store.home(owner)).everything()
    return {name: text.decode("utf-8", "surrogateescape") for name, text in found.items()}, "\n".join(active)
