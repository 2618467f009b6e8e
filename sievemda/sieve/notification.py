"""The methods by which a script can notify: what a URI of each means, whether it is right, what is sent.

`mailto` is RFC 5436. `https` is a method of our own: JSON is posted to a host of the site's choice; where
it allows none, there is no such method. A method is a value of an open table, keyed by the scheme of its URIs.

Why a mail says `Notification: ` before a subject that it takes over, where RFC 5436 §2.7 would keep it as it was:
Pigeonhole, whose scripts and tests are to run unchanged, does so, and it can be told from the message itself.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from sievemda.mail.addresslist import mailboxes, sieve_address
from sievemda.mail.compose import field, mailbox, one_line, structured, text_part
from sievemda.mail.mailto import Mailto, read_mailto
from sievemda.mail.message import Message
from sievemda.sieve.effects import Notify
from sievemda.sieve.limits import Limits
from sievemda.sieve.options import Options
from sievemda.sieve.run import Run
from sievemda.sieve.senders import owner, postmaster, resolve, reverse_path

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")  # RFC 3986 §3.1
_SUBJECT = 256  # characters; what is more is cut
_PRIORITY = {1: ("1 (Highest)", "High"), 2: ("3 (Normal)", "Normal"), 3: ("5 (Lowest)", "Low")}
_URL = re.compile(r"[!-~]+")
_LONGEST_URL = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a notify command asks for; `message` and `sender` are `None` when it does not say."""

    uri: str
    message: str | None = None
    sender: str | None = None
    importance: int = 2
    options: tuple[tuple[str, str], ...] = ()
    line: int = 0


class Method(ABC):
    """One method. What a URI means is checked in one place, `check`: RFC 5435 §4."""

    @abstractmethod
    def check(self, uri: str, limits: Limits) -> Sequence[str]:
        """What is quietly put right about a URI. Raises `ValueError` when it is wrong."""

    def sender_fault(self, sender: str) -> str:
        """What is wrong with a `:from`. RFC 5435 §3.3: its syntax is that of an address for the methods here."""
        found = mailboxes(sender) if len(sender) <= 998 else None  # RFC 5322 §2.1.1
        return "" if found and len(found) == 1 else f"invalid address in ':from': {sender[:80]!r}"

    def capability(self, name: str) -> str | None:
        """RFC 5435 §5, RFC 8580 §6.1; `None` for one that is not known."""
        return {"online": "maybe", "fcc": "yes"}.get(name.lower())

    @abstractmethod
    def compose(self, run: Run, wanted: Wanted) -> Notify:
        """The notification, whole. Raises `ValueError` when the URI is wrong."""


class MailtoMethod(Method):
    """RFC 5436."""

    def check(self, uri: str, limits: Limits) -> Sequence[str]:
        found = _read(uri, limits)
        return found.ignored if found.recipients else (*found.ignored, "the URI names no recipients")

    def compose(self, run: Run, wanted: Wanted) -> Notify:
        uri = _read(wanted.uri, run.limits)
        subject = _subject(run, wanted, uri)
        recipients = tuple(map(str, uri.recipients))
        suppressed = sent_by_program(run.message) or ("" if recipients else "it names no recipients")
        return Notify(
            method=wanted.uri,
            message=subject if wanted.message is None else wanted.message,
            sender=wanted.sender or "",
            importance=wanted.importance,
            options=wanted.options,
            text=b"" if suppressed else _mail(run, wanted, uri, subject),
            recipients=recipients,
            return_path=_return_path(run, wanted),
            suppressed=suppressed,
            line=wanted.line,
        )


class WebhookMethod(Method):
    """`https:`. What is posted is made by who posts it; here is the copy that may be kept (RFC 8580 §4)."""

    def check(self, uri: str, limits: Limits) -> Sequence[str]:
        _webhook(uri, limits.options)
        return ()

    def compose(self, run: Run, wanted: Wanted) -> Notify:
        _webhook(wanted.uri, run.limits.options)
        message = _default_message(run) if wanted.message is None else wanted.message
        suppressed = sent_by_program(run.message)
        return Notify(
            method=wanted.uri,
            message=message,
            sender=wanted.sender or "",
            importance=wanted.importance,
            options=wanted.options,
            text=b"" if suppressed else _held_in_mail(run, wanted, message),
            suppressed=suppressed,
            line=wanted.line,
        )


_MAILTO, _WEBHOOK = MailtoMethod(), WebhookMethod()


def method_of(uri: str, options: Options) -> Method | None:
    """The method of a URI; `None` when there is none here. Raises `ValueError` for what is no URI."""
    scheme = _SCHEME.match(uri)
    if scheme is None:
        raise ValueError(f"invalid scheme part in the method: {uri[:80]!r}")
    methods: dict[str, Method] = {"mailto": _MAILTO}
    if options.notify_https_hosts:
        methods["https"] = _WEBHOOK
    return methods.get(scheme[1].lower())


def methods(options: Options) -> tuple[str, ...]:
    """The schemes that are supported. RFC 5804 §1.7."""
    return ("mailto", "https") if options.notify_https_hosts else ("mailto",)


def valid(uri: str, limits: Limits) -> Method | None:
    """The method of a URI that is right in every respect; RFC 5435 §4."""
    try:
        found = method_of(uri, limits.options)
        if found is not None:
            found.check(uri, limits)
    except ValueError:
        return None
    return found


