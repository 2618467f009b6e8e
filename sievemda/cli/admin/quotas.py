"""The commands for quotas: limits of roots, in the units of RFC 9208."""

from __future__ import annotations

from sievemda.cli.admin.options import Arguments
from sievemda.cli.admin.session import Refused, Session
from sievemda.errors import DataError, NotFound, UsageError
from sievemda.policy.quota import PRINTED, RESOURCES, Limits
from sievemda.store import rootlist
from sievemda.store.names import MailboxName
from sievemda.store.quota import QuotaRoot

NO_ROOT = "Quota root does not exist"
NONE = "none"


def setquota(session: Session, arguments: Arguments) -> None:
    """`ROOT RESOURCE N ...`, `ROOT N` for STORAGE, `ROOT none` for no limit at all."""
    root, *rest = arguments.words or [""]
    if len(rest) == 1:
        session.say("remove quota" if rest[0] == NONE else f"quota:{rest[0]}")
        rest = [] if rest[0] == NONE else ["STORAGE", rest[0]]
    elif not rest or len(rest) % 2:
        raise UsageError("a root, and resources with their limits, are wanted")
    limits = _limits(rest)
    try:
        name = rootlist.root_name(session.store.namespace, root.removeprefix(rootlist.FORCE))
        session.authority.check_administer(name)
        if not rootlist.is_domain(name) and session.store.find(name) is None:
            session.store.namespace.check_new(name)
        rootlist.set_limits(session.store, name, limits, force=root.startswith(rootlist.FORCE))
    except DataError as error:
        raise Refused("Invalid mailbox name") from error


def _limits(words: list[str]) -> Limits:
    """Of a resource that is given twice the last one counts, as in cyradm."""
    given: dict[str, str] = {}
    for resource, number in zip(words[::2], words[1::2], strict=True):
        if not (number.isascii() and number.isdigit()):
            raise Refused(f"{resource}: {number}: not a number")
        field = RESOURCES.get(resource.upper())
        if field is None:
            raise Refused("Unsupported quota resource")
        given[next(name for name in PRINTED if RESOURCES[name] == field)] = number
    try:
        return Limits.parse([word for pair in given.items() for word in pair])
    except DataError as error:
        raise Refused(f"Invalid quota list in Setquota ({error})") from error


def listquota(session: Session, arguments: Arguments) -> None:
    """Of exactly that root; an empty line when nothing is limited, and besides an error when there is no root."""
    if len(arguments.words) != 1:
        raise UsageError("one root is wanted")
    try:
        name = _named(session, arguments.words[0])
    except DataError as error:  # no root has such a name
        session.say("")
        raise Refused(NO_ROOT, NotFound.exit_code) from error
    root = _exact(session, name)
    session.say(f" {_used(root)}" if root and root.limits() != Limits() else "")
    if root is None:
        raise Refused(NO_ROOT, NotFound.exit_code)


def _exact(session: Session, name: MailboxName) -> QuotaRoot | None:
    if rootlist.is_domain(name):
        session.authority.check_administer(name)
    elif not session.authority.administers(name):
        session.authority.check_see_quota(name)
    return rootlist.find(session.store, name)


def _named(session: Session, text: str) -> MailboxName:
    if text[:1] == "@" or text[-1:] == "!":
        return rootlist.root_name(session.store.namespace, text)
    return session.name(text)


def listquotaroot(session: Session, arguments: Arguments) -> None:
    """The root that counts for a mailbox, with its name in front."""
    if len(arguments.words) != 1:
        raise UsageError("one mailbox is wanted")
    mailbox = session.authority.check_see_quota(session.existing_name(arguments.words[0]))
    root = rootlist.nearest(session.store, mailbox.name)
    session.say(f"{session.shown(root.name)} {_used(root)}".rstrip() if root else "")


def _used(root: QuotaRoot) -> str:
    limits, usage = root.limits(), root.usage(fresh=True)
    shown = []
    for resource in PRINTED:
        limit, used = limits.printed(resource), usage.printed(resource)
        if limit is not None:
            share = f" ({used * 100 // limit}%)" if limit else ""
            shown.append(f"{resource} {used}/{limit}{share}")
    return " ".join(shown)
