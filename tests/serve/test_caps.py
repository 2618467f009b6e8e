"""Limits of ManageSieve sessions hold over all workers, and those that die, or are relieved, leave no sessions behind."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.serve.service import Service

LISTENING = "0A"  # in /proc/net/tcp
GREETED, FULL = b"OK\r\n", b'BYE (TRYLATER) "too many sessions; try again later"\r\n'


def descriptors(pid):
    """What they lead to."""
    return {str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}


@pytest.fixture
def limited(tmp_path):
    """Three workers, four sessions."""
    port = free_port()
    made = Service(
        tmp_path,
        *("--workers", "3", "--managesieve", f"inet:127.0.0.1:{port}"),
        sets=("managesieve_max_connections=4",),
    )
    made.start()
    yield made, port
    made.close()


@pytest.fixture
def come(limited):
    """What one is told who comes, and stays until the test ends."""
    connections = []

    def come():
        connection = socket.create_connection(("127.0.0.1", limited[1]), 60)
        connections.append(connection)
        with connection.makefile("rb") as lines:
            return next(line for line in lines if line.startswith((b"OK", b"BYE")))

    yield come
    for connection in connections:
        connection.close()


def test_all_workers_count_together(come):
    assert [come() for _ in range(6)] == [GREETED] * 4 + [FULL] * 2


def test_sessions_of_workers_that_were_killed_are_forgotten(limited, come):
    service, _ = limited
    assert [come() for _ in range(5)][4] == FULL
    for pid in service.children():
        os.kill(pid, signal.SIGKILL)
    service.wait(lambda: service.log.read_text().count("child died") >= 4)
    assert [come() for _ in range(5)] == [GREETED] * 4 + [FULL]


def test_sessions_of_workers_that_are_relieved_go_on_counting(limited, come):
    service, _ = limited
    assert [come() for _ in range(3)] == [GREETED] * 3
    mark = service.log.read_text().count("serving ")
    service.signal(signal.SIGHUP)
    service.wait(lambda: service.log.read_text().count("serving ") > mark)
    assert [come() for _ in range(2)] == [GREETED, FULL]


def test_two_workers_have_all_the_sessions_and_the_third_does_not_even_hold_the_port(limited):
    service, port = limited
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    (inode,) = [line[9] for line in lines if line[1].endswith(f":{port:04X}") and line[3] == LISTENING]
    holders = [pid for pid in service.children() if f"socket:[{inode}]" in descriptors(pid)]
    assert len(holders) == 3  # two of three workers, and the housekeeper, who never accepts
