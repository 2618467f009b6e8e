"""The same message from several threads and processes at once is stored once."""

import os
import threading

import pytest

from sievemda.mail.result import Result
from sievemda.state.holds import Holds
from tests.delivery.world import World, message

SCRIPT = 'require ["fileinto", "copy", "vacation"]; fileinto :copy "A"; redirect :copy "away@example.net"; keep;'


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Who waits for others to deliver the same is not sent away because the machine has much else to do."""
    monkeypatch.setattr(Holds.hold, "__kwdefaults__", {"wait": 300})


def threads(work, number=4):
    results = []
    running = [threading.Thread(target=lambda n=n: results.append(work(n))) for n in range(number)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(300)
    return results


def test_threads_that_deliver_the_same_message_store_it_once(world):
    world.user("alice", "A", script=SCRIPT)
    results = threads(lambda _: world.deliver("alice@x", message()), 8)
    assert results == [[Result.DELIVERED]] * 8
    assert len(world.files("user/alice")) == len(world.files("user/alice/A")) == len(world.outgoing()) == 1


def test_processes_that_deliver_the_same_message_store_it_once(tmp_path):
    world = World(tmp_path / "data")
    world.user("alice", "A", script=SCRIPT)
    world.close()
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                mine = World(tmp_path / "data")
                results = threads(lambda _, mine=mine: mine.deliver("alice@x", message()), 3)
                code = 0 if results == [[Result.DELIVERED]] * 3 else 2
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 4
    assert len(world.files("user/alice")) == len(world.files("user/alice/A")) == len(world.outgoing()) == 1
    world.close()


def test_one_sender_is_answered_once_though_his_messages_come_at_once(world):
    world.user("alice", script='require "vacation"; vacation :addresses "alice@example.org" "away";')
    threads(lambda n: world.deliver("alice@x", message(f"<{n}@x>")), 8)
    assert len(world.files("user/alice")) == 8
    assert len(world.outgoing()) == 1


@pytest.mark.parametrize("users", [1, 4])
def test_different_messages_do_not_hinder_each_other(world, users):
    for user in range(users):
        world.user(f"u{user}")
    results = threads(lambda n: [world.deliver(f"u{n % users}@x", message(f"<{n}.{i}@x>")) for i in range(20)], 4)
    assert all(r == [Result.DELIVERED] for rs in results for r in rs)
    assert sum(len(world.files(f"user/u{user}")) for user in range(users)) == 80


def test_quota_usage_is_right_after_deliveries_at_once(world):
    world.user("alice")
    world.quota("user/alice", storage=10_000_000)
    threads(lambda n: [world.deliver("alice@x", message(f"<{n}.{i}@x>")) for i in range(20)], 4)
    root = world.store.quota_root(world.verify("alice@x").mailbox.name)
    assert root.usage().messages == 80
    assert root.usage().storage == sum(p.stat().st_size for p in world.files("user/alice"))
