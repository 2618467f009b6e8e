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


def test_the_kernel_keeps_little_for_a_client_until_he_is_trusted():
    async def run() -> list[int]:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()),
        ):
            connection = Connection(listener.accept()[0])
            sizes = [connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)]
            connection.trust()
            sizes.append(connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
            connection.close()
            return sizes

    little, much = asyncio.run(run())
    assert little <= 64 << 10 < much