def sent_by_program(message: Message) -> str:
    """Why a message gives no occasion to notify, in words. RFC 5436 §2.7: Auto-Submitted with anything but `no`.

    A message without envelope sender does give occasion: that is a MUST of the same section.
    """
    for value in message.values("Auto-Submitted"):
        if re.split(r"[;( \t]", value.lower(), maxsplit=1)[0] != "no":
            return f"message was sent by a program (Auto-Submitted: {value[:80]})"
    return ""


# -- mailto ----------------------------------------------------------------------------------------------------


def _read(uri: str, limits: Limits) -> Mailto:
    options = limits.options
    return read_mailto(uri, recipients=options.notify_mailto_recipients, headers=options.notify_mailto_headers)


def _subject(run: Run, wanted: Wanted, uri: Mailto) -> str:
    """RFC 5436 §2.7: of `:message`, else of the URI, else that of the message."""
    if wanted.message is not None:
        text = wanted.message
    elif uri.subject is not None:
        text = uri.subject
    else:
        original = run.message.values("Subject")
        text = f"Notification: {original[0] if original else '(no subject)'}"
    line = one_line(text)
    return line if len(line) <= _SUBJECT else line[: _SUBJECT - 1] + "…"


def _return_path(run: Run, wanted: Wanted) -> str:
    """RFC 5436 §2.7: nobody, when the message came from nobody; else what the site wants, `:from`, or the owner."""
    if not reverse_path(run):
        return ""
    chosen = resolve(run.limits.options.notify_mailto_envelope_from, run)
    if chosen is not None:
        return chosen
    author = sieve_address(wanted.sender) if wanted.sender else None
    return str(author) if author else run.limits.options.user_email or postmaster(run)


def _mail(run: Run, wanted: Wanted, uri: Mailto, subject: str) -> bytes:
    """The notification but for Date and Message-ID."""
    given = {name.lower() for name, _ in uri.headers}
    priority, importance = _PRIORITY[wanted.importance]
    marks = [("X-Priority", priority), ("Importance", importance)]
    return b"".join([
        _auto_submitted(run),
        b"X-Sieve: sievemda\nX-Sieve-Action: notify\nPrecedence: bulk\n",
        _from(run, wanted),
        structured("To", [mailbox(*one) for one in uri.to], ",") if uri.to else b"",
        structured("Cc", [mailbox(*one) for one in uri.cc], ",") if uri.cc else b"",
        field("Subject", subject),
        *(field(name, value) for name, value in marks if name.lower() not in given),
        *(field(name, value) for name, value in uri.headers),
        b"MIME-Version: 1.0\n",
        text_part(_body(run, wanted, uri)),
    ])  # fmt: skip


def _auto_submitted(run: Run) -> bytes:
    """RFC 5436 §2.7.1: with the owner, so that whoever gets too many notifications knows whom to ask."""
    address = owner(run).replace("\\", "\\\\").replace('"', '\\"')
    return structured("Auto-Submitted", ["auto-notified", f'owner-email="{address}"'], ";")


def _from(run: Run, wanted: Wanted) -> bytes:
    """RFC 5436 §2.7: `:from`, else the owner."""
    found = mailboxes(wanted.sender) if wanted.sender else None
    return structured("From", [mailbox(*found[0])] if found else [owner(run)])


def _body(run: Run, wanted: Wanted, uri: Mailto) -> str:
    """Of the URI; else the message in full, which a subject may have had to cut."""
    if uri.body is not None:
        return uri.body
    return _default_message(run) if wanted.message is None else wanted.message


def _default_message(run: Run) -> str:
    """RFC 5435 §3.6: From and Subject of the message at least."""
    message = run.message
    lines = [f"{name}: {one_line(message.values(name)[0])}" for name in ("From", "Subject") if message.values(name)]
    return "Notification of new message.\n" + "".join(f"{line[:1000]}\n" for line in lines)


# -- https -----------------------------------------------------------------------------------------------------


def _webhook(uri: str, options: Options) -> SplitResult:
    """Raises `ValueError` for a URL that is wrong, or leads where the site does not want."""
    if len(uri) > _LONGEST_URL or not _URL.fullmatch(uri):
        raise ValueError(f"it is no URL of at most {_LONGEST_URL} printable characters")
    parts = urlsplit(uri)
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it holds a name or a password")
    host, port = parts.hostname, parts.port or 443
    if not any(_allows(pattern.lower(), host, port) for pattern in options.notify_https_hosts):
        raise ValueError(f"notifications to {host}:{port} are not allowed here")
    return parts


def _allows(pattern: str, host: str, port: int) -> bool:
    name, _, wanted_port = pattern.rpartition(":") if pattern.rpartition(":")[2].isdigit() else (pattern, "", "443")
    name = name.strip("[]")
    if port != int(wanted_port):
        return False
    return host == name or (name.startswith("*.") and host.endswith(name[1:]) and host != name[1:])


def _held_in_mail(run: Run, wanted: Wanted, message: str) -> bytes:
    """RFC 8580 §4, §6: the notification as a mail, but for Date and Message-ID."""
    subject = run.message.values("Subject")
    return b"".join([
        _auto_submitted(run),
        _from(run, wanted),
        field("Subject", f"Fcc: {one_line(subject[0])[:_SUBJECT]}" if subject else "Fcc"),
        b"MIME-Version: 1.0\n",
        text_part(f"{message}\n\n{wanted.uri}\n"),
    ])  # fmt: skip
