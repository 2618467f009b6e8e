"""`account locks` over the file that the guard of a server writes."""

import json
import re
import time

import pytest

from sievemda.auth.guard import Guard
from sievemda.config import Guard as Options
from sievemda.config import Settings, Site
from sievemda.state.failures import Failures


@pytest.fixture
def guard(tmp_path):
    options = Options(lockout_failures=3, lockout_never=())
    return Guard(Failures(Settings(data=tmp_path / "d").failures_path), options, Site())


def fail(guard, address, user, times=3):
    for number in range(times):
        guard.attempt("managesieve", address).failed(user, "PLAIN", "credentials", f"{number}".encode())


def locked(guard, address):
    return guard.attempt("managesieve", address).locked


def test_nothing_is_held_against_anybody_and_no_file_is_made(call, tmp_path):
    assert call("account", "locks") == (0, "", "")
    assert call("account", "locks", "--all", "--json") == (0, "[]\n", "")
    assert not (tmp_path / "d").exists()


def test_addresses_that_are_locked_out_are_listed_with_their_time(call, guard):
    fail(guard, "192.0.2.1", "alice")
    fail(guard, "2001:db8::1", "bob")
    fail(guard, "192.0.2.2", "carol", times=1)
    time_ = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    code, out, _ = call("account", "locks")
    assert code == 0
    form = "".join(rf"{re.escape(a)} since {time_} until {time_} failures 3\n" for a in ("192.0.2.1", "2001:db8::/64"))
    assert re.fullmatch(form, out)


def test_with_all_users_and_others_are_listed_too(call, guard):
    fail(guard, "192.0.2.1", "alice")
    fail(guard, "192.0.2.2", "x\x1b[2J\n", times=1)
    found = json.loads(call("account", "locks", "--all", "--json")[1])
    assert [(one["kind"], one["name"], one["locked"], one["failures"]) for one in found] == [
        ("address", "192.0.2.1", True, 3),
        ("address", "192.0.2.2", False, 1),
        ("user", "alice", False, 3),
        ("user", "x\\x1b[2J\\x0a", False, 1),
    ]
    assert found[0]["until"] - found[0]["since"] == 600
    assert abs(found[0]["last"] - time.time()) < 60
    assert call("account", "locks", "--all")[1].isprintable() is False
    assert "\x1b" not in call("account", "locks", "--all")[1]


@pytest.mark.parametrize("name", ["192.0.2.1", "::ffff:192.0.2.1"])
def test_a_lock_out_can_be_ended(call, guard, name):
    fail(guard, "192.0.2.1", "alice")
    fail(guard, "2001:db8::1", "bob")
    assert call("account", "locks", "--clear", name) == (0, "", "")
    assert not locked(guard, "192.0.2.1")
    assert locked(guard, "2001:db8::1")
    assert call("account", "locks", "--clear", "2001:db8::7")[0] == 0
    assert not locked(guard, "2001:db8::1")
    assert call("account", "locks", "--clear", "Alice")[0] == 0
    assert [one["name"] for one in json.loads(call("account", "locks", "--all", "--json")[1])] == ["bob"]


def test_all_lock_outs_can_be_ended(call, guard):
    fail(guard, "192.0.2.1", "alice")
    assert call("account", "locks", "--clear-all")[0] == 0
    assert call("account", "locks", "--all", "--json")[1] == "[]\n"
    assert not locked(guard, "192.0.2.1")


def test_who_is_not_held_anything_against_is_an_error(call, guard):
    assert call("account", "locks", "--clear", "192.0.2.1")[0] == 67
    fail(guard, "192.0.2.2", "alice")
    code, _, err = call("account", "locks", "--clear", "192.0.2.1")
    assert (code, err) == (67, "sievemda: nothing is held against 192.0.2.1\n")


def test_listing_and_clearing_are_two_commands(call):
    assert call("account", "locks", "--all", "--clear-all")[0] == 64
