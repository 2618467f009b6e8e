"""A whole delivery below a temporary directory, with the real store, memory, journal and outbox."""

from __future__ import annotations

import json
import re
from pathlib import Path

from sievemda.config import Settings
from sievemda.delivery.deliver import Deliverer
from sievemda.delivery.job import Parts
from sievemda.delivery.outbox import Outbox
from sievemda.language import language_limits
from sievemda.mail.address import parse_address
from sievemda.mail.envelope import Peer, Recipient, Sender
from sievemda.mail.result import Receipt, Result
from sievemda.policy.quota import Limits as QuotaLimits
from sievemda.sieve.compile import ProgramCache, Programs
from sievemda.state.journal import Journal
from sievemda.state.memory import Memory
from sievemda.store.mailstore import MailStore
from sievemda.store.scripts import ScriptStore

PEER = Peer(session="s1", helo="client.example.net", authenticated="postman")
DATE = "Sat, 21 Nov 2026 10:00:00 +0000"


def message(id_: str = "<1@example.net>", subject: str = "hello", extra: str = "", body: str = "Body\n") -> bytes:
    return (
        f"{extra}From: Bob <bob@example.net>\nTo: alice@example.org\nSubject: {subject}\n"
        f"Date: {DATE}\nMessage-ID: {id_}\n\n{body}"
    ).encode()


def sender(address: str = "bob@example.net", **more) -> Sender:
    return Sender(parse_address(address) if address else None, **more)


def recipient(address: str, **more) -> Recipient:
    parsed = parse_address(address)
    assert parsed is not None, address
    return Recipient(parsed, **more)


def changed(settings: Settings, **changes) -> Settings:
    """Settings by the last part of their names."""
    for name, value in changes.items():
        for section in ("site", "names", "store", "acl", "autocreate", "delivery", "quota", "lmtp", "sieve", "outbox"):
            if hasattr(getattr(settings, section), name):
                settings = settings.with_changes(**{section: getattr(settings, section).with_changes(**{name: value})})
                break
        else:
            raise AssertionError(name)
    return settings


class World:
    def __init__(self, data: Path, **changes) -> None:
        self.settings = changed(Settings(data=data), servername="mx.example.org", **changes)
        self.store = MailStore(self.settings)
        self.memory = Memory(self.settings.memory_path)
        self.journal = Journal(self.settings.journal_path)
        self.outbox = Outbox(self.settings)
        limits = language_limits(self.settings)
        parts = Parts(self.settings, self.store, self.memory, self.outbox)
        self.deliverer = Deliverer(parts, self.journal, Programs(ProgramCache(limits), ProgramCache(limits)), limits)

    def close(self) -> None:
        self.memory.close()
        self.journal.close()

    # --- the world ---

    def mailbox(self, name: str, *acl: tuple[str, str], special_use: str = ""):
        mailbox = self.store.create(self.store.namespace.parse_admin(name), special_use=special_use)
        for identifier, rights in acl:
            mailbox.change_acl(lambda old, i=identifier, r=rights: old.changed(i, r))
        return mailbox

    def user(self, name: str, *folders: str, acl: tuple[str, str] | None = ("anyone", "p"), script: str = "") -> None:
        self.mailbox(f"user/{name}")
        for folder in folders:
            self.mailbox(f"user/{name}/{folder}", *([acl] if acl else []))
        if script:
            self.script(name, script)

    def script(self, user: str, text: str) -> None:
        scripts = ScriptStore(self.store.home(user))
        scripts.put("main", text.encode())
        scripts.activate("main")

    def quota(self, name: str, **limits: int) -> None:
        mailbox = self.store.find(self.store.namespace.parse_admin(name))
        self.store.make_root(mailbox).set_limits(QuotaLimits(**limits))

    def folder(self, name: str) -> Path:
        return self.store.find(self.store.namespace.parse_admin(name)).path

    def files(self, name: str) -> list[Path]:
        folder = self.folder(name)
        return sorted(p for sub in ("new", "cur") for p in (folder / sub).iterdir())

    def keywords(self, name: str) -> list[str]:
        """The keywords of the messages of a folder."""
        file = self.folder(name) / "dovecot-keywords"
        known = dict(line.split(" ") for line in file.read_text().splitlines()) if file.exists() else {}
        letters = "".join(p.name.partition(":2,")[2] for p in self.files(name))
        return [known[str(ord(c) - 97)] for c in letters if c.islower()]

    def outgoing(self) -> list[tuple[dict, bytes]]:
        new = self.settings.outbox_path / "new"
        items = [p.read_bytes().partition(b"\n") for p in sorted(new.iterdir())] if new.exists() else []
        return [(json.loads(first), rest) for first, _, rest in items]

    def staged(self) -> list[Path]:
        return [p for root in self.settings.partitions.values() for p in root.glob("stage./*")]

    # --- mail ---

    def verify(self, address: str, who: Sender | None = None, **more):
        return self.deliverer.verify(who or sender(), recipient(address, **more), PEER)

    def result(self, address: str, who: Sender | None = None, **more) -> Result:
        answer = self.verify(address, who, **more)
        return answer.result if isinstance(answer, Receipt) else Result.ACCEPTED

    def content(self, data: bytes, targets, who: Sender | None = None, block: int = 1 << 16):
        intake = self.deliverer.intake(who or sender(), PEER, targets)
        wire = re.sub(rb"(?<!\r)\n", b"\r\n", data)
        for start in range(0, len(wire), block):
            intake.feed(wire[start : start + block])
        return intake.finish()

    def deliver(self, to, data: bytes, who: Sender | None = None, **more) -> list[Result]:
        """One result per recipient: of RCPT when refused there, else of the end of DATA."""
        return [receipt.result for receipt in self.receipts(to, data, who, **more)]

    def receipts(self, to, data: bytes, who: Sender | None = None, block: int = 1 << 16, **more) -> list[Receipt]:
        addresses = [to] if isinstance(to, str) else to
        answers = [self.verify(address, who, **more) for address in addresses]
        targets = [answer for answer in answers if not isinstance(answer, Receipt)]
        if targets:
            content = self.content(data, targets, who, block)
            refused = [
                (recipient(address, **more), answer)
                for address, answer in zip(addresses, answers, strict=True)
                if isinstance(answer, Receipt)
            ]
            after = iter(self.deliverer.deliver(who or sender(), PEER, targets, content, refused))
            answers = [answer if isinstance(answer, Receipt) else next(after) for answer in answers]
        return answers

    def stored(self, name: str) -> bytes:
        (file,) = self.files(name)
        return file.read_bytes()
