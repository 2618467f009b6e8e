"""The commands that make, delete, rename, move, mend and subscribe to mailboxes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sievemda.cli.admin.options import Arguments
from sievemda.cli.admin.session import WILDCARDS, Refused, Session
from sievemda.cli.admin.subscribing import change
from sievemda.errors import DataError, NotPermitted, SievemdaError, StoreTrouble, Unavailable, UsageError
from sievemda.store.aclfile import forget_list
from sievemda.store.creation import special_uses
from sievemda.store.names import MailboxName

HAS_CHILDREN = "[HASCHILDREN] Mailbox has inferior hierarchical names"
NOT_SUPPORTED = "Operation is not supported on mailbox"


def createmailbox(session: Session, arguments: Arguments) -> None:
    name, partition = _with_partition(arguments, 1)
    use = arguments.get("specialuse")
    mailbox = session.new_name(name[0])
    session.authority.check_create(mailbox, partition=partition)
    _check_partition(session, partition)
    try:
        use = special_uses(use)
    except DataError as error:
        raise Refused("[USEATTR] Invalid annotation entry") from error
    if use and mailbox.is_inbox:
        raise Refused("[USEATTR] An INBOX has no special use")
    with _naming():
        session.store.create(mailbox, partition=partition, special_use=use)


def _with_partition(arguments: Arguments, names: int) -> tuple[list[str], str]:
    """The names in front, and the partition behind them or in its option; not both."""
    words, option = arguments.words, arguments.get("partition")
    if not names <= len(words) <= names + 1 or (option and len(words) > names):
        raise UsageError("wrong number of arguments")
    return words[:names], option or "".join(words[names:])


def _check_partition(session: Session, partition: str) -> None:
    if partition and partition not in session.store.layout.partitions:
        raise Refused("Unknown/invalid partition")


@contextmanager
def _naming() -> Iterator[None]:
    """What is wrong with a name is called so."""
    try:
        yield
    except DataError as error:
        if isinstance(error, Refused):
            raise
        raise Refused("Invalid mailbox name") from error


# -- deleting ----------------------------------------------------------------------------------------------------------


def deletemailbox(session: Session, arguments: Arguments) -> None:
    if len(arguments.words) != 1:
        raise UsageError("one mailbox is wanted")
    pattern = arguments.words[0]
    if not WILDCARDS & set(pattern):
        _delete(session, session.existing_name(pattern))
        return
    for name in _to_delete(session.matching(pattern)):
        session.say(f"Deleting mailbox {session.shown(name)}...", end="")
        _delete(session, name)
        session.say("OK.")


def _to_delete(names: list[MailboxName]) -> list[MailboxName]:
    """What lies below a folder before the folder; what goes with a user is not named besides."""
    users = {name.owner for name in names if name.is_inbox}
    ordered: list[MailboxName] = []
    waiting: list[MailboxName] = []  # folders of which something below may still come
    for name in names:
        if name.path and name.owner in users:
            continue
        while waiting and not waiting[-1].covers(name):
            ordered.append(waiting.pop())
        waiting.append(name)
    return ordered + waiting[::-1]


def _delete(session: Session, name: MailboxName) -> None:
    authority = session.authority
    if name.is_inbox and name.owner == authority.userid:
        authority.check_see(name)
        raise Refused(NOT_SUPPORTED, NotPermitted.exit_code)
    found = authority.check_delete(name)
    if not name.is_inbox and _below(session, found.name):
        raise Refused(HAS_CHILDREN, NotPermitted.exit_code)
    session.store.delete(found.name)


def _below(session: Session, name: MailboxName) -> list[MailboxName]:
    """The mailboxes below one."""
    found = (mailbox.name for mailbox in session.store.mailboxes_of(name.owner, name.domain))
    return sorted((other for other in found if name.covers(other) and other != name), key=lambda other: other.path)


# -- renaming ----------------------------------------------------------------------------------------------------------


def renamemailbox(session: Session, arguments: Arguments) -> None:
    (old_text, new_text), partition = _with_partition(arguments, 2)
    old = session.existing_name(old_text)
    session.authority.check_see(old)
    new = session.new_name(new_text)
    if old.is_inbox != new.is_inbox or (old.is_inbox and old != new and not session.settings.store.allowusermoves):
        raise Refused(NOT_SUPPORTED, NotPermitted.exit_code)
    session.authority.check_rename(old, new, partition=partition)
    _check_partition(session, partition)
    with _naming():
        session.store.rename(old, new, partition=partition)
    if old.is_inbox and old.owner and new.owner and old.owner != new.owner:
        from sievemda.cli.account import user_renamed

        user_renamed(session.settings, old.owner, new.owner)


def xfermailbox(session: Session, arguments: Arguments) -> None:
    _with_partition(arguments, 2)
    session.authority.check_see(session.existing_name(arguments.words[0]))
    raise Refused(
        "Server(s) unavailable to complete operation (there is one store here and no server to move it to;"
        " renamemailbox --partition moves a mailbox to another disk)",
        Unavailable.exit_code,
    )


# -- mending -----------------------------------------------------------------------------------------------------------


def reconstruct(session: Session, arguments: Arguments) -> None:
    """Find what is wrong with a mailbox, and mend it: `sievemda reconstruct` for one."""
    from sievemda.cli.reconstruct import line_of
    from sievemda.upkeep.reconstruct.findings import FAILED, Finding, Options, Work
    from sievemda.upkeep.reconstruct.run import reconstruct as go
    from sievemda.upkeep.reconstruct.scope import Scope

    if len(arguments.words) != 1:
        raise UsageError("one mailbox is wanted")
    name = session.existing_name(arguments.words[0])
    session.authority.check_administer(name)
    found = session.authority.check_see(name)
    failed: list[str] = []

    def tell(finding: Finding) -> None:
        if finding.state == FAILED:
            failed.append(finding.done)
        session.say(line_of(finding))

    scope = Scope(session.store.namespace, (session.shown(found.name),), recursive=arguments.has("r"))
    go(Work(session.store, Options(), tell), scope)
    forget_list(found.tree.root)
    if failed:
        raise StoreTrouble(f"{session.shown(found.name)} cannot be reconstructed: {failed[0]}")


# -- subscribing -------------------------------------------------------------------------------------------------------


def subscribe(session: Session, arguments: Arguments) -> None:
    for name in _to_subscribe(session, arguments):
        change(session, name, add=True)


def unsubscribe(session: Session, arguments: Arguments) -> None:
    """Also from what is no mailbox any longer."""
    if len(arguments.words) != 1:
        raise UsageError("one mailbox is wanted")
    text = arguments.words[0]
    if WILDCARDS & set(text):
        for name in _to_subscribe(session, arguments):
            change(session, name, add=False)
        return
    with suppress(SievemdaError):
        change(session, session.existing_name(text), add=False)


def _to_subscribe(session: Session, arguments: Arguments) -> list[MailboxName]:
    if len(arguments.words) != 1:
        raise UsageError("one mailbox is wanted")
    text = arguments.words[0]
    if WILDCARDS & set(text):
        return session.matching(text)
    return [session.authority.check_see(session.existing_name(text)).name]
