"""What is done on a schedule: in a child, once when it was missed, and again when it was cut short."""

import json
import os
import signal
import time

import pytest

from sievemda.policy.schedule import Schedule
from sievemda.upkeep.chores import Chore, Chores
from tests.serve.service import alive

HOUR = 3600.0


@pytest.fixture
def keeper(tmp_path):
    """Makes what begins chores: each writes a line into a file of its name, and waits when it is told to."""
    made = []

    def make(*, at_start=False, wait=False, fail=None, names=("expire",)):
        def run(name):
            with (tmp_path / name).open("a") as file:
                file.write(f"{os.getpid()}\n")
            if wait:
                time.sleep(60)
            if fail is not None:
                fail()
            return "messages=1"

        chores = tuple(Chore(name, Schedule(every=HOUR), lambda name=name: run(name), at_start) for name in names)
        made.append(Chores(chores, tmp_path / "state" / "schedule"))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def times(tmp_path):
    return lambda name="expire": len((tmp_path / name).read_text().split()) if (tmp_path / name).exists() else 0


def finish(keeper, now):
    """Until what is under way has come to its end."""

    def done():
        keeper.go_on(now)
        return keeper._child is None

    until(done)


def remembered(tmp_path):
    return json.loads((tmp_path / "state" / "schedule").read_text())


def test_what_was_never_done_is_not_due_before_its_time(keeper, times, tmp_path):
    one = keeper()
    one.go_on(1000.0)
    one.go_on(1000.0 + HOUR - 1)
    assert times() == 0
    one.go_on(1000.0 + HOUR)
    finish(one, 1000.0 + HOUR)
    assert times() == 1
    assert remembered(tmp_path) == {"expire": 1000.0 + HOUR}


def test_what_was_missed_is_done_once(keeper, times):
    keeper().go_on(1000.0)
    now = 1000.0 + 50 * HOUR
    for _ in range(2):
        again = keeper()
        again.go_on(now)
        finish(again, now)
    assert times() == 1


def test_what_is_cut_short_is_done_again(keeper, times):
    one = keeper(wait=True)
    one.go_on(1000.0)
    one.go_on(1000.0 + HOUR)
    until(lambda: times() == 1)
    one.stop()
    again = keeper()
    again.go_on(1000.0 + HOUR)
    finish(again, 1000.0 + HOUR)
    assert times() == 2


def test_two_keepers_do_not_do_it_at_once(keeper, times):
    one, other = keeper(wait=True), keeper()
    one.go_on(1000.0)
    other.go_on(1000.0)
    one.go_on(1000.0 + HOUR)
    until(lambda: times() == 1)
    other.go_on(1000.0 + HOUR)
    finish(other, 1000.0 + HOUR)
    other.go_on(1000.0 + HOUR)
    assert other._child is None  # it waits before it tries again
    assert times() == 1


@pytest.mark.parametrize(
    ("fail", "said"),
    [
        (lambda: 1 / 0, []),  # the child has said it
        (lambda: os.kill(os.getpid(), signal.SIGKILL), ["expire died signal=9"]),
    ],
)
def test_what_fails_is_not_tried_again_before_its_time(fail, said, keeper, times, caplog):
    one = keeper(fail=fail)
    one.go_on(1000.0)
    now = 1000.0 + HOUR
    one.go_on(now)
    finish(one, now)
    one.go_on(now + 1)
    finish(one, now + 1)
    assert times() == 1
    assert [record.message for record in caplog.records] == said


def test_one_goes_on_when_the_other_is_done(keeper, times):
    both = keeper(at_start=True, names=("prune", "expire"))
    both.go_on(1000.0)
    assert times("expire") == 0
    finish(both, 1000.0)
    until(lambda: both.go_on(1000.0) or times("expire") == 1)
    finish(both, 1000.0)
    assert (times("prune"), times("expire")) == (1, 1)


def test_a_clock_that_was_set_back_and_a_damaged_file_make_nothing_due(keeper, times, tmp_path):
    keeper().go_on(9_000_000.0)
    keeper().go_on(1000.0)
    assert remembered(tmp_path) == {"expire": 1000.0}
    (tmp_path / "state" / "schedule").write_text("{" * 5000)
    keeper().go_on(1000.0 + 2 * HOUR)
    assert times() == 0


def test_a_child_does_not_outlive_its_parent(keeper, times, tmp_path):
    pid = os.fork()
    if pid == 0:
        one = keeper(wait=True, at_start=True)
        one.go_on(1000.0)
        time.sleep(60)
        os._exit(0)
    until(lambda: times() == 1)
    child = int((tmp_path / "expire").read_text())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    until(lambda: not alive(child))
