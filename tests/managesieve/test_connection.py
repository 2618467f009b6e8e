import asyncio
import socket

from sievemda.managesieve.connection import Connection


def first(sent: bytes) -> bytes:
    async def run() -> bytes:
        ours, theirs = socket.socketpair()
        with theirs:
            connection = Connection(ours)
            theirs.sendall(sent)
            try:
                return await connection.first(0)
            finally:
                connection.close()

    return asyncio.run(run())


def test_a_hello_that_came_in_time_is_seen_by_a_server_too_busy_to_look_in_time():
    assert first(b"\x16\x03") == b"\x16"


def test_nothing_is_seen_of_who_sends_nothing():
    assert first(b"") == b""
