"""Killed between any two steps, and then the retry of the MTA: never lost, at most one copy more, nothing half-written.

A child process delivers, with every function that changes a file or a database counted; before the n-th call, or right
behind it, the child ends without any clean-up. The parent then delivers the same message again, as an MTA would.
"""

import errno
import os
import sqlite3

import pytest

from sievemda.errors import TemporaryTrouble
from sievemda.mail.result import Result
from sievemda.state import sqlite
from sievemda.state.holds import Holds
from sievemda.state.memory import Key
from tests.delivery.world import DATE, PEER, World, message, sender

SCRIPT = 'require ["fileinto", "copy"]; fileinto :copy "A"; redirect :copy "away@example.net"; keep;'
CALLS = ("write", "fsync", "fdatasync", "link", "rename", "replace", "unlink", "mkdir", "close")
TO = ["alice@x", "bob@x", "alice+missing@x"]
BODY = "".join(f"line {n}\n" for n in range(2000))


def prepared(data) -> World:
    world = World(data, lmtp_spool_threshold=4096)
    world.user("alice", "A", script=SCRIPT)
    world.user("bob")
    return world


class Stopper:
    """Counts steps; ends the process at one of them."""

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.at:
            os._exit(42)

    def around(self, function):
        def counted(*arguments, **more):
            self()
            result = function(*arguments, **more)
            self()
            return result

        return counted


