"""What a test file works on: the current message and envelope, the script under test, its result, the error log.

A bench belongs to one test file and answers the facts of its scripts. It keeps nothing on disk and sends nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import localtime
from pathlib import Path

from sievemda.mail.address import Address, parse_address, strip_route
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.mail.message import Message
from sievemda.sieve.combining import name
from sievemda.sieve.compile import compile_script
from sievemda.sieve.effects import Effect, Store
from sievemda.sieve.facts import Unknown
from sievemda.sieve.limits import Limits
from sievemda.sieve.node import Inclusion
from sievemda.sieve.problems import RunError, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import run as run_script
from sievemda.sieve.surroundings import standard

DEFAULT_MESSAGE = b"From: sender@example.com\nTo: recipient@example.org\nSubject: Test\n\nTest message.\n"
_STAGES = {"parse": "parse failed", "bind": "validation failed", "generate": "code generation failed"}


@dataclass(frozen=True, slots=True)
class Included:
    """The scripts that a test file and those under test may include: two directories beside the file."""

    directory: Path
    strict: bool = True

    def path(self, location: str, name: str) -> Path:
        return self.directory / ("included-global" if location == "global" else "included") / f"{name}.sieve"

    def has(self, inclusion: Inclusion) -> bool:
        return self.path(inclusion.location, inclusion.name).is_file()

    def text(self, inclusion: Inclusion) -> bytes | None:
        return self.path(inclusion.location, inclusion.name).read_bytes() if self.has(inclusion) else None


@dataclass(slots=True)
class Case:
    """One `test` of a file, from not run to its end."""

    index: int
    name: str
    line: int
    status: str = "not run"
    message: str | None = None
    duration: float = 0.0


class TestFailed(Exception):
    """The test under way failed: out of its block, on behind it."""


class Bench(Unknown):
    """The state of one test file."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.directory = path.absolute().parent
        self.library = Included(self.directory)
        self.limits = limits
        self.cases: list[Case] = []
        self.current: Case | None = None
        self.started = 0
        self.errors: list[str] = []
        self.result: tuple[Effect, ...] = ()
        self.script: Program | None = None
        self._now = localtime()
        self.message = Message(b"")
        self.envelope = Envelope(Sender(None), Recipient(Address("recipient", "example.com")))
        self.set_message(DEFAULT_MESSAGE)

    # -- facts -------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self._now

    def mailbox_exists(self, name: str) -> bool:
        return name.upper() == "INBOX"

    def own_addresses(self) -> frozenset[str]:
        return frozenset()

    def included(self, location: str, name: str) -> Program | None:
        text = self.library.text(Inclusion(location, name))
        return None if text is None else compile_script(text, self.limits, None, self.library)

    def environment(self, item: str) -> str | None:
        host = os.uname().nodename
        items = standard(host, location="MS", phase="post")
        return {**items, "vnd.dovecot.default-mailbox": "INBOX"}.get(item)

    # -- message and envelope ----------------------------------------------------------------------------------

    def set_message(self, raw: bytes) -> None:
        """A new current message, and an envelope that follows from its header."""
        self.message = Message(raw.replace(b"\r\n", b"\n"))
        sender = self._first_address("Return-Path", "Sender", "From") or Address("sender", "example.com")
        recipient = self._first_address("Envelope-To", "To") or Address("recipient", "example.com")
        self.envelope = Envelope(Sender(sender), _to(recipient))

    def _first_address(self, *fields: str) -> Address | None:
        for field in fields:
            for found in self.message.addresses(field):
                if not isinstance(found, str) and found:
                    return found[0]
        return None

    def set_sender(self, path: str) -> None:
        address = None if path in {"", "<>"} else self._path(path)
        self.envelope = replace(self.envelope, sender=replace(self.envelope.sender, reverse_path=address))

    def set_recipient(self, path: str) -> None:
        self.envelope = replace(self.envelope, recipient=_to(self._path(path) or Address("")))

    def set_original(self, path: str) -> None:
        changed = replace(self.envelope.recipient, orcpt_type="rfc822", orcpt=str(self._path(path) or ""))
        self.envelope = replace(self.envelope, recipient=changed)

    def set_identity(self, identity: str) -> None:
        self.envelope = replace(self.envelope, sender=replace(self.envelope.sender, auth=identity))

    def _path(self, path: str) -> Address | None:
        bare = path[1:-1] if path.startswith("<") and path.endswith(">") else path
        address = parse_address(strip_route(bare))
        if address is None:
            self.errors.append(f"invalid envelope address '{path}'")
        return address

    # -- scripts under test ------------------------------------------------------------------------------------

    def compile(self, relative: str) -> bool:
        """Make it the script under test; what is wrong with it goes to the error log, with one line that sums up."""
        self.errors = []
        try:
            text = (self.directory / relative).read_bytes()
        except OSError:
            self.errors.append(f"script not found: {relative}")
            return False
        try:
            self.script = compile_script(text, self.limits, None, self.library)
        except ScriptError as e:
            self.errors += [p.text for p in e.problems if p.severity == "error"]
            self.errors.append(_STAGES[e.stage])
            return False
        return True

    def run(self, *, append: bool) -> bool:
        """Run the script under test; whether it ended without a run-time error."""
        self.errors = []
        if self.script is None:
            raise RunError("no script was compiled")
        outcome = run_script(self.script, self.message, self.envelope, self, self.limits)
        actions = tuple(e for e in outcome.effects if not (isinstance(e, Store) and e.implicit))
        self.result = (*self.result, *actions) if append else actions
        if outcome.failure is not None:
            self.errors.append(outcome.failure.text)
        return outcome.failure is None

    def action_names(self) -> Iterator[str]:
        """The result as the test language calls its entries."""
        other = {"fileinto": "store", "ereject": "reject"}
        for effect in self.result:
            yield other.get(name(effect), name(effect))

    # -- tests -------------------------------------------------------------------------------------------------

    def begin(self) -> Case:
        if self.current is not None:
            raise RunError("a test inside a test")
        self.current = self.cases[self.started]
        self.started += 1
        return self.current


def _to(address: Address) -> Recipient:
    return Recipient(address, orcpt_type="rfc822", orcpt=str(address))
