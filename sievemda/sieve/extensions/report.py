"""vnd.dovecot.report: send an abuse report in the form of RFC 5965. spec-bosch-sieve-report (2016).

One report goes out for each type and recipient of a run, with the text of the first. None goes to the owner of the
script, whatever he writes: that would be a loop.

Why the boundary is a digest of message and report: the language asks no random numbers of the world, and whoever
wrote the message knows neither its trace fields nor the report, so he cannot have put it there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from sievemda import __version__
from sievemda.mail.address import parse_address
from sievemda.mail.addresslist import sieve_address
from sievemda.mail.compose import field, mailbox, one_line, structured, text_part
from sievemda.mail.message import Message
from sievemda.sieve.effects import Report
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.senders import own_addresses, postmaster, resolve, reverse_path
from sievemda.sieve.text import Text
from sievemda.sieve.vocabulary import Extension

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]{1,100}")  # RFC 2045 §5.1
_SUBJECT = 256  # characters


@node
class ReportCommand(Command):
    """report [":headers_only"] <feedback-type: string> <message: string> <recipient: string>, §3."""

    keyword = "report"
    headers_only: bool = False
    feedback_type: Text
    message: Text
    recipient: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.feedback_type.constant and not _TOKEN.fullmatch(self.feedback_type.source):
            yield self.feedback_type, _bad_type(self.feedback_type.source)
        if self.recipient.constant and sieve_address(self.recipient.source) is None:
            yield self.recipient, _bad_address(self.recipient.source)

    def execute(self, run: Run) -> None:
        kind, to = run.text(self.feedback_type), run.text(self.recipient)
        address = sieve_address(to)
        if not _TOKEN.fullmatch(kind):
            raise RunError(_bad_type(kind), self.line)
        if address is None:
            raise RunError(_bad_address(to), self.line)
        reason = run.text(self.message)
        own = str(address).lower() in own_addresses(run)
        boundary = _boundary(run.message, kind, str(address))
        report = Report(
            to=str(address),
            feedback_type=kind,
            reason=reason,
            head=b"" if own else self._head(run, kind, str(address), reason, boundary),
            about=run.message,
            whole=not self.headers_only,
            tail=f"\n--{boundary}--\n".encode(),
            suppressed="it would go to the owner of the script" if own else "",
            line=self.line,
        )
        run.add(report)

    def _head(self, run: Run, kind: str, to: str, reason: str, boundary: str) -> bytes:
        """Everything before the message that is reported. RFC 5965 §2."""
        subject = run.message.values("Subject")
        line = one_line(f"Report: {subject[0]}" if subject else "Report: (no subject)")
        quoted = "text/rfc822-headers" if self.headers_only else "message/rfc822"
        return b"".join([
            _from(run),
            structured("To", [f"<{to}>"]),
            field("Subject", line if len(line) <= _SUBJECT else line[: _SUBJECT - 1] + "…"),
            b"Auto-Submitted: auto-generated (report)\nX-Sieve: sievemda\nX-Sieve-Action: report\nMIME-Version: 1.0\n",
            b"Content-Type: multipart/report; report-type=feedback-report;\n",
            f'\tboundary="{boundary}"\nContent-Transfer-Encoding: 8bit\n\n'.encode(),
            f"This is a MIME-encapsulated message\n\n--{boundary}\n".encode(),
            b"Content-Disposition: inline\n",
            text_part(reason),
            f"\n--{boundary}\nContent-Type: message/feedback-report\n\n".encode(),
            _feedback(run, kind),
            f"\n--{boundary}\nContent-Type: {quoted}\nContent-Transfer-Encoding: 8bit\n"
            "Content-Disposition: attachment\n\n".encode(),
        ])  # fmt: skip


def _from(run: Run) -> bytes:
    source = resolve(run.limits.options.report_from, run)
    address = parse_address(source or postmaster(run))
    return structured("From", [mailbox("" if source else "Postmaster", address)] if address else ["Postmaster <>"])


def _feedback(run: Run, kind: str) -> bytes:
    """The machine-readable part. RFC 5965 §3; Dovecot-Reporting-User is what readers of Pigeonhole's reports expect."""
    recipient = run.envelope.recipient
    user = run.limits.options.user_email or recipient.orcpt or str(recipient.address)
    fields = [
        b"Version: 1\n",
        structured("Feedback-Type", [kind]),
        structured("User-Agent", [f"sievemda/{__version__}"]),
        structured("Original-Mail-From", [f"<{reverse_path(run)}>"]),
        structured("Original-Rcpt-To", [f"<{recipient.address}>"]),
        structured("Dovecot-Reporting-User", [f"<{user}>"]),
    ]
    return b"".join(fields)


def _boundary(message: Message, kind: str, to: str) -> str:
    digest = hashlib.sha256(f"{kind}\0{to}\0{message.size}\0".encode("utf-8", "surrogateescape") + message.head)
    return f"=_{digest.hexdigest()[:40]}"


def _bad_type(kind: str) -> str:
    return f"invalid feedback type {kind[:80]!r}: it must be a token"


def _bad_address(text: str) -> str:
    return f"invalid address for report: {text[:80]!r}"


EXTENSIONS = (Extension("vnd.dovecot.report", "RFC 5965, spec-bosch-sieve-report", commands=(ReportCommand,)),)
