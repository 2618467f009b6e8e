"""The commands for annotations of mailboxes and of the server (RFC 5464), in the layout of cyradm.

    {user/alice}:
      private:
        comment: NIL
      shared:
        comment: What Alice keeps
        expire: 30

Entries that Cyrus has always are shown with NIL when nobody has set them, in the order of their full names; those of
`/vendor/cmu/cyrus-imapd/` by their last part, others by all of it. Some say what is there, and cannot be set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from sievemda.cli.admin.described import READ_ONLY, described, described_server
from sievemda.cli.admin.options import Arguments
from sievemda.cli.admin.session import WILDCARDS, Refused, Session
from sievemda.errors import DataError, NotFound, NotPermitted, SievemdaError, UsageError
from sievemda.mail.annotation import PRIVATE, SHARED, canonical, fault
from sievemda.store.creation import special_uses
from sievemda.store.mailbox import Mailbox

CYRUS = "/vendor/cmu/cyrus-imapd/"
NONE = "none"
MUST_BEGIN = "entry must begin with /shared or /private"
_BAD_VALUE = "Invalid annotation value"
_WORDS = {"comment": "/comment", "specialuse": "/specialuse"} | {
    word: CYRUS + word for word in ("expire", "news2mail", "pop3showafter", "sharedseen", "sieve", "squat")
}
_SERVER_WORDS = {word: f"/{word}" for word in ("motd", "comment", "admin")} | {
    word: CYRUS + word for word in ("shutdown", "expire", "squat")
}
_PLAIN = ("check", "checkperiod", "comment", "sort", "specialuse", "thread")
_OF_BOTH = ("archive", "delete", "expire", "news2mail", "search-fuzzy-always", "sieve", "sortorder", "squat")
_STANDARD = tuple(f"/{entry}" for entry in _PLAIN) + tuple(CYRUS + entry for entry in _OF_BOTH)
_STANDARD_SERVER = ("/admin", "/comment", f"{CYRUS}expire", f"{CYRUS}squat")
_SHARED_SERVER = ("/motd", f"{CYRUS}shutdown")
_DEFAULTS = {"duplicatedeliver": "false", "pop3newuidl": "true", "sharedseen": "false"}  # what holds unless it is set
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)
_DURATION = re.compile(r"[0-9]{1,9}[dhms]?")
_FORMS = {
    **{f"{CYRUS}{entry}": _BOOLEAN for entry in ("sharedseen", "squat", "duplicatedeliver", "pop3newuidl")},
    **{f"{CYRUS}{entry}": _DURATION for entry in ("expire", "archive", "delete")},
}


# -- showing -----------------------------------------------------------------------------------------------------------


def info(session: Session, arguments: Arguments) -> None:
    """Of a mailbox, of those that match and may be looked at, or of the server; only the entries that are named."""
    pattern, *wanted = arguments.words or [""]
    for entry in wanted:
        if not entry.startswith("/"):
            raise Refused(MUST_BEGIN)
    if not pattern:
        _show(session, "{Server Wide}", _server(session), wanted)
    elif WILDCARDS & set(pattern):
        for name in session.matching(pattern):
            with suppress(NotPermitted, NotFound):
                _show_mailbox(session, session.authority.check_see_annotations(name), wanted)
    else:
        _show_mailbox(session, session.authority.check_see_annotations(session.existing_name(pattern)), wanted)


def _show_mailbox(session: Session, mailbox: Mailbox, wanted: list[str]) -> None:
    user = session.authority.userid
    entries: dict[str, str | None] = dict.fromkeys(
        [f"{scope}{entry}" for scope in (PRIVATE, SHARED) for entry in _STANDARD] + [f"{SHARED}{CYRUS}pop3showafter"]
    )
    entries |= {f"{SHARED}{CYRUS}{entry}": value for entry, value in _DEFAULTS.items()}
    entries |= session.store.annotations.of(mailbox, user)
    _show(session, f"{{{session.shown(mailbox.name)}}}:", entries | described(mailbox), wanted)


def _server(session: Session) -> Mapping[str, str | None]:
    scopes = ((PRIVATE, _STANDARD_SERVER), (SHARED, _STANDARD_SERVER + _SHARED_SERVER))
    entries: dict[str, str | None] = dict.fromkeys(f"{scope}{entry}" for scope, names in scopes for entry in names)
    userid = session.authority.userid
    tree = session.store.user_tree(userid) if userid else None
    inbox = session.store.find(session.name(f"user/{userid}")) if tree else None
    entries |= session.store.annotations.of_server(inbox, userid)
    return entries | described_server(session.store)


def _show(session: Session, head: str, entries: Mapping[str, str | None], wanted: list[str]) -> None:
    named = {canonical(entry) for entry in wanted}
    session.say(head)
    for scope in (PRIVATE, SHARED):
        names = sorted(name for name in entries if name.startswith(f"{scope}/"))
        if named:
            names = [name for name in names if name in named or name[len(scope) :] in named]
        if names:
            session.say(f"  {scope[1:]}:")
        for name in names:
            value = entries[name]
            short = name[len(scope) :].removeprefix(CYRUS).removeprefix("/")
            session.say(
                f"    {short.rpartition('/')[2] if CYRUS in name else short}: {'NIL' if value is None else value}"
            )


# -- setting -----------------------------------------------------------------------------------------------------------


def mboxconfig(session: Session, arguments: Arguments) -> None:
    words = {word: entry for word, entry in _WORDS.items() if word != "specialuse"}
    _configure(session, arguments, words)


def setmetadata(session: Session, arguments: Arguments) -> None:
    _configure(session, arguments, _WORDS)


def _configure(session: Session, arguments: Arguments, words: Mapping[str, str]) -> None:
    if len(arguments.words) < 3:
        raise UsageError("a mailbox, an entry and its value are wanted")
    pattern, word, *values = arguments.words
    value = " ".join(values)
    entry = _entry(word, words, PRIVATE if arguments.has("private") else SHARED)
    kept = None if value == NONE else _checked(entry, value)
    if not pattern:
        _set_server(session, entry, kept)
    elif WILDCARDS & set(pattern):
        for name in session.matching(pattern):
            _annotate(session, session.authority.check_annotate(name, private=_is_own(entry)), entry, kept)
    else:
        mailbox = session.authority.check_annotate(session.existing_name(pattern), private=_is_own(entry))
        _annotate(session, mailbox, entry, kept)


def setinfo(session: Session, arguments: Arguments) -> None:
    if len(arguments.words) < 2:
        raise UsageError("an attribute and its value are wanted")
    word, *values = arguments.words
    value = " ".join(values)
    entry = _entry(word, _SERVER_WORDS, SHARED)
    _set_server(session, entry, None if value == NONE else _checked(entry, value))


def _entry(word: str, words: Mapping[str, str], scope: str) -> str:
    """The full name of an entry. Refused."""
    entry = word
    if word in words:
        entry = scope + words[word]
    elif word.startswith("/") and not word.lower().startswith((f"{PRIVATE}/", f"{SHARED}/")):
        entry = scope + word
    if not entry.startswith("/"):
        raise Refused(MUST_BEGIN)
    if wrong := fault(entry):
        raise Refused(f"Invalid annotation entry ({wrong})")
    if canonical(entry) in READ_ONLY:
        raise Refused("Permission denied", NotPermitted.exit_code)
    return canonical(entry)


def _is_private(entry: str) -> bool:
    return entry.startswith(f"{PRIVATE}/")


def _is_own(entry: str) -> bool:
    """Whether it is an affair of the user alone. A special use is one of the mailbox, whatever it is called."""
    return _is_private(entry) and not entry.endswith("/specialuse")


def _checked(entry: str, value: str) -> str:
    """The value as it is kept. Refused."""
    name = entry[len(PRIVATE if _is_private(entry) else SHARED) :]
    form = _FORMS.get(name)
    if form and not form.fullmatch(value):
        raise Refused(_BAD_VALUE)
    if form is _BOOLEAN:
        return value.lower()
    if name == f"{CYRUS}pop3showafter":
        return _date(value)
    if name == "/specialuse":
        return _or_refused(lambda: special_uses(value))
    return value


def _date(value: str) -> str:
    """In universal time, as Cyrus shows it; RFC 3501 §9, date-time."""
    from datetime import UTC, datetime

    try:
        return f"{datetime.strptime(value.strip(), '%d-%b-%Y %H:%M:%S %z').astimezone(UTC):%d-%b-%Y %H:%M:%S %z}"
    except (ValueError, OverflowError) as error:
        raise Refused(_BAD_VALUE) from error


def _or_refused(check: Callable[[], str]) -> str:
    try:
        return check()
    except SievemdaError as error:
        raise Refused(_BAD_VALUE) from error


def _annotate(session: Session, mailbox: Mailbox, entry: str, value: str | None) -> None:
    if entry in (f"{PRIVATE}/specialuse", f"{SHARED}/specialuse"):
        if mailbox.name.is_inbox:
            raise Refused("An INBOX has no special use", DataError.exit_code)
        mailbox.set_special_use(value or "")
        return
    session.store.annotations.set(mailbox, session.authority.userid, entry, value)


def _set_server(session: Session, entry: str, value: str | None) -> None:
    session.authority.check_administer()
    if _is_private(entry):
        raise Refused("Permission denied", NotPermitted.exit_code)
    session.store.annotations.set_server(None, None, entry, value)
