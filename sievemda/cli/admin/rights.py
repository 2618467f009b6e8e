"""The commands for access control lists. What a wildcard matches is told mailbox by mailbox, as cyradm does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sievemda.cli.admin.options import Arguments
from sievemda.cli.admin.session import WILDCARDS, Refused, Session
from sievemda.cli.admin.texts import told
from sievemda.errors import DataError, SievemdaError, UsageError
from sievemda.policy.acl import Acl, format_rights, parse_rights
from sievemda.store.authority import check_grantee

ALL = "*"  # as an identifier: all that are there


def listacl(session: Session, arguments: Arguments) -> int:
    """Of a pattern also those behind one that may not be read."""
    if len(arguments.words) != 1:
        raise UsageError("one mailbox is wanted")
    pattern = arguments.words[0]
    if not WILDCARDS & set(pattern):
        _show(session, session.authority.check_read_acl(session.existing_name(pattern)).acl(), "")
        return 0
    status = 0
    for name in session.matching(pattern):
        session.say(f"{session.shown(name)}:")
        try:
            _show(session, session.authority.check_read_acl(name).acl(), "  ")
        except SievemdaError as error:
            session.complain(f"listaclmailbox: {told(error)}")
            status = error.exit_code
    return status


def _show(session: Session, acl: Acl, indent: str) -> None:
    for identifier, rights in acl.entries:
        session.say(f"{indent}{identifier} {format_rights(rights)}")


def setacl(session: Session, arguments: Arguments) -> None:
    pattern, *rest = arguments.words or [""]
    if not rest or len(rest) % 2:
        raise UsageError("a mailbox, and identifiers with their rights, are wanted")
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    _on_each(session, pattern, "Setting ACL on", lambda name: _set(session, name, pairs))


def _set(session: Session, text: str, pairs: list[tuple[str, str]]) -> None:
    """All of them or none: they are looked at before the first is set."""
    for identifier, rights in pairs:
        with _about(identifier, rights):
            name, who = session.existing_name(text), session.store.namespace.identifier(identifier)
            session.authority.check_change_acl(name, who)
            check_grantee(session.store, who)
            _check_rights(session, rights)
    session.authority.change_acls(name, pairs, _about)


def _check_rights(session: Session, rights: str) -> None:
    letters = rights[1:] if rights[:1] in ("+", "-") else rights
    try:
        parse_rights(letters, session.settings.acl.deleteright)
    except DataError as error:
        unknown = next((letter for letter in letters if not _is_right(letter)), "?")
        raise Refused(f"The {unknown} right is not supported") from error


def _is_right(letter: str) -> bool:
    try:
        parse_rights(letter)
    except DataError:
        return False
    return True


def deleteacl(session: Session, arguments: Arguments) -> None:
    pattern, *identifiers = arguments.words or [""]
    if not identifiers:
        raise UsageError("a mailbox and identifiers are wanted")
    _on_each(session, pattern, "Deleting acl on", lambda name: _delete(session, name, identifiers))


def _delete(session: Session, text: str, identifiers: list[str]) -> None:
    with _about(identifiers[0]):
        name = session.existing_name(text)
    named = [identifier for identifier in identifiers if identifier != ALL]
    if ALL in identifiers:
        with _about(ALL):
            named += [entry for entry, _ in session.authority.check_read_acl(name).acl().entries]
    session.authority.change_acls(name, [(identifier, None) for identifier in named], _about)


def _on_each(session: Session, pattern: str, doing: str, change: Callable[[str], None]) -> None:
    if not WILDCARDS & set(pattern):
        change(pattern)
        return
    for name in session.matching(pattern):
        shown = session.shown(name)
        session.say(f"{doing} {shown}...", end="")
        change(shown)
        session.say("OK.")


@contextmanager
def _about(identifier: str, rights: str | None = None) -> Iterator[None]:
    """Errors with the entry that they are about in front."""
    try:
        yield
    except SievemdaError as error:
        what = identifier if rights is None else f"{identifier}: {rights}"
        raise Refused(f"{what}: {told(error)}", error.exit_code) from error
