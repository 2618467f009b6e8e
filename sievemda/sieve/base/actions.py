"""keep, discard, redirect. RFC 5228 §4."""

from __future__ import annotations

from collections.abc import Iterator

from sievemda.mail.addresslist import sieve_address
from sievemda.sieve.effects import Discard, Redirect, Store
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.senders import owner, resolve, reverse_path
from sievemda.sieve.text import Text

MARK = "X-Sieve-Redirected-From"  # names the owner of the script that sent the message on


@node
class Keep(Command):
    """keep, RFC 5228 §4.3."""

    keyword = "keep"

    def execute(self, run: Run) -> None:
        run.add(self.amended(Store(flags=run.flags, line=self.line), run))


@node
class DiscardCommand(Command):
    """discard, RFC 5228 §4.4: cancels the implicit keep, and nothing else."""

    keyword = "discard"

    def execute(self, run: Run) -> None:
        run.add(Discard(line=self.line))


@node
class RedirectCommand(Command):
    """redirect <address: string>, RFC 5228 §4.2; the address is a sieve-address, §2.4.2.3."""

    keyword = "redirect"
    address: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if not context.limits.redirects:
            yield "local policy prohibits the use of a redirect action"
        elif self.address.constant and sieve_address(self.address.source) is None:
            yield self.address, f"invalid address for redirect: {self.address.source[:80]!r}"

    def execute(self, run: Run) -> None:
        value = run.text(self.address)
        address = sieve_address(value)
        if address is None:
            raise RunError(f"invalid address for redirect: {value[:80]!r}", self.line)
        run.add(self.amended(sent_on(run, str(address), self.line), run))


def sent_on(run: Run, address: str, line: int, members: tuple[str, ...] = ()) -> Redirect:
    """The message sent on, as the site wants it: from whom, with the mark of whose doing that is, and no second time.

    Why a message that has come back is no error: nothing is wrong with the script, and the implicit keep, which the
    redirect then does not take away, is what the owner gets.
    """
    source = resolve(run.limits.options.redirect_envelope_from, run) if reverse_path(run) else None
    mine, recipient = owner(run), str(run.envelope.recipient.address)
    marks = {value.strip("<> \t").lower() for value in run.original.values(MARK)}
    back = not marks.isdisjoint({mine.lower(), recipient.lower()})
    why = "the message has come back from where it was redirected to: a loop" if back else ""
    return Redirect(address=address, members=members, return_path=source, mark=mine, suppressed=why, line=line)
