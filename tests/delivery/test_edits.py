"""Headers that a script has changed, where a script runs, and the local time, in real deliveries."""

import time

import pytest

from sievemda.mail.result import Result
from tests.delivery.world import message, sender

ALICE = "alice@mx.example.org"


def delivered(world, script, data=None, **more):
    world.user("alice", "Lists", script=script)
    assert world.deliver(ALICE, data or message(), **more) == [Result.DELIVERED]
    return world


def test_what_is_stored_is_the_changed_message(world):
    script = 'require "editheader"; deleteheader "Subject"; addheader :last "X-Flavor" "vanilla";'
    stored = delivered(world, script).stored("user/alice")
    assert b"Subject" not in stored
    assert stored.endswith(b"\nX-Flavor: vanilla\n\nBody\n")


def test_the_size_in_the_name_is_that_of_the_changed_message(world):
    delivered(world, f'require "editheader"; addheader "X-Long" "{"word " * 300}end";')
    (file,) = world.files("user/alice")
    assert f",S={file.stat().st_size}" in file.name


def test_each_action_takes_the_message_as_it_was_then(world):
    script = """require ["editheader", "fileinto", "copy"];
        addheader "X-N" "1"; fileinto :copy "Lists"; addheader "X-N" "2"; redirect :copy "carol@example.net";"""
    delivered(world, script)
    assert b"X-N: 2\nX-N: 1\n" in world.stored("user/alice")
    assert b"X-N: 2" not in world.stored("user/alice/Lists")
    ((_, sent),) = world.outgoing()
    assert b"X-N: 2\nX-N: 1\n" in sent


def test_after_an_error_the_message_is_stored_as_it_came(world):
    delivered(world, 'require ["editheader", "ihave"]; addheader "X-N" "1"; error "no";')
    assert b"X-N" not in world.stored("user/alice")


def test_a_refusal_goes_out_with_the_header_that_came(make_world):
    """RFC 5293 §7: what generates an MDN uses the original header."""
    world = make_world(sieve_use_lmtp_reject=False)
    world.user("alice", script='require ["editheader", "reject"]; addheader "X-N" "1"; reject "no";')
    world.deliver(ALICE, message())
    ((_, sent),) = world.outgoing()
    assert b"Subject: hello" in sent
    assert b"X-N" not in sent


def test_another_recipient_gets_the_message_as_it_came(world):
    world.user("alice", script='require "editheader"; deleteheader "Subject";')
    world.user("bob")
    assert world.deliver([ALICE, "bob@mx.example.org"], message()) == [Result.DELIVERED] * 2
    assert b"Subject: hello" in world.stored("user/bob")


# -- the environment ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("name", "sievemda"), ("location", "MDA"), ("phase", "during"), ("host", "mx.example.org"), ("domain", "example.org"),
        ("remote-host", "client.example.net"), ("vnd.dovecot.username", "alice"), ("vnd.dovecot.default-mailbox", "INBOX"),
        ("vnd.dovecot.config.colour", "deep blue"),
    ],
)  # fmt: skip
def test_a_script_can_ask_where_it_runs(make_world, item, value):
    world = make_world(sieve_environment=("Colour = deep blue",))
    script = f'require ["vnd.dovecot.environment", "fileinto"]; if environment :is "{item}" "{value}" {{ fileinto "Lists"; }}'
    assert len(delivered(world, script).files("user/alice/Lists")) == 1


@pytest.mark.parametrize("item", ["remote-ip", "imap.cause", "vnd.dovecot.config.size"])
def test_what_is_not_known_matches_nothing(world, item):
    script = (
        f'require ["vnd.dovecot.environment", "fileinto"]; if environment :contains "{item}" "" {{ fileinto "Lists"; }}'
    )
    assert not delivered(world, script).files("user/alice/Lists")


def test_the_domain_may_be_set(make_world):
    world = make_world(defaultdomain="example.com")
    script = 'require ["environment", "fileinto"]; if environment "domain" "example.com" { fileinto "Lists"; }'
    assert len(delivered(world, script).files("user/alice/Lists")) == 1


# -- dates -------------------------------------------------------------------------------------------------------------


def test_a_date_of_last_summer_is_seen_with_summer_time(world, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        script = (
            'require ["date", "fileinto"]; if date "x-when" "iso8601" "2025-07-01T08:00:00-04:00" { fileinto "Lists"; }'
        )
        data = message(extra="X-When: Tue, 1 Jul 2025 12:00:00 +0000\n")
        assert len(delivered(world, script, data, who=sender()).files("user/alice/Lists")) == 1
    finally:
        monkeypatch.undo()
        time.tzset()
