"""Users of whom only a hash is kept, as who comes from elsewhere brings it."""

import sqlite3

import pytest

from sievemda.auth.backends.own import Own
from sievemda.auth.passwords import HASH, SCRAM_MECHANISMS, credentials_for
from sievemda.auth.sasl.offer import may_transit
from sievemda.auth.sasl.steps import Accepted, Refused
from sievemda.auth.users import Users
from tests.auth.sasl.conftest import SITE, begin, settings
from tests.auth.sasl.test_binding import exchange


@pytest.fixture(scope="module")
def hashed():
    return {HASH: credentials_for("pencil")[HASH]}


def users(credentials, *, transition):
    return Users(credentials, SITE, [Own(credentials, transition=transition)])


def scram(known):
    return exchange(begin(known, "SCRAM-SHA-256"), "SCRAM-SHA-256", "n,,")[-1]


@pytest.mark.parametrize("transition", [True, False])
def test_who_has_logged_in_with_plain_can_then_use_scram(credentials, hashed, transition):
    credentials.replace("alice", hashed)
    known = users(credentials, transition=transition)
    assert scram(known) == Refused("alice", "credentials")
    assert begin(known, "PLAIN").step(b"\0alice\0wrong") == Refused("alice", "credentials")
    assert scram(known) == Refused("alice", "credentials")
    assert begin(known, "PLAIN").step(b"\0alice\0pencil") == Accepted("alice", "alice")
    assert scram(known) == (Accepted("alice", "alice") if transition else Refused("alice", "credentials"))
    assert set(credentials.of("alice")) == ({HASH, *SCRAM_MECHANISMS} if transition else {HASH})


def test_a_password_that_was_changed_meanwhile_stays_changed(credentials, hashed):
    credentials.replace("alice", {HASH: "another hash"})
    credentials.add("alice", {"SCRAM-SHA-1": "of the old password"}, HASH, hashed[HASH])
    assert credentials.of("alice") == {HASH: "another hash"}
    credentials.replace("alice", {})
    credentials.add("alice", {"SCRAM-SHA-1": "of the old password"}, HASH, hashed[HASH])
    assert credentials.of("alice") == {}


def test_what_is_kept_already_is_not_replaced(credentials, hashed):
    credentials.replace("alice", {**hashed, "SCRAM-SHA-1": "first"})
    credentials.add("alice", {"SCRAM-SHA-1": "second", "SCRAM-SHA-256": "new"}, HASH, hashed[HASH])
    assert credentials.of("alice") == {**hashed, "SCRAM-SHA-1": "first", "SCRAM-SHA-256": "new"}


def test_trouble_with_the_verifiers_is_none_of_the_users(credentials, hashed, tmp_path, caplog):
    credentials.replace("alice", hashed)
    known = users(credentials, transition=True)
    database = sqlite3.connect(tmp_path / "state" / "accounts.db")
    database.execute("CREATE TRIGGER full BEFORE INSERT ON credential BEGIN SELECT RAISE(ABORT, 'full'); END")
    database.close()
    assert begin(known, "PLAIN").step(b"\0alice\0pencil") == Accepted("alice", "alice")
    assert "no verifiers for SCRAM: user=alice" in caplog.text
    assert "pencil" not in caplog.text


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("SCRAM-SHA-256", "credentials", True),
        ("SCRAM-SHA-1-PLUS", "credentials", True),
        ("SCRAM-SHA-256", "binding", False),
        ("SCRAM-SHA-256", "malformed", False),
        ("PLAIN", "credentials", False),
    ],
)
def test_that_plain_may_help_is_said_to_everybody_whose_scram_fails(name, reason, told):
    """Users without verifiers, users with a wrong password, and who is no user at all."""
    on = settings(sasl_auto_transition=True)
    assert may_transit(name, Refused("anybody", reason), on) == told
    assert not may_transit(name, Refused("anybody", reason), on.with_changes(sasl=settings().sasl))
