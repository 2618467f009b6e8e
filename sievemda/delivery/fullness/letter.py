"""The message about a full mailbox: its words, and where it is put.

It goes straight into a folder of the owner, marked as made by a machine (RFC 3834 §5), and by mail to everybody else
who is to know. No quota is asked for it, and it counts like any message.

Why not through the owner's script: a script may forward it, answer it or throw it away, and a redirect that fails for
lack of room is what it is about.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.config import Settings
from sievemda.delivery.fullness import template
from sievemda.delivery.fullness.rules import OWNER, POSTMASTER, NoticeRule
from sievemda.delivery.fullness.template import Template
from sievemda.delivery.fullness.texts import Texts, spoken, texts
from sievemda.delivery.notices import postmaster
from sievemda.delivery.outbox import Outbox
from sievemda.delivery.outgoing import DsnOptions, Outgoing
from sievemda.delivery.trace import new_message_id, now_field
from sievemda.errors import DataError, SievemdaError
from sievemda.logs import words
from sievemda.mail import compose
from sievemda.mail.address import Address, parse_address
from sievemda.policy import grace
from sievemda.policy.quota import KIB
from sievemda.policy.warnings import OVER, Standing, Step, shown
from sievemda.store.maildir import contents
from sievemda.store.names import MailboxName

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.quota import QuotaRoot

log = logging.getLogger(__name__)

LANGUAGE = "vendor/sievemda/language"  # the annotation of an INBOX, private or shared
_UNITS = ("KB", "MB", "GB", "TB", "PB")
_WORTH_IT = 10  # a tenth of what is used: less in the trash is no hint


@dataclass(frozen=True, slots=True)
class Letter:
    """One message that was sent, or would be."""

    message_id: str
    to: tuple[str, ...]  # mailboxes, by their administrator's names, and addresses


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is to be said."""

    root: QuotaRoot
    step: Step
    standing: Standing
    language: str
    full_since: int
    now: int


