"""Short ways to compile and run a script in a test."""

from datetime import UTC, datetime

from sievemda.mail.address import parse_address
from sievemda.mail.envelope import Envelope, Recipient, Sender
from sievemda.sieve import Limits, ScriptError, compile_script, run
from sievemda.sieve.check import check_script
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.report import to_json

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
COYOTE = b"""\
Date: Tue, 1 Apr 1997 09:06:31 -0800 (PST)
From: coyote@desert.example.org
To: roadrunner@acme.example.com
Subject: I have a present for you

Look, I'm sorry about the whole anvil thing.
"""


def envelope(sender="coyote@desert.example.org", recipient="roadrunner@acme.example.com", **options):
    path = parse_address(sender) if sender else None
    of_sender = {name: options.pop(name) for name in ("auth", "ret", "envid", "by") if name in options}
    return Envelope(Sender(path, **of_sender), Recipient(parse_address(recipient), **options))


def outcome(script, message=COYOTE, *, limits=None, mailboxes=(), own=(), world=None, **of_envelope):
    limits = limits or Limits()
    facts = Imagined(NOW, frozenset(mailboxes), frozenset(own), **(world or {}))
    return run(compile_script(script, limits), message_of(message), envelope(**of_envelope), facts, limits)


def actions(script, message=COYOTE, **options):
    """What the script decides, as JSON."""
    found = outcome(script, message, **options)
    assert found.failure is None, found.failure
    return [to_json(effect) for effect in found.effects]


def holds(test, message=COYOTE, require="", **options):
    """Whether one test is true of a message."""
    names = "".join(f'"{name}",' for name in require.split())
    head = f"require [{names[:-1]}];\n" if names else ""
    found = outcome(f"{head}if {test} {{ discard; }}", message, **options)
    assert found.failure is None, found.failure
    return not found.implicit_keep


def failure(script, message=COYOTE, **options):
    """The run-time error of a script, as text."""
    found = outcome(script, message, **options)
    assert found.failure is not None
    return str(found.failure)


def problems(script, *, limits=None, available=None):
    """Every error of a script, as text."""
    try:
        compile_script(script, limits or Limits(), available)
    except ScriptError as e:
        return [str(problem) for problem in e.problems if problem.severity == "error"]
    return []


def hints(script, *, available=None):
    """What people are told of each error of a script: how to mend it."""
    found = check_script(script.encode() if isinstance(script, str) else script, Limits(), available)
    return [problem.hint for problem in found if problem.severity == "error"]


def warnings(script):
    return [str(problem) for problem in compile_script(script, Limits()).problems]


KEEP = {"action": "keep", "flags": [], "implicit": True}


def filed(mailbox, *flags, copy=False, create=False):
    return {"action": "fileinto", "mailbox": mailbox, "flags": list(flags), "copy": copy, "create": create}
