"""Turns at the threads of who has not logged in."""

import asyncio
import gc
import threading
import weakref
from types import SimpleNamespace

import pytest

from sievemda.auth.lanes import Crowded, Lanes
from sievemda.auth.origin import networks


class Work:
    """What takes until it is let go, and notes who has begun."""

    def __init__(self, lanes):
        self.lanes, self.begun, self.go = lanes, [], threading.Semaphore(0)
        self.tasks = []

    def _do(self, name):
        self.begun.append(name)
        assert self.go.acquire(timeout=60)
        return name

    def come(self, address, name="", **options):
        task = asyncio.wrap_future(self.lanes.submit(address, self._do, name or address, **options))
        self.tasks.append(task)
        return task

    async def settle(self, count):
        """Until so many have begun."""
        while len(self.begun) < count:  # noqa: ASYNC110 - they begin on threads
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)

    async def one_by_one(self):
        """Let all go, each when the one before is done; the order in which they began."""
        while not all(task.done() for task in self.tasks):
            self.go.release()
            done = sum(task.done() for task in self.tasks)
            while sum(task.done() for task in self.tasks) == done:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return self.begun


@pytest.fixture
def play():
    """Runs a story about lanes with so many threads."""

    def play(story, threads=1, **options):
        async def run():
            lanes = Lanes("test", threads, **options)
            try:
                return await asyncio.wait_for(story(Work(lanes)), 60)
            finally:
                lanes.close()

        return asyncio.run(run())

    return play


async def crowd(work, address="192.0.2.1", count=5):
    for number in range(count):
        work.come(address, f"{address} {number}")
    await work.settle(1)


def test_what_is_run_gives_and_raises_what_it_gives_and_raises(play):
    async def story(work):
        assert await asyncio.wrap_future(work.lanes.submit("192.0.2.1", lambda a: a + 1, 1)) == 2
        with pytest.raises(KeyError):
            await asyncio.wrap_future(work.lanes.submit("192.0.2.1", {}.__getitem__, "x"))

    play(story)


def test_another_address_waits_for_one_turn_of_a_crowd(play):
    async def story(work):
        await crowd(work)
        work.come("192.0.2.2")
        return await work.one_by_one()

    assert play(story).index("192.0.2.2") <= 2


def test_a_crowd_has_a_part_of_the_threads(play):
    async def story(work):
        await crowd(work, count=8)
        work.come("192.0.2.2")
        await work.settle(3)
        begun = set(work.begun)
        await work.one_by_one()
        return begun

    assert play(story, threads=8) == {"192.0.2.1 0", "192.0.2.1 1", "192.0.2.2"}


def test_addresses_of_failed_logins_wait_behind_others_but_not_for_ever(play):
    async def story(work):
        work.come("192.0.2.9", "first")
        await work.settle(1)
        work.lanes.suspect("192.0.2.1")
        work.come("192.0.2.1", "suspected")
        for number in range(6):
            work.come(f"198.51.100.{number}", f"other {number}")
        return await work.one_by_one()

    assert 1 < play(story).index("suspected") < 6


def test_who_got_in_is_suspected_no_more_and_comes_first(play):
    async def story(work):
        work.come("192.0.2.9", "first")
        await work.settle(1)
        work.lanes.suspect("192.0.2.1")
        work.lanes.welcome("192.0.2.1")
        work.come("192.0.2.2")
        work.come("192.0.2.1")
        return await work.one_by_one()

    assert play(story) == ["first", "192.0.2.1", "192.0.2.2"]


def test_the_addresses_of_one_customer_share_a_lane(play):
    async def story(work):
        await crowd(work, "2001:db8::1")
        for number in range(2, 5):
            work.come(f"2001:db8::{number}")
        work.come("192.0.2.2")
        return await work.one_by_one()

    assert play(story).index("192.0.2.2") <= 2


def test_a_trusted_address_is_never_suspected(play):
    async def story(work):
        work.come("192.0.2.9", "first")
        await work.settle(1)
        work.lanes.suspect("127.0.0.1")
        work.come("127.0.0.1")
        work.come("192.0.2.2")
        return await work.one_by_one()

    assert play(story, trusted=networks(["127.0.0.1"])) == ["first", "127.0.0.1", "192.0.2.2"]


def test_several_from_a_trusted_address_do_not_wait_for_many_that_come_for_the_first_time(play):
    async def story(work):
        work.come("192.0.2.9", "first")
        await work.settle(1)
        for number in range(40):
            work.come(f"198.51.100.{number}")
        for number in range(3):
            work.come("127.0.0.1", f"trusted {number}")
        return await work.one_by_one()

    assert play(story, trusted=networks(["127.0.0.1"])).index("trusted 2") <= 6


def test_when_too_many_wait_the_last_of_the_crowd_is_told_to_come_again(play):
    async def story(work):
        await crowd(work, count=5)
        work.come("192.0.2.2")
        await asyncio.sleep(0)
        with pytest.raises(Crowded):
            await work.tasks[4]
        with pytest.raises(Crowded):
            await work.come("192.0.2.1", "one more")
        return await work.one_by_one()

    assert "192.0.2.2" in play(story, most=4)


def test_what_has_begun_is_never_turned_away(play):
    async def story(work):
        await crowd(work, count=5)
        work.come("192.0.2.2", bound=False)
        return await work.one_by_one()

    assert len(play(story, most=4)) == 6


