"""RFC 6009 §6 with its example."""

import pytest

from sievemda.sieve import Limits
from sievemda.sieve.effects import Redirect
from sievemda.sieve.options import Options
from tests.sieve.trying import KEEP, actions, failure, hints, outcome, problems

R = 'require ["redirect-dsn", "copy", "variables"];\n'


def redirect(tags, **options):
    found = outcome(R + f'redirect {tags} "elsewhere@example.com";', **options)
    assert found.failure is None, found.failure
    (effect,) = (effect for effect in found.effects if isinstance(effect, Redirect))
    return effect


def test_the_example():
    script = """
    if address "from" "coyote@desert.example.org" {
        redirect :copy :notify "NEVER" "elsewhere@example.com";
    }
    """
    told = {"action": "redirect", "address": "elsewhere@example.com", "copy": True, "notify": ["NEVER"]}
    assert actions(R + script) == [told, KEEP]


@pytest.mark.parametrize(
    ("value", "notify"),
    [
        ("NEVER", ("NEVER",)),
        ("never", ("NEVER",)),
        ("SUCCESS,failure,DELAY", ("SUCCESS", "FAILURE", "DELAY")),
        ("DELAY,DELAY", ("DELAY",)),
    ],
)
def test_conditions(value, notify):
    assert redirect(f':notify "{value}"').notify == notify


def test_what_is_returned():
    assert redirect(':ret "hdrs"').ret == "HDRS"
    assert redirect(':ret "FULL" :notify "DELAY"').ret == "FULL"


@pytest.mark.parametrize("tags", [':notify "NEVER"', ':ret "FULL"'])
def test_the_notices_come_to_the_owner(tags):
    """§6.1; but what came from nobody is sent on from nobody."""
    assert redirect(tags).return_path == "roadrunner@acme.example.com"
    assert redirect(tags, limits=Limits(options=Options(user_email="rr@x.example"))).return_path == "rr@x.example"
    assert redirect(tags, sender=None).return_path == ""


def test_without_the_tags_the_sender_is_kept():
    assert redirect("").return_path is None


VALUES = [
    (':notify "NEVER,SUCCESS"', "':notify'"),
    (':notify "SUCCESS, DELAY"', "':notify'"),
    (':notify "SUCCESS,"', "':notify'"),
    (':notify ""', "':notify'"),
    (':notify "sometimes"', "':notify'"),
    (':ret "BODY"', "':ret'"),
    (':ret ""', "':ret'"),
]


@pytest.mark.parametrize(("tags", "fault"), VALUES)
def test_values_that_are_none(tags, fault):
    (problem,) = problems(R + f'redirect {tags} "a@b.example";')
    assert f"invalid value of {fault} for redirect" in problem
    hidden = tags.replace(' "', ' "${x}')
    assert f"invalid value of {fault} for redirect" in failure(R + f'redirect {hidden} "a@b.example";')


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ('redirect :notify ["NEVER"] "a@b.example";', "expects a string, but a string list"),
        ('redirect :notify "NEVER" :notify "DELAY" "a@b.example";', "duplicate ':notify'"),
        ('keep :notify "NEVER";', "unknown tagged argument ':notify'"),
    ],
)
def test_faults_of_shape(command, fault):
    (problem,) = problems(R + command)
    assert fault in problem


def test_the_tags_need_the_extension():
    (hint,) = hints('redirect :notify "NEVER" "a@b.example";')
    assert 'add require ["redirect-dsn"]' in hint
