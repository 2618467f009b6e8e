import errno
import os

import pytest

from sievemda.errors import ConfigurationError
from sievemda.store import departures, script_files
from sievemda.store.departures import AWAY, HELD, STAYING, THERE, Departure
from tests.managesieve.conversation import LOGIN, Direct, skip_to


@pytest.fixture
def ask(service):
    peer = Direct(service)
    skip_to(peer, b"OK\r\n")

    def ask(octets):
        peer.send(octets)
        said = bytes(peer.output)
        peer.output.clear()
        return said

    ask.peer = peer
    return ask


def moving(service, phase, host="new.example"):
    with departures.alone(service.homes, "alice"):
        departures.write(service.homes, "alice", Departure("id", host, "alice", phase))


@pytest.mark.parametrize("host", ["new.example", "root@new.example"])
def test_who_has_been_moved_is_referred_to_his_new_host(service, ask, host):
    moving(service, THERE, host)
    told = b'BYE (REFERRAL "sieve://new.example") "your scripts are on new.example"\r\n'
    assert ask(LOGIN) == told
    assert ask.peer.closed


def test_only_who_has_shown_who_he_is_learns_of_it(service, ask):
    moving(service, THERE)
    assert ask(b'AUTHENTICATE "PLAIN" "AGFsaWNlAHdyb25n"\r\n') == b'NO "authentication failed"\r\n'


@pytest.mark.parametrize("phase", [HELD, AWAY])
def test_who_is_on_his_way_is_told_to_try_later(service, ask, phase):
    moving(service, phase)
    assert ask(LOGIN).startswith(b"NO (TRYLATER) ")


def test_who_stays_yet_is_let_in(service, ask):
    moving(service, STAYING)
    assert ask(LOGIN) == b"OK\r\n"


def test_a_session_that_is_open_when_he_is_moved_changes_nothing_any_more(service, scripts, ask):
    assert ask(LOGIN) == b"OK\r\n"
    moving(service, HELD)
    assert ask(b'PUTSCRIPT "a" "keep;"\r\n').startswith(b"NO (TRYLATER) ")
    assert scripts.list() == ()
    moving(service, THERE)
    assert ask(b"LISTSCRIPTS\r\n").startswith(b'BYE (REFERRAL "sieve://new.example")')
    assert ask.peer.closed


def test_a_session_of_one_who_is_moved_can_unauthenticate(service, ask):
    ask(LOGIN)
    moving(service, THERE)
    assert ask(b"NOOP\r\nUNAUTHENTICATE\r\n") == b"OK\r\nOK\r\n"


@pytest.fixture
def make(make_service, tmp_path):
    def make(text):
        (tmp_path / "referrals").write_text(text)
        peer = Direct(make_service("allowplaintext=yes", f"managesieve_referrals={tmp_path}/referrals"))
        skip_to(peer, b"OK\r\n")
        peer.send(LOGIN)
        return bytes(peer.output)

    return make


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("# who is where\nbob two.example\nalice one.example\n", b"one.example"),
        ("alice one.example:2000", b"one.example:2000"),
        ("alice [2001:db8::1]:4190 # v6", b"[2001:db8::1]:4190"),
        ("@mail.test one.example\n", b""),
    ],
)
def test_a_file_says_who_is_elsewhere(make, text, host):
    told = make(text)
    assert told.startswith(b'BYE (REFERRAL "sieve://%s")' % host if host else b"OK")


def test_a_line_can_be_for_a_domain(make_service, tmp_path):
    (tmp_path / "referrals").write_text("@mail.test one.example\n")
    service = make_service(f"managesieve_referrals={tmp_path}/referrals", "defaultdomain=mail.test")
    assert service.referred("alice").argument == b"sieve://one.example"
    assert service.referred("alice@mail.test").argument == b"sieve://one.example"
    assert service.referred("alice@other.test") is None


@pytest.mark.parametrize("text", ["alice\n", "alice a b\n", 'alice "x"\n', "alice a/b\n"])
def test_a_line_that_cannot_be_understood_is_trouble_and_no_way_in(make, text):
    assert make(text).startswith(b"NO (TRYLATER)")


def test_a_used_up_disk_quota_is_told_as_one(ask, scripts, monkeypatch):
    assert ask(LOGIN) == b"OK\r\n"

    def full(*_):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    ask(b'PUTSCRIPT "a" "keep;"\r\n')
    monkeypatch.setattr(script_files, "write", full)
    assert ask(b'PUTSCRIPT "a" "stop;"\r\n') == b'NO (QUOTA) "your disk quota is used up"\r\n'
    assert scripts.get("a") == b"keep;"


def test_a_script_without_end_is_over_the_quota(ask):
    ask(LOGIN)
    told = ask(b'PUTSCRIPT "a" {4294967295+}\r\n')
    assert told == b'BYE (QUOTA/MAXSIZE) "the command is much too long"\r\n'
    assert ask.peer.closed


def test_a_path_that_is_none_is_told_at_the_start(make_service):
    with pytest.raises(ConfigurationError):
        make_service("managesieve_referrals=\0")
