"""What was found, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from os import EX_DATAERR
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import SievemdaError, exit_code
from sievemda.policy.quota import Usage

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox
    from sievemda.store.mailstore import MailStore
    from sievemda.store.quota import QuotaRoot

MENDED, WOULD, LEFT, NOTE, FAILED = "mended", "would mend", "left", "note", "failed"
AREAS = ("folders", "messages", "rights", "subscriptions", "quotas", "scripts")
_WHOLE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """`state` is one of the words above: a person is needed for what is LEFT; a NOTE is nothing wrong."""

    mailbox: str  # as administrators write it; empty for what belongs to none
    kind: str  # one word for programs
    path: Path
    what: str
    done: str  # what was done, or would be; for what is left, what a person can do; for a failure, why
    state: str


@dataclass(frozen=True, slots=True)
class Options:
    dry_run: bool = False
    force: bool = False  # take in what is not certainly a folder of the store, too
    check_sizes: bool = False  # read every message, for `W=`
    drop_indexes: bool = False
    only: frozenset[str] = _WHOLE  # of AREAS; none: all

    def wants(self, area: str) -> bool:
        return not self.only or area in self.only


@dataclass
class Work:
    """One run over a store. `code` is the sysexits code of the worst that was met, 0 when all is well now."""

    store: MailStore
    options: Options
    tell: Callable[[Finding], None]
    done: Callable[[str], None] = lambda _: None  # a mailbox is through
    code: int = 0
    mailboxes: int = 0
    messages: int = 0
    counts: dict[str, int] = field(default_factory=dict)  # findings by their states
    coming: dict[Path, Mailbox] = field(default_factory=dict)  # what a dry run would make of folders elsewhere
    expected: dict[Path, Usage] = field(default_factory=dict)  # what would come to a quota root, by its directory
    named: set[str] = field(default_factory=set)  # mailboxes of which something was found

    def expect(self, root: QuotaRoot | None, octets: int, messages: int = 0) -> None:
        """A dry run knows by how much a quota would be another one when the rest were mended."""
        if self.options.dry_run and root is not None:
            self.expected[root.path] = self.expected.get(root.path, Usage()) + Usage(octets, messages)

    def mend(self, mailbox: str, kind: str, path: Path, what: str, how: str, action: Callable[[], str | None]) -> bool:
        """Tell of something wrong and mend it, unless this is a dry run: whether it is mended now.

        `action` may say better than `how` what it has done. FileNotFoundError: somebody else was quicker.
        """
        if self.options.dry_run:
            self._add(Finding(mailbox, kind, path, what, how, WOULD))
            return False
        try:
            said = action()
        except FileNotFoundError:
            return False
        except (OSError, SievemdaError) as error:
            self.failed(mailbox, kind, path, what, error)
            return False
        self._add(Finding(mailbox, kind, path, what, said or how, MENDED))
        return True

    def failed(self, mailbox: str, kind: str, path: Path, what: str, error: OSError | SievemdaError) -> None:
        code = exit_code(error)
        self.code = code if self.code in (0, EX_DATAERR) else self.code
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self._add(Finding(mailbox, kind, path, what, why, FAILED))

    def leave(self, mailbox: str, kind: str, path: Path, what: str, advice: str) -> None:
        """Tell of something that only a person can decide."""
        self.code = self.code or EX_DATAERR
        self._add(Finding(mailbox, kind, path, what, advice, LEFT))

    def note(self, mailbox: str, kind: str, path: Path, what: str, advice: str = "") -> None:
        """Tell of something that is allowed, and that somebody may want to know."""
        self._add(Finding(mailbox, kind, path, what, advice, NOTE))

    def _add(self, finding: Finding) -> None:
        self.named.add(finding.mailbox)
        self.counts[finding.state] = self.counts.get(finding.state, 0) + 1
        self.tell(finding)
