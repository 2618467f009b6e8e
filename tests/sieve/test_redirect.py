"""redirect: from whom a message is sent on, and when it is not."""

import pytest

from sievemda.sieve import Limits
from sievemda.sieve.effects import Redirect
from sievemda.sieve.options import Options
from tests.sieve.trying import COYOTE, KEEP, actions, outcome

SCRIPT = 'redirect "elsewhere@example.com";'
OPTIONS = Options(user_email="rr@acme.example.com", postmaster="pm@acme.example.com")


def redirect(message=COYOTE, **options):
    (effect, *_) = outcome(SCRIPT, message, **options).effects
    assert isinstance(effect, Redirect)
    return effect


def site(source):
    return Limits(
        options=Options(user_email="rr@acme.example.com", postmaster="pm@x.example", redirect_envelope_from=source)
    )


def marked(*values):
    return "".join(f"X-Sieve-Redirected-From: {value}\n" for value in values).encode() + COYOTE


def test_the_envelope_sender_stays_that_of_the_message():
    assert redirect().return_path is None


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("sender", "coyote@desert.example.org"),
        ("Recipient", "roadrunner@acme.example.com"),
        ("user_email", "rr@acme.example.com"),
        ("postmaster", "pm@x.example"),
        ("<srs@acme.example.com>", "srs@acme.example.com"),
        ("<>", ""),
        ("default", None),
        (" ", None),
    ],
)
def test_the_site_may_choose_another(source, path):
    assert redirect(limits=site(source)).return_path == path


def test_what_came_from_nobody_is_sent_on_from_nobody():
    assert redirect(limits=site("postmaster"), sender=None).return_path is None


def test_the_mark_names_the_owner():
    assert redirect().mark == "roadrunner@acme.example.com"
    assert redirect(limits=site("")).mark == "rr@acme.example.com"


@pytest.mark.parametrize(
    "marks",
    [
        ["roadrunner@acme.example.com"],
        ["<RoadRunner@ACME.example.com>"],
        ["somebody@else.example", "<roadrunner@acme.example.com>"],
        ["rr@acme.example.com"],
    ],
)
def test_a_message_that_has_come_back_is_not_sent_on_and_is_kept(marks):
    limits = Limits(options=OPTIONS)
    why = "the message has come back from where it was redirected to: a loop"
    told = {"action": "redirect", "address": "elsewhere@example.com", "suppressed": why}
    assert actions(SCRIPT, marked(*marks), limits=limits) == [told, KEEP]


def test_the_mark_of_somebody_else_is_no_loop():
    assert actions(SCRIPT, marked("<coyote@desert.example.org>")) == [
        {"action": "redirect", "address": "elsewhere@example.com"}
    ]


def test_a_script_that_also_files_the_message_is_content_with_that():
    found = actions('require "fileinto"; fileinto "Lists"; ' + SCRIPT, marked("<roadrunner@acme.example.com>"))
    assert [one["action"] for one in found] == ["fileinto", "redirect"]