def test_many_addresses_that_have_failed_leave_room_for_one_that_has_not(play):
    async def story(work):
        work.come("192.0.2.9", "first")
        await work.settle(1)
        for number in range(4):
            work.lanes.suspect(f"198.51.100.{number}")
            work.come(f"198.51.100.{number}")
        work.come("192.0.2.2")
        await asyncio.wait(work.tasks, return_when=asyncio.FIRST_COMPLETED)
        assert isinstance(work.tasks[4].exception(), Crowded)
        return await work.one_by_one()

    assert play(story, most=4)[1] == "192.0.2.2"


def test_who_leaves_while_he_waits_gives_his_place_up(play):
    async def story(work):
        await crowd(work, count=2)
        work.tasks[1].cancel()
        work.come("192.0.2.2")
        work.come("192.0.2.3").cancel()
        await asyncio.sleep(0.01)  # the loop tells of it, and must come to that before the thread is free
        return await work.one_by_one()

    assert play(story) == ["192.0.2.1 0", "192.0.2.2"]


def test_who_leaves_while_he_is_served_holds_his_thread_until_it_is_free(play):
    async def story(work):
        first = work.come("192.0.2.1")
        await work.settle(1)
        first.cancel()
        second = work.come("192.0.2.2")
        await asyncio.sleep(0.01)
        assert work.begun == ["192.0.2.1"]
        work.go.release(2)
        return await second

    assert play(story) == "192.0.2.2"


def test_however_many_come_from_a_trusted_address_none_is_refused():
    lanes = Lanes("test", 2, networks(["127.0.0.1"]), most=3)
    go = threading.Semaphore(0)
    turns = [lanes.submit("127.0.0.1", go.acquire, True, 60) for _ in range(20)]
    others = [lanes.submit(f"192.0.2.{number}", go.acquire, True, 60) for number in range(5)]
    go.release(25)
    assert all(turn.result(60) for turn in turns)
    assert [type(other.exception(60)) for other in others].count(Crowded) <= 2
    lanes.close()


def test_who_says_no_more_waits_behind_all_others(play):
    async def story(work):
        work.come("192.0.2.9", "first")
        await work.settle(1)
        silent = work.lanes.submit("192.0.2.1", work._do, "silent")
        work.tasks.append(asyncio.wrap_future(silent))
        for number in range(3):
            work.come(f"198.51.100.{number}")
        work.lanes.defer(silent)
        return await work.one_by_one()

    assert play(story)[-1] == "silent"


def test_whom_all_trust_keeps_his_place_when_he_says_no_more(play):
    async def story(work):
        work.come("192.0.2.9", "first")
        await work.settle(1)
        silent = work.lanes.submit("127.0.0.1", work._do, "silent")
        work.tasks.append(asyncio.wrap_future(silent))
        work.come("192.0.2.1")
        work.lanes.defer(silent)
        return await work.one_by_one()

    assert play(story, trusted=networks(["127.0.0.1"])) == ["first", "silent", "192.0.2.1"]


def test_who_leaves_is_not_served_but_what_has_begun_goes_on(play):
    async def story(work):
        first = work.lanes.submit("192.0.2.1", work._do, "first")
        await work.settle(1)
        second = work.lanes.submit("192.0.2.1", work._do, "second")
        for turn in (first, second):
            turn.leave()
        work.lanes.defer(second)
        work.go.release(2)
        assert (first.left, second.left) == (False, True)
        assert await asyncio.wrap_future(first) == "first"
        assert await asyncio.wrap_future(work.lanes.submit("192.0.2.1", lambda: "third")) == "third"
        return work.begun

    assert play(story) == ["first"]


def test_who_is_wrong_waits_for_the_answer_some_times_as_long_as_for_his_turn(play, monkeypatch):
    clock = 1000.0
    monkeypatch.setattr("sievemda.auth.lanes.time", SimpleNamespace(monotonic=lambda: clock))

    async def story(work):
        nonlocal clock
        first = work.lanes.submit("192.0.2.1", work._do, "first")
        await work.settle(1)
        turns = []
        for seconds in (2.0, 100.0):
            turns.append(work.lanes.submit("192.0.2.2", work._do, "later"))
            clock += seconds
            work.go.release()
            await work.settle(1 + len(turns))
        return [turn.penance for turn in (first, *turns)]

    assert play(story) == [0.0, 8.0, 15.0]


@pytest.fixture
def lanes():
    made = Lanes("test", 1)
    yield made
    made.close()


class Said:
    """What a client has said."""


def test_nothing_stays_of_a_turn_that_is_over(lanes):
    """Without the collector's help: with hundreds of strangers it comes too late."""

    async def dialogue():
        said = Said()
        traces.append(weakref.ref(said))
        await lanes.submit("192.0.2.1", id, said).awaited()

    traces = []
    gc.collect()
    gc.disable()
    try:
        asyncio.run(dialogue())
        assert traces[0]() is None
    finally:
        gc.enable()


def test_who_waits_no_longer_takes_his_turn_back(lanes):
    async def dialogue():
        begun, go_on = threading.Event(), threading.Event()
        first = lanes.submit("192.0.2.1", lambda: begun.set() or go_on.wait(60))
        begun.wait(60)
        second = lanes.submit("192.0.2.2", list)
        waiting = second.awaited()
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.sleep(0)
        assert second.cancelled()
        go_on.set()
        assert await first.awaited()

    asyncio.run(dialogue())
