import dataclasses

import pytest

from sievemda.auth.client import Client
from sievemda.auth.sasl.steps import Accepted, Challenge, Refused
from tests.auth.sasl.conftest import SECURE, begin


def login(users, *responses):
    mechanism = begin(users, "LOGIN")
    for response in responses:
        step = mechanism.step(response)
    return step


def test_login_asks_for_name_and_password(known):
    mechanism = begin(known, "LOGIN")
    assert mechanism.step(None) == Challenge(b"Username:")
    assert mechanism.step(b"alice") == Challenge(b"Password:")
    assert mechanism.step(b"pencil") == Accepted("alice", "alice")


def test_login_takes_the_name_as_initial_response(known):
    assert login(known, b"alice", b"pencil") == Accepted("alice", "alice")


@pytest.mark.parametrize(
    ("name", "password", "refused"),
    [
        (b"alice", b"wrong", Refused("alice", "credentials")),
        (b"nobody", b"pencil", Refused("nobody", "credentials")),
        (b"alice", b"", Refused("alice", "malformed")),
        (b"", b"pencil", Refused("", "malformed")),
        (b"\xff", b"pencil", Refused("", "malformed")),
        (b"alice", b"\xff", Refused("", "malformed")),
        (b"alice\0root", b"pencil", Refused("", "malformed")),
        (b"alice", b"pencil\0", Refused("", "malformed")),
        (b"a" * 2000, b"pencil", Refused("a" * 2000, "malformed")),
        (b"alice", b"p" * 2000, Refused("alice", "malformed")),
    ],
    ids=lambda value: str(value)[:20],
)
def test_login_says_nothing_before_the_password(known, name, password, refused):
    mechanism = begin(known, "LOGIN")
    assert mechanism.step(None) == Challenge(b"Username:")
    assert mechanism.step(name) == Challenge(b"Password:")
    assert mechanism.step(password) == refused


@pytest.mark.parametrize("password", ["naïve \u2126", "nai\u0308ve \u03a9", "naïve\u00a0\u03a9", "na\u00adïve Ω"])
def test_passwords_that_look_alike_are_one(known, password):
    """RFC 4013: SASLprep."""
    assert begin(known, "PLAIN").step(f"\0bob\0{password}".encode()) == Accepted("bob", "bob")
    assert login(known, b"bob", password.encode()) == Accepted("bob", "bob")


@pytest.mark.parametrize("name", ["\uff41lice", "ali\u00adce", "Alice", "alice@example.org"])
def test_names_that_look_alike_are_one(known, name):
    assert begin(known, "PLAIN").step(f"\0{name}\0pencil".encode()) == Accepted("alice", "alice")


@pytest.mark.parametrize(
    "message",
    [
        b"\0" + b"a" * 2000 + b"\0pencil",
        b"\0alice\0" + b"p" * 2000,
        b"a" * 2000 + b"\0alice\0pencil",
        b"\0" * 3,
        b"\xc0\x80\0alice\0pencil",
        b"\xed\xa0\x80\0alice\0pencil",
    ],
    ids=lambda value: str(value)[:20],
)
def test_plain_refuses_what_is_malformed(known, message):
    step = begin(known, "PLAIN").step(message)
    assert isinstance(step, Refused)
    assert step.reason == "malformed"


@pytest.mark.parametrize(
    ("client", "response", "step"),
    [
        (dataclasses.replace(SECURE, certificate="alice"), b"", Accepted("alice", "alice")),
        (dataclasses.replace(SECURE, certificate="alice"), b"alice", Accepted("alice", "alice")),
        (dataclasses.replace(SECURE, certificate="Alice@example.org"), b"alice", Accepted("alice", "alice")),
        (dataclasses.replace(SECURE, certificate="alice"), b"bob", Refused("alice", "authzid")),
        (dataclasses.replace(SECURE, certificate="root"), b"bob", Accepted("root", "bob")),
        (dataclasses.replace(SECURE, certificate="../etc"), b"", Refused("../etc", "authzid")),
        (dataclasses.replace(SECURE, certificate="alice"), b"\xff", Refused("alice", "malformed")),
        (dataclasses.replace(SECURE, certificate="alice"), b"alice\0", Refused("alice", "malformed")),
        (dataclasses.replace(SECURE, certificate="alice"), b"a" * 2000, Refused("alice", "malformed")),
        (Client("", socket_user="alice"), b"", Accepted("alice", "alice")),
        (Client("", socket_user="root"), b"alice", Accepted("root", "alice")),
    ],
)
def test_external_takes_who_the_connection_shows(users, client, response, step):
    mechanism = begin(users, "EXTERNAL", client)
    assert mechanism.step(None) == Challenge(b"")
    assert mechanism.step(response) == step
