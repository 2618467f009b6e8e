"""A run that is watched decides, spends and leaves what any other does, whatever the script."""

import json
from dataclasses import replace
from random import Random

import pytest

from sievemda.cli.sieve_explained import explained
from sievemda.cli.sieve_trace import trace_lines
from sievemda.cli.terminal import Screen, columns
from sievemda.mail.message import Message
from sievemda.sieve import tracing
from sievemda.sieve.compile import compile_script
from sievemda.sieve.limits import Limits
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.sequence import Stage, run_all
from sievemda.sieve.story import Story, read_source
from sievemda.sieve.told import story_to_json
from sievemda.sieve.tracing import Trace
from tests.sieve.generating import DIALECTS, SPACES, Maker
from tests.sieve.trying import NOW, envelope

LIMITS = Limits()


def ran(script, message, begin=None, limits=LIMITS):
    program = compile_script(script, LIMITS)
    more = (begin,) if begin else ()
    return run_all([Stage(lambda: program)], message_of(message), envelope(), Imagined(NOW), limits, *more)


MESSAGES = [
    b"\n",
    b"Subject: a\nFrom: Kim <kim@example.org>\nTo: a.b+c@example.net\nX-Label: 10\n\nbody\n",
    b"Subject: =?utf-8?q?=C3=BC?=\nSubject: xaxbx\nCc: a b\nDate: Sun, 1 Feb 2026 10:00:00 +0100\n\na b c\n.\n\n",
    b'Content-Type: multipart/mixed; boundary="x"\nMessage-ID: <x.y>\n\n--x\n\na\n--x\nContent-Type: text/html\n\nb\n--x--\n',
]


def made(seed):
    """A script that compiles, of words of all extensions, and a message."""
    maker = Maker(Random(seed), DIALECTS[seed % len(DIALECTS)])
    return maker.laid_out(maker.script(8), SPACES), MESSAGES[seed % len(MESSAGES)]


def plain(effect):
    """The effect with the text of its message, since each run makes messages of its own."""
    texts = {name: getattr(effect, name, None) for name in ("message", "about")}
    texts = {name: message for name, message in texts.items() if isinstance(message, Message)}
    return replace(effect, **dict.fromkeys(texts)), [message.data[:] for message in texts.values()]


def all_of(outcome):
    return (
        [plain(effect) for effect in outcome.effects], outcome.implicit_keep, outcome.failure, list(outcome.tests), outcome.remember, outcome.notes,
        outcome.edits, outcome.entered,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_a_watched_run_is_the_same_run(seed):
    script, message = made(seed)
    trace = Trace()
    watched = ran(script, message, trace.begin)
    assert all_of(watched) == all_of(ran(script, message))
    assert [(trial.node.line, trial.node.keyword, trial.result) for trial in trace.trials] == [
        (tried.line, tried.test, tried.result) for tried in watched.tests
    ]


@pytest.mark.parametrize("seed", range(60, 100))
def test_whatever_ran_can_be_told(seed):
    script, message = made(seed)
    trace = Trace()
    outcome = ran(script, message, trace.begin)
    story = Story(trace, {"": read_source(script.encode("utf-8", "surrogateescape"), LIMITS)})
    told = story_to_json(outcome, story, (), full=True)
    assert json.loads(json.dumps(told))["tests"] == told["tests"]
    entered = {(each.line, each.column) for each in outcome.entered}
    assert {(rule["line"], rule["column"]) for rule in told["rules"] if rule["result"] == "matched"} == entered
    screen = Screen(width=60)
    for line in (*trace_lines(screen, story, LIMITS, 100, "s"), *explained(screen, story, outcome, "s")):
        assert line.isprintable()
        assert columns(line) <= 61 or not line.startswith(" ")


def test_what_is_looked_at_to_explain_is_bounded(monkeypatch):
    """A test over a giant value with many keys is explained as far as the budget for that goes, and the run goes on."""
    keys = ", ".join(f'"y{n}"' for n in range(500))
    script = f'if header :contains "subject" [{keys}, "x"] {{ discard; }}'
    trace = Trace()
    limits = Limits(matching=2_000_000, looks=600)
    message = b"Subject: " + b"x" * 10_000 + b"\n\n"
    outcome = ran(script, message, trace.begin, limits)
    assert all_of(outcome) == all_of(ran(script, message, None, limits))
    assert trace.trials[0].matched is None or trace.trials[0].matched[1] == "x"


def test_a_long_run_is_recorded_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(tracing, "MOST", 10)
    script = (
        "".join(f'if header "subject" "{n}" {{ keep; }}\n' for n in range(30)) + 'if true { if exists "a" { stop; } }'
    )
    trace = Trace()
    outcome = ran(script, b"Subject: 29\n\n", trace.begin)
    assert len(trace.moments) == 10
    assert all_of(outcome) == all_of(ran(script, b"Subject: 29\n\n"))
