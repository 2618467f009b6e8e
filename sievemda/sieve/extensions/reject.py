"""reject, ereject: refuse the message, with a reason for its sender. RFC 5429.

How it is refused (in the protocol, or by a notice) is decided by who carries it out.
"""

from __future__ import annotations

from sievemda.sieve.effects import Refuse
from sievemda.sieve.node import Command, node
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import Extension


@node
class Reject(Command):
    """reject <reason: string>, RFC 5429 §2.2."""

    keyword = "reject"
    reason: Text

    def execute(self, run: Run) -> None:
        run.add(Refuse(reason=run.text(self.reason), line=self.line))


@node
class EReject(Command):
    """ereject <reason: string>, RFC 5429 §2.1."""

    keyword = "ereject"
    reason: Text

    def execute(self, run: Run) -> None:
        run.add(Refuse(reason=run.text(self.reason), extended=True, line=self.line))


EXTENSIONS = (
    Extension("reject", "RFC 5429 §2.2", commands=(Reject,)),
    Extension("ereject", "RFC 5429 §2.1", commands=(EReject,)),
)