class Letters:
    """Writes and sends. Thread-safe."""

    def __init__(self, settings: Settings, store: MailStore) -> None:
        self._settings = settings
        self._store = store

    def send(self, rule: NoticeRule, root: QuotaRoot, step: Step, full_since: int, now: int) -> Letter:
        """Tell everybody whom the rule names. Raises OSError and SievemdaError when nobody could be told."""
        assert step.standing is not None
        inbox, others = self._recipients(rule, root)
        language = self._language(inbox)
        about = _Subject(root, step, step.standing, language, full_since, now)
        message_id = new_message_id(self._settings)
        filled = self._template(rule, about).fill(self._values(about, inbox))
        reached = []
        if inbox is not None:
            folder = self._folder(rule, inbox)
            to = str(self._address(inbox.name.owner or ""))
            self._put(folder, b"Return-Path: <>\n" + self._compose(filled, language, message_id, to))
            reached.append(self._store.namespace.format_admin(folder.name))
        for address in others:
            content = self._compose(filled, language, message_id, address)
            never = DsnOptions(failure=False, notify="NEVER")
            try:
                Outbox(self._settings).put(Outgoing("notify", "", address, content, dsn=never))
            except OSError as e:
                if not reached:
                    raise
                log.error("not told %s", words(root=root.path, to=address, error=e))  # noqa: TRY400
            else:
                reached.append(address)
        return Letter(message_id, tuple(reached))

    def planned(self, rule: NoticeRule, root: QuotaRoot) -> Letter:
        """Whom it would go to."""
        inbox, others = self._recipients(rule, root)
        own = () if inbox is None else (self._store.namespace.format_admin(self._folder(rule, inbox).name),)
        return Letter("", (*own, *others))

    # -- to whom -------------------------------------------------------------------------------------------------

    def _recipients(self, rule: NoticeRule, root: QuotaRoot) -> tuple[Mailbox | None, tuple[str, ...]]:
        """The owner's INBOX, if he is to be told and there is one, and the addresses of all others."""
        owner, inbox = root.name.owner, None
        if owner is not None and OWNER in rule.to:
            inbox = self._store.find(MailboxName(owner))
        named = [POSTMASTER if word == OWNER and inbox is None else word for word in rule.to]
        addresses = [postmaster(self._settings) if word == POSTMASTER else word for word in named if word != OWNER]
        return inbox, tuple(dict.fromkeys(addresses))

    def _folder(self, rule: NoticeRule, inbox: Mailbox) -> Mailbox:
        try:
            name = self._store.namespace.parse_user(
                rule.folder or self._settings.quota.quota_warning_folder, inbox.name.owner
            )
        except DataError:
            return inbox
        found = self._store.find(name) if name.owner == inbox.name.owner else None
        return found or inbox

    def _put(self, folder: Mailbox, content: bytes) -> Path:
        staged = self._store.stage(folder.partition, [content])
        try:
            return staged.deliver(folder, last=True)
        finally:
            staged.discard()

    def _address(self, userid: str) -> Address:
        local, _, domain = userid.partition("@")
        domain = domain or self._settings.domain
        known = self._settings.sieve.sieve_user_email
        for word, value in (("{user}", userid), ("{local}", local), ("{domain}", domain)):
            known = known.replace(word, value)
        return parse_address(known) or Address(local, domain)

    # -- in which words ------------------------------------------------------------------------------------------

    def _language(self, inbox: Mailbox | None) -> str:
        """What the owner wants, else what the site says."""
        for scope in ("private", "shared") if inbox else ():
            try:
                assert inbox is not None
                said = self._store.annotations.get(inbox, inbox.name.owner, f"/{scope}/{LANGUAGE}")
            except (OSError, SievemdaError):
                continue
            if said and len(said) < 40 and said.replace("-", "").isascii() and said.replace("-", "").isalnum():
                return said
        return self._settings.quota.quota_warning_language

    def _template(self, rule: NoticeRule, about: _Subject) -> Template:
        """The rule's, else that of the settings where there is one and it is one, else ours."""
        if rule.template is not None:
            return rule.template
        named = self._settings.quota.quota_warning_template
        if named:
            level = shown(about.step.level).removesuffix("%")
            named = named.replace("{language}", about.language).replace("{level}", level)
            path = self._settings.place(named, about.root.name.owner or "-")
            try:
                if path is not None:
                    return template.read(path)
            except (OSError, DataError) as e:
                if "{" not in self._settings.quota.quota_warning_template or not isinstance(e, FileNotFoundError):
                    log.error("template not used %s", words(error=e))  # noqa: TRY400 - the text says all
        ours = texts(about.language)
        return template.parse(ours.over if about.step.level == OVER else ours.level, "our own")

    def _values(self, about: _Subject, inbox: Mailbox | None) -> dict[str, str]:
        standing, ours = about.standing, texts(about.language)
        root = self._store.namespace.format_admin(about.root.name)
        values = {
            "user": about.root.name.owner or root,
            "root": root,
            "used": amount(standing.resource, standing.used, ours),
            "limit": amount(standing.resource, standing.limit, ours),
            "free": amount(standing.resource, max(standing.limit - standing.used, 0), ours),
            "percent": f"{standing.percent}%",
            "level": shown(about.step.level),
            "resource": standing.resource,
            "hint": self._hint(about, inbox, ours),
            "refusal": self._refusal(about, ours),
            "host": self._settings.site.servername,
            "postmaster": postmaster(self._settings),
        }
        return {name: compose.one_line(value) for name, value in values.items()}

    def _refusal(self, about: _Subject, ours: Texts) -> str:
        options = self._settings.delivery
        if self._settings.quota.quota_grace:
            end = grace.ends(self._settings.quota.quota_grace, about.full_since, about.now)
            if end > about.now:
                time = datetime.fromtimestamp(end, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
                return ours.until.replace("{time}", time)
            return ours.returns
        return ours.returns if options.lmtp_over_quota_perm_failure else ours.waits

    def _hint(self, about: _Subject, inbox: Mailbox | None, ours: Texts) -> str:
        """Where there is most to be had: what lies in trash and junk, if that is worth it, else the fullest folder."""
        if inbox is None or about.standing.resource not in ("STORAGE", "MESSAGE"):
            return ""
        counts = about.standing.resource == "MESSAGE"
        sizes = [(contents(folder.path)[counts], folder) for folder in self._folders(about.root)]
        rubbish = [found for found in sizes if _is_rubbish(found[1])]
        best = max(rubbish, key=lambda found: found[0], default=None)
        if best is None or best[0] * _WORTH_IT < about.standing.used:
            best = max(sizes, key=lambda found: found[0], default=None)
        if best is None or best[0] in (0, sum(size for size, _ in sizes)):  # there is no other folder to compare with
            return ""
        name = self._store.namespace.format_user(best[1].name, inbox.name.owner)
        size = amount(about.standing.resource, best[0], ours)
        return ours.hint.replace("{size}", size).replace("{folder}", name)

    def _folders(self, root: QuotaRoot) -> Iterator[Mailbox]:
        for folder in self._store.mailboxes_of(root.name.owner):
            nearest = root.name.covers(folder.name) and folder.quota_root()
            if nearest and nearest.path == root.path:
                yield folder

    def _compose(self, filled: tuple[str, str], language: str, message_id: str, to: str) -> bytes:
        subject, body = filled
        return b"".join(
            (
                compose.structured("Date", [now_field()]),
                compose.structured("Message-ID", [message_id]),
                f"From: Postmaster <{postmaster(self._settings)}>\n".encode(),
                compose.structured("To", [f"<{to}>"]),
                compose.field("Subject", subject),
                b"Auto-Submitted: auto-generated\nMIME-Version: 1.0\n",
                compose.structured("Content-Language", [language if self._is_theirs else spoken(language)]),
                compose.text_part(body),
            )
        )

    @property
    def _is_theirs(self) -> bool:
        """Whether there are templates of the site, which may be in any language."""
        return bool(self._settings.quota.quota_warning_template)


def _is_rubbish(folder: Mailbox) -> bool:
    uses = {use.lower() for use in folder.special_use.split()}
    named = folder.name.path[-1:] in (("Trash",), ("Junk",), ("Spam",), ("Deleted Items",), ("Deleted Messages",))
    return bool(uses & {"\\trash", "\\junk"}) or named


def amount(resource: str, value: int, ours: Texts) -> str:
    """`7.6 MB`, `812 messages`."""
    if resource == "MESSAGE":
        return f"{value} {ours.messages[value != 1]}"
    if resource in ("MAILBOX", "X-NUM-FOLDERS"):
        return f"{value} {ours.folders[value != 1]}"
    size = value / KIB
    for unit in _UNITS[:-1]:
        if size < KIB:
            return f"{size:.1f} {unit}" if size < 100 else f"{size:.0f} {unit}"
        size /= KIB
    return f"{size:.0f} {_UNITS[-1]}"
