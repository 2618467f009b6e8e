"""Where a script of a conversion puts a message, in words that fit every filter."""

from sievemda.sieve import Limits
from sievemda.sieve.effects import Discard, Redirect, Refuse, Respond, Store
from sievemda.sieve.vocabulary import registry
from sievemda.upkeep.conversion.report import Verdict
from sievemda.upkeep.conversion.site import Site
from tests.sieve.trying import outcome

SITE = Site(frozenset(registry().default), Limits(), "/".join, "alice")


def message(*fields, body="Hello.\n", sender="bob@example.net"):
    """A message with these fields before some usual ones."""
    usual = {"From": f"Bob <{sender}>", "To": "alice@example.org", "Subject": "hello", "Message-ID": "<1@example.net>"}
    given = {field.partition(":")[0].lower() for field in fields}
    lines = [*fields, *(f"{name}: {value}" for name, value in usual.items() if name.lower() not in given)]
    return ("\n".join(lines) + "\n\n" + body).encode()


def goes(converted, content, **options):
    """A sorted list of folders, `INBOX`, `!ADDRESS` and other words; empty when it goes nowhere."""
    options = {"recipient": "alice@example.org", "sender": "bob@example.net"} | options
    found = outcome(converted.script, content, **options)
    assert found.failure is None, found.failure
    return sorted(word for effect in found.effects for word in _words(effect))


def _words(effect):
    match effect:
        case Store():
            return [effect.mailbox or "INBOX"]
        case Redirect():
            return [f"!{effect.address}"]
        case Respond():
            return ["answer"]
        case Refuse():
            return ["refused"]
        case Discard():
            return []
    return [type(effect).__name__]


def verdicts(converted):
    return [finding.verdict.word for finding in converted.findings]


def impossible(converted):
    """Why, of each that is."""
    return [finding.why for finding in converted.findings if finding.verdict is Verdict.IMPOSSIBLE]
