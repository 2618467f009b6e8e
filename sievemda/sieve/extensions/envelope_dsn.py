"""envelope-dsn: the parameters of RFC 3461 as parts of the envelope. RFC 6009 §4.

A parameter that was not given has no value, so that nothing matches; `:count` is 0 then, and the number of conditions
for `notify`. `orcpt` begins with the type of the address.
"""

from __future__ import annotations

from collections.abc import Sequence

from sievemda.sieve.node import Option
from sievemda.sieve.run import Run
from sievemda.sieve.vocabulary import EnvelopePart, Extension


def _notify(run: Run, _options: Sequence[Option]) -> tuple[str, ...]:
    return run.envelope.recipient.notify


def _orcpt(run: Run, _options: Sequence[Option]) -> tuple[str, ...]:
    recipient = run.envelope.recipient
    return (f"{recipient.orcpt_type or 'rfc822'};{recipient.orcpt}",) if recipient.orcpt else ()


def _ret(run: Run, _options: Sequence[Option]) -> tuple[str, ...]:
    return (run.envelope.sender.ret,) if run.envelope.sender.ret else ()


def _envid(run: Run, _options: Sequence[Option]) -> tuple[str, ...]:
    return (run.envelope.sender.envid,) if run.envelope.sender.envid else ()


EXTENSIONS = (
    Extension(
        "envelope-dsn",
        "RFC 6009 §4",
        envelope_parts={
            "notify": EnvelopePart(_notify, address=False),
            "orcpt": EnvelopePart(_orcpt, address=False),
            "ret": EnvelopePart(_ret, address=False),
            "envid": EnvelopePart(_envid, address=False),
        },
    ),
)
