"""Holds over threads and processes."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from sievemda.state.holds import Busy, Holds


@pytest.fixture
def holds(tmp_path):
    holds = Holds(tmp_path / "state" / "lock")
    yield holds
    holds.close()


def test_two_holds_of_one_name_exclude_each_other_in_one_process(holds):
    with holds.hold("a"), pytest.raises(Busy):
        holds.hold("a", wait=0.05)


def test_other_names_are_free(holds):
    with holds.hold("a"), holds.hold("b", wait=0.05):
        pass


def test_what_was_released_can_be_held_again(holds):
    for _ in range(3):
        with holds.hold("a", "b"):
            pass


def test_taking_the_same_name_twice_does_not_wait_for_oneself(holds):
    with holds.hold("a") as hold:
        hold.take("a")
        hold.take("b")
        with pytest.raises(Busy):
            holds.hold("b", wait=0.05)


def test_a_hold_that_failed_keeps_nothing(holds):
    with holds.hold("b"):
        with pytest.raises(Busy):
            holds.hold("a", "b", wait=0.05)
        with holds.hold("a", wait=0.05):
            pass


def test_an_empty_hold_costs_nothing(holds, tmp_path):
    with holds.hold():
        pass
    assert not (tmp_path / "state").exists()


def test_a_waiting_thread_gets_its_turn(holds):
    order = []

    def second():
        with holds.hold("a"):
            order.append("second")

    with holds.hold("a"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def _hold_forever(path, ready):
    holds = Holds(path)
    holds.hold("a")
    ready.set()
    time.sleep(600)


def test_a_killed_process_gives_its_hold_back(holds, tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=_hold_forever, args=(tmp_path / "state" / "lock", ready))
    process.start()
    assert ready.wait(60)
    with pytest.raises(Busy):
        holds.hold("a", wait=0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with holds.hold("a", wait=1):
        pass


def test_descriptors_are_used_again(holds, tmp_path):
    for _ in range(200):
        with holds.hold("a"):
            pass
    lock = (tmp_path / "state" / "lock").stat()
    own = [fd for fd in _open_descriptors() if (fd.st_dev, fd.st_ino) == (lock.st_dev, lock.st_ino)]
    assert len(own) == 1


def _open_descriptors() -> list[os.stat_result]:
    """What this process has open: the locks of other tests as well, which is why they are not just counted."""
    found = []
    for name in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the descriptor of this very listing
            found.append(os.fstat(int(name.name)))
    return found


def test_a_forked_child_does_not_share_the_locks_of_its_parent(holds):
    with holds.hold("x"):
        pass  # leaves a descriptor for the next hold, which the child must not use
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with holds.hold("a"):
            os.write(writing, b"1")
            time.sleep(600)
        os._exit(0)
    os.close(writing)
    try:
        assert os.read(reading, 1)
        with pytest.raises(Busy):
            holds.hold("a", wait=0.05)
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
