"""Delays and lock-outs, on the real file, with a clock that the tests move."""

import contextlib
import ipaddress
import logging

import pytest

from sievemda.auth import guard as module
from sievemda.auth.guard import Guard
from sievemda.config import Guard as Options
from sievemda.config import Site
from sievemda.state.failures import Failures

HOME, OFFICE = "192.0.2.1", "198.51.100.7"
OPTIONS = Options(failedloginpause=4, lockout_failures=5, lockout_within=300, lockout_time=600)


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1_800_000_000.0

        def time(self):
            return self.now

    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def failures(tmp_path):
    with contextlib.closing(Failures(tmp_path / "failures.db")) as made:
        yield made


@pytest.fixture
def make(failures, clock):
    def make(**changes):
        return Guard(failures, OPTIONS.with_changes(**changes), Site())

    return make


@pytest.fixture
def guard(make):
    return make()


def fail(guard, address=HOME, user="alice", tried=None, times=1):
    """Wrong passwords, each another one unless `tried` says which; the last delay."""
    for number in range(times):
        attempt = guard.attempt("managesieve", address)
        delay = attempt.failed(user, "PLAIN", "credentials", tried or f"{user} {number} {guard}".encode())
    return delay


def locked(guard, address=HOME):
    return guard.attempt("managesieve", address).locked


def test_the_pause_doubles_up_to_its_longest(guard):
    assert [fail(guard) for _ in range(5)] == [0.5, 1.0, 2.0, 4.0, 4.0]


def test_no_pause_where_none_is_wanted(make):
    assert fail(make(failedloginpause=0), times=3) == 0


def test_an_address_is_locked_out_for_a_while_whoever_it_says_it_is(guard, clock):
    for number in range(5):
        assert not locked(guard)
        fail(guard, user=f"user{number}")
    assert locked(guard)
    clock.now += 599
    assert locked(guard)
    clock.now += 1
    assert not locked(guard)


def test_a_lock_out_begins_anew_with_all_failures_to_come(guard, clock):
    fail(guard, times=5)
    clock.now += 600
    fail(guard, times=4)
    assert not locked(guard)
    fail(guard)
    assert locked(guard)


def test_other_addresses_are_not_locked_out(guard):
    fail(guard, times=5)
    assert not locked(guard, OFFICE)
    assert not locked(guard, "192.0.2.2")


def test_failures_leak_away(guard, clock):
    for _ in range(50):
        fail(guard)
        clock.now += 60
    assert not locked(guard)


def test_a_stored_wrong_password_tried_again_and_again_locks_nobody_out(make, clock):
    guard = make(lockout_within=36000)
    for _ in range(50):
        fail(guard, tried=b"\0alice\0of last year")
        clock.now += 60
    fail(guard, user="bob", times=3)
    assert not locked(guard)


def test_the_same_password_fast_is_as_good_as_guessing(guard, clock):
    for _ in range(5):
        fail(guard, tried=b"\0alice\0of last year")
        clock.now += 1
    assert locked(guard)


def test_what_a_user_mistyped_is_taken_back_when_he_gets_in(guard):
    fail(guard, times=4)
    guard.attempt("managesieve", HOME).succeeded("alice")
    fail(guard, user="bob", times=4)
    assert not locked(guard)


def test_getting_in_oneself_does_not_make_up_for_guessing_at_others(guard):
    fail(guard, user="bob", times=4)
    guard.attempt("managesieve", HOME).succeeded("alice")
    fail(guard, user="bob")
    assert locked(guard)


def test_a_user_is_never_locked_out_but_wrong_answers_for_him_wait(guard):
    for number in range(40):
        delay = fail(guard, address=f"203.0.113.{number}")
    assert delay == 4
    assert not locked(guard, OFFICE)
    assert fail(guard, address=OFFICE, user="bob") == 0.5


def test_what_was_held_against_a_user_decays(guard, clock):
    fail(guard, times=4)
    clock.now += 60 * 5
    assert fail(guard, address=OFFICE) == 0.5


def test_all_spellings_of_a_user_count_together(guard):
    fail(guard, user="alice", times=2)
    assert fail(guard, address=OFFICE, user="Alice@internal") == 2.0


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", HOME, True),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_of_ipv6_a_network_of_64_bits_counts_as_one(guard, one, other, together):
    fail(guard, address=one, times=5)
    assert locked(guard, other) is together


@pytest.mark.parametrize("address", ["", "10.1.2.3", "2001:db8:7::9"])
def test_some_are_never_locked_out(make, address):
    guard = make(lockout_never=("10.0.0.0/8", "2001:db8:7::/48"))
    fail(guard, address=address, times=20)
    assert not locked(guard, address)


def test_zero_failures_means_never(make):
    guard = make(lockout_failures=0)
    fail(guard, times=50)
    assert not locked(guard)


@pytest.mark.parametrize("reason", ["mailbox", "denied", "authzid", "locked", "malformed"])
def test_what_was_no_guess_at_a_password_is_not_counted(guard, reason):
    for _ in range(20):
        assert guard.attempt("managesieve", HOME).failed("alice", "PLAIN", reason) == 0.5
    assert not locked(guard)


def test_every_process_knows_and_a_new_one_too(make):
    fail(make(), times=3)
    fail(make(), times=2)
    assert locked(make())


def test_a_clock_that_was_put_back_locks_nobody_out(guard, clock):
    fail(guard, times=5)
    clock.now -= 86400
    assert not locked(guard)
    assert fail(guard, user="bob", address=OFFICE) == 0.5


def test_a_file_that_cannot_be_used_keeps_nobody_out(tmp_path, clock, caplog):
    (tmp_path / "no").write_text("a file")
    guard = Guard(Failures(tmp_path / "no" / "failures.db"), OPTIONS, Site())
    assert fail(guard, times=20) == 0.5
    assert not locked(guard)
    assert "nobody can be locked out" in caplog.text


def test_millions_of_addresses_take_no_more_room_and_lock_outs_stay_longest(failures, guard, clock):
    fail(guard, times=5)
    for number in range(300):
        fail(guard, address=str(ipaddress.ip_address(0x20010DB8 << 96 | number << 64)), user=f"u{number}")
    failures.prune(int(clock.now), most=50)
    assert len(failures.all()) <= 50
    assert locked(guard)
    clock.now += 86400
    failures.prune(int(clock.now))
    assert failures.all() == []


@pytest.mark.parametrize(
    "user",
    [
        "a rhost=6.6.6.6 reason=credentials",
        "a\r\nmanagesieve: login failed: user=b mech=PLAIN rhost=6.6.6.6 reason=credentials",
        "rhost=6.6.6.6",
        "\x1b[2J\x00\u2028\u202e",
        "",
        "x" * 5000,
    ],
)
def test_no_name_of_a_user_can_forge_a_line(guard, caplog, user):
    with caplog.at_level(logging.WARNING):
        guard.attempt("managesieve", HOME).failed(user, "PLAIN", "credentials", b"x")
    (line,) = caplog.messages
    assert line.startswith("managesieve: login failed: user=")
    words = line.removeprefix("managesieve: login failed: ").split(" ")
    assert [each.partition("=")[0] for each in words] == ["user", "mech", "rhost", "reason"]
    assert words[2] == f"rhost={HOME}"
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 1400