def die_at(step: int, data, body: str) -> int:
    """Deliver in a child that dies at that step; returns how the child ended: 42 died, 0 came through."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        world = World(data, lmtp_spool_threshold=4096)
        stop = Stopper(step)
        for name in CALLS:
            setattr(os, name, stop.around(getattr(os, name)))
        real = sqlite3.connect

        class Counted(sqlite3.Connection):
            execute = stop.around(sqlite3.Connection.execute)
            executemany = stop.around(sqlite3.Connection.executemany)

        sqlite.sqlite3.connect = lambda *a, **k: real(*a, **k, factory=Counted)
        results = world.deliver(TO, message(body=body))
        code = 0 if results == [Result.DELIVERED] * 3 else 2
    finally:
        os._exit(code)


def bodies(world, folder) -> list[bytes]:
    return [p.read_bytes().partition(b"\n\n")[2] for p in world.files(folder)]


@pytest.mark.parametrize("body", ["Body\n", BODY], ids=["small", "spooled"])
def test_a_crash_at_any_step_loses_nothing(tmp_path, body):
    step, more = 0, 0
    while True:
        step += 1
        data = tmp_path / f"{step}"
        world = prepared(data)
        world.close()
        ended = die_at(step, data, body)
        if ended == 0:
            break
        assert ended == 42, f"step {step}: the child ended with {ended}"
        retry = World(data, lmtp_spool_threshold=4096)
        assert retry.deliver(TO, message(body=body)) == [Result.DELIVERED] * 3, f"step {step}"
        for folder in ("user/alice", "user/alice/A", "user/bob"):
            found = bodies(retry, folder)
            assert 1 <= len(found) <= 2, f"step {step}: {folder} has {len(found)}"
            assert set(found) == {body.encode()}, f"step {step}: {folder} is damaged"
            more += len(found) - 1
        sent = retry.outgoing()
        assert 2 <= len(sent) <= 3, f"step {step}: {len(sent)} redirects"  # for alice and for alice+missing
        assert all(text.endswith(body.encode()) for _, text in sent)
        assert retry.store.clean_stage(0) >= 0
        assert retry.staged() == []
        retry.close()
    assert step > 60
    assert more < 3 * step / 10  # of three folders: the memory makes a copy too many rare


def test_a_message_half_spooled_is_gone_after_the_sweep(tmp_path):
    world = World(tmp_path / "data", lmtp_spool_threshold=1000)
    world.user("alice")
    intake = world.deliverer.intake(sender(), PEER, [world.verify("alice@x")])
    intake.feed(message(body="x" * 5000))
    assert len(world.staged()) == 1
    world.store.clean_stage(0)
    assert world.staged() == []
    intake.abort()
    world.close()


# --- trouble of the memory ---


def test_a_memory_that_cannot_be_read_is_temporary_trouble_and_nothing_is_stored(world):
    world.user("alice", "A", script=SCRIPT)
    path = world.settings.memory_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"rubbish" * 1000)
    assert world.deliver("alice@x", message()) == [Result.MEMORY_TROUBLE]
    assert world.files("user/alice") == world.files("user/alice/A") == []
    assert world.outgoing() == []
    assert world.staged() == []
    assert path.read_bytes() == b"rubbish" * 1000


def test_mail_flows_again_when_the_memory_is_mended(world):
    world.user("alice")
    path = world.settings.memory_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"rubbish" * 1000)
    world.deliver("alice@x", message())
    path.unlink()
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]


def test_a_memory_that_cannot_be_written_once_the_copy_is_in_place_is_logged_and_fine(world, monkeypatch, caplog):
    def fail(*_):
        raise TemporaryTrouble("database is locked")

    world.user("alice")
    monkeypatch.setattr(world.memory, "remember", fail)
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice")) == 1
    assert "memory not written" in caplog.text


def test_a_memory_that_breaks_between_two_copies_stops_nothing(world, monkeypatch, caplog):
    world.user("alice", "A", script='require ["fileinto", "copy"]; fileinto :copy "A"; keep;')
    real, calls = world.memory.seen, []

    def once(key, now):
        calls.append(key)
        if len(calls) > 1:
            raise TemporaryTrouble("database is locked")
        return real(key, now)

    monkeypatch.setattr(world.memory, "seen", once)
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice")) == len(world.files("user/alice/A")) == 1
    assert "memory not read" in caplog.text


def test_a_message_that_somebody_else_is_delivering_for_too_long_is_busy(world, monkeypatch):
    world.user("alice")
    target = world.verify("alice@x")
    key = Key("delivered", "<1@example.net>", target.mailbox.id, DATE)
    with world.memory.hold(key):
        monkeypatch.setattr(Holds.hold, "__kwdefaults__", {"wait": 0.05})
        assert world.deliver("alice@x", message()) == [Result.BUSY]
    assert world.files("user/alice") == []


# --- trouble of the store ---


@pytest.mark.parametrize(
    ("number", "result"),
    [
        (errno.ENOSPC, Result.DISK_FULL),
        (errno.EDQUOT, Result.DISK_FULL),
        (errno.EIO, Result.TROUBLE),
        (errno.EROFS, Result.TROUBLE),
    ],
)
@pytest.mark.parametrize("script", ["", "keep;", 'require "fileinto"; fileinto "A";'])
def test_a_disk_that_fails_is_temporary_trouble_and_a_line_in_the_log(
    world, monkeypatch, caplog, number, result, script
):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    world.user("alice", "A", script=script)
    with monkeypatch.context() as patch:
        patch.setattr("sievemda.store.staging.os.fdatasync", fail)
        assert world.deliver("alice@x", message()) == [result]
    assert os.strerror(number) in caplog.text
    assert "Traceback" not in caplog.text
    assert world.files("user/alice") == []
    assert world.staged() == []
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]


def test_a_failing_journal_changes_nothing(world):
    world.user("alice")
    world.settings.journal_path.parent.mkdir(parents=True, exist_ok=True)
    world.settings.journal_path.write_bytes(b"rubbish" * 1000)
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert len(world.files("user/alice")) == 1


def test_a_bug_is_temporary_trouble_for_one_recipient_with_its_traceback_in_the_log(world, monkeypatch, caplog):
    real = world.deliverer._decide

    def broken(job, *others):
        if job.target.owner == "alice":
            raise RuntimeError("a bug")
        return real(job, *others)

    world.user("alice")
    world.user("bob")
    monkeypatch.setattr(world.deliverer, "_decide", broken)
    assert world.deliver(["alice@x", "bob@x"], message()) == [Result.TROUBLE, Result.DELIVERED]
    assert "Traceback" in caplog.text
    assert "session=s1" in caplog.text
