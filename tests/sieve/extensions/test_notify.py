"""The old notify and denotify, in the ways clients have written them."""

import email
import email.policy

import pytest

from sievemda.sieve.effects import Notify
from tests.sieve.trying import COYOTE, KEEP, actions, failure, outcome, problems, warnings

R = 'require ["notify", "variables"];\n'


def notifications(script, message=COYOTE, **options):
    found = outcome(R + script, message, **options)
    assert found.failure is None, found.failure
    return [effect for effect in found.effects if isinstance(effect, Notify)]


def test_the_addresses_are_the_options():
    (effect,) = notifications(
        'notify :method "mailto" :options ["a@b.example", "C <c@d.example>"] :high :message "hi";'
    )
    assert effect.recipients == ("a@b.example", "c@d.example")
    assert (effect.importance, effect.message, effect.suppressed) == (1, "hi", "")
    found = email.message_from_bytes(effect.text, policy=email.policy.default)
    assert found["To"] == "a@b.example, C <c@d.example>"
    assert found["Auto-Submitted"].startswith("auto-notified")


@pytest.mark.parametrize(("tag", "importance"), [(":high", 1), (":normal", 2), (":low", 3), ("", 2)])
def test_priorities(tag, importance):
    (effect,) = notifications(f'notify :options "a@b.example" {tag};')
    assert effect.importance == importance


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (':message "$from$ $env-from$ $subject$ $other$"', "coyote@desert.example.org coyote@desert.example.org I have a present for you $other$"),
        (':message "$text[4]$"', "Look"),
        (':message "$text$"', "Look, I'm sorry about the whole anvil thing.\n"),
        (':message "$subject$$"', "I have a present for you$"),
        ("", "coyote@desert.example.org: I have a present for you"),
    ],
)  # fmt: skip
def test_macros(message, text):
    (effect,) = notifications(f'notify :options "a@b.example" {message};')
    assert effect.message == text


def test_a_value_is_no_macro():
    (effect,) = notifications('notify :options "a@b.example" :message "$subject$";', b"Subject: $from$\nFrom: x\n\n")
    assert effect.message == "$from$"


@pytest.mark.parametrize(
    ("denotify", "left"),
    [
        ("denotify;", []),
        ('denotify :is "one";', ["two"]),
        ('denotify :is "ONE";', ["two"]),
        ('denotify :matches "t*";', ["one"]),
        ('denotify :contains "o";', []),
        ('denotify :is "three";', ["one", "two"]),
        ("denotify :high;", ["two"]),
        ('denotify :is "one" :low;', ["one", "two"]),
        ("denotify :normal;", ["one", "two"]),
    ],
)
def test_denotify_takes_back(denotify, left):
    script = 'notify :id "one" :options "a@b.example" :high; notify :id "two" :options "c@d.example" :low;'
    assert [effect.identifier for effect in notifications(script + denotify)] == left


def test_denotify_leaves_everything_else():
    assert actions(R + 'redirect "a@b.example"; denotify;') == [{"action": "redirect", "address": "a@b.example"}]


def test_denotify_before_a_notify_takes_nothing_back():
    assert len(notifications('denotify; notify :options "a@b.example";')) == 1


def test_another_method_is_warned_of_and_tells_nobody():
    script = 'notify :method "sms" :options "+1555" :message "hi";'
    assert "unknown notify method 'sms'" in str(warnings(R + script))
    assert actions(R + script) == [
        {"action": "notify", "method": "sms", "message": "hi", "suppressed": "unknown notify method 'sms'"},
        KEEP,
    ]


def test_without_addresses_nobody_is_told():
    assert "nobody is told" in str(warnings(R + "notify;"))
    assert notifications("notify;")[0].suppressed == "it names no recipients"


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("notify :low :high;", "only one of ':low', ':normal' and ':high'"),
        ("denotify :low :high;", "only one of ':low', ':normal' and ':high'"),
        ('denotify :is "a" :matches "b";', "duplicate match type"),
        ('denotify "foo";', "requires 0 positional arguments, but 1"),
        ('notify "mailto:a@b.example";', "requires 0 positional arguments, but 1"),
        ('notify :options "nobody";', "invalid address for notify: 'nobody'"),
        ('notify :importance "1";', "unknown tagged argument ':importance'"),
        ("valid_notify_method;", "unknown command"),
    ],
)
def test_faults(command, fault):
    (problem,) = problems(R + command)
    assert fault in problem


def test_a_bad_address_that_shows_only_when_it_runs_is_an_error_then():
    assert "invalid address for notify: 'nobody'" in failure(R + 'set "x" "nobody"; notify :options "${x}";')


def test_fcc_goes_not_with_it():
    (problem,) = problems('require ["notify", "fcc"]; notify :fcc "Sent" :options "a@b.example";')
    assert "':fcc' goes with the notify of enotify" in problem


def test_it_goes_not_with_enotify():
    (problem,) = problems('require ["notify", "enotify"]; keep;')
    assert "cannot be used together" in problem


def test_what_macros_make_is_bounded():
    message = b"From: " + b"x" * 100_000 + b"\n\n"
    (effect, _) = actions(f'require "notify"; notify :options "a@b.c" :message "{"$from$" * 10_000}";', message)
    assert len(effect["message"]) < 300_000
