"""Every pair of actions: together, an error, or one of them."""

import itertools

import pytest

from tests.sieve.trying import outcome

MAIL = b"From: coyote@desert.example.org\nTo: roadrunner@acme.example.com\nSubject: hi\n\nhello\n"
ACTIONS = {
    "keep": "keep;",
    "fileinto": 'fileinto "x";',
    "redirect": 'redirect "a@b.example";',
    "discard": "discard;",
    "reject": 'reject "no";',
    "ereject": 'ereject "no";',
    "vacation": 'vacation "away";',
    "notify": 'notify "mailto:c@d.example";',
    "report": 'report "abuse" "text" "abuse@example.net";',
    "pipe": 'pipe "program";',
    "snooze": 'snooze "09:00:00";',
}
CAPABILITIES = [
    "fileinto", "reject", "ereject", "vacation", "enotify", "vnd.dovecot.report", "vnd.dovecot.pipe", "snooze",
]  # fmt: skip
REQUIRE = "require [" + ", ".join(f'"{name}"' for name in CAPABILITIES) + "];\n"
REFUSALS = {"reject", "ereject"}
WITH_A_REFUSAL = {"discard", "notify", "report"}
CANCEL = {"fileinto", "redirect", "discard", "reject", "ereject", "pipe", "snooze"}


def failure(*names):
    found = outcome(REQUIRE + "\n".join(ACTIONS[name] for name in names), MAIL)
    return found.failure and found.failure.text


def contradict(one, other):
    if {one, other} & REFUSALS:
        return not {one, other} & WITH_A_REFUSAL
    return one == other and one in {"vacation", "pipe"}


@pytest.mark.parametrize(("one", "other"), list(itertools.product(ACTIONS, repeat=2)))
def test_a_pair_goes_together_or_is_an_error_that_names_both_lines(one, other):
    text = failure(one, other)
    if contradict(one, other):
        assert text == f"{other} (line 3) cannot be combined with {one} (line 2)"
    else:
        assert text is None


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_cancels_the_implicit_keep_or_leaves_it(name):
    found = outcome(REQUIRE + ACTIONS[name], MAIL)
    # a keep that was asked for takes the place of the implicit one
    assert found.implicit_keep == (name not in CANCEL | {"keep"})


def test_different_programs_can_be_piped_to():
    assert outcome('require "vnd.dovecot.pipe"; pipe "a"; pipe "b";').failure is None
