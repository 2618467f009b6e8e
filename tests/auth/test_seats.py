"""Seats are counted over processes that share them."""

import os

import pytest

from sievemda.auth.seats import Seats


@pytest.fixture
def seats():
    with Seats(64) as made:
        yield made


def in_child(work):
    """Run it in a process of its own that then dies without giving anything back; its number."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    return pid


def test_there_are_so_many_seats_and_no_more(seats):
    taken = [seats.take("192.0.2.1", 3) for _ in range(4)]
    assert taken[:3].count(None) == 0
    assert taken[3] is None
    seats.leave(taken[1])
    assert seats.take("192.0.2.1", 3) is not None
    assert seats.take("192.0.2.1", 3) is None
    assert seats.taken() == 3


def test_the_table_itself_is_a_limit(seats):
    assert [seats.take("192.0.2.1", 1000) is None for _ in range(65)] == [False] * 64 + [True]


def test_before_login_an_address_has_so_many(seats):
    first = seats.take("192.0.2.1", 9, 2)
    assert seats.take("192.0.2.1", 9, 2) is not None
    assert seats.take("192.0.2.1", 9, 2) is None
    assert seats.take("192.0.2.2", 9, 2) is not None
    assert seats.name(first, "alice", 9)
    assert seats.take("192.0.2.1", 9, 2) is not None


def test_a_user_has_so_many_from_wherever_he_comes(seats):
    a, b, c = (seats.take(f"192.0.2.{n}", 9) for n in range(3))
    assert seats.name(a, "alice", 2)
    assert seats.name(b, "alice", 2)
    assert not seats.name(c, "alice", 2)
    assert seats.name(c, "bob", 2)
    assert seats.name(a, "", 2)
    assert seats.name(c, "", 2)
    assert seats.name(c, "alice", 2)


def test_other_processes_count_and_a_dead_one_gives_its_seats_back(seats):
    def take():
        for _ in range(3):
            assert seats.name(seats.take("192.0.2.1", 4), "alice", 30)

    pid = in_child(take)
    assert seats.taken() == 3
    mine = seats.take("192.0.2.2", 4)
    assert seats.take("192.0.2.2", 4) is None
    assert not seats.name(mine, "alice", 3)
    seats.release(pid)
    assert seats.taken() == 1
    assert seats.name(mine, "alice", 3)


def test_a_crowd_is_seen_by_those_who_are_none(seats):
    crowd = [seats.take("192.0.2.1", 64) for _ in range(10)]
    assert seats.crowd("192.0.2.2") == crowd[0].address
    assert seats.crowd("192.0.2.1") == 0
    for seat in crowd:
        seats.name(seat, "alice", 30)
    assert seats.crowd("192.0.2.2") == 0
