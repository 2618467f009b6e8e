import contextlib
import socket
import threading
import time

import pytest

from tests.lmtp.running import PATIENCE, running
from tests.lmtp.test_sessions import END, open_data, wait_for


@pytest.fixture
def stopping(tmp_path, sink):
    """A server, and a function that starts to stop it."""
    with running(tmp_path, sink) as server:
        threads = []

        def stop(grace=PATIENCE):
            def work():
                server.call(server.server.stop(grace))

            threads.append(threading.Thread(target=work))
            threads[-1].start()
            wait_for(lambda: server.server._stopping)
            return threads[-1]

        yield server, stop
        sink.gate.set()
        for thread in threads:
            thread.join(PATIENCE)


def test_an_idle_session_is_told_that_the_server_ends(stopping):
    server, stop = stopping
    with server.client() as client:
        stop()
        assert client.reply() == "421 4.3.2 Service shutting down, closing"
        assert client.at_end()


def test_a_transaction_under_way_is_finished_before_the_end(stopping, sink):
    server, stop = stopping
    with server.client() as client:
        open_data(client, "a@x", "b@x")
        stopper = stop()
        client.send("hello" + END)
        assert [reply[:9] for reply in client.replies(2)] == ["250 2.1.5"] * 2
        assert client.reply().startswith("421 4.3.2")
        assert client.at_end()
        stopper.join(PATIENCE)
        assert not stopper.is_alive()
    assert len(sink.deliveries) == 1


def test_a_delivery_under_way_is_waited_for(stopping, sink):
    server, stop = stopping
    sink.gate.clear()
    with server.client() as client:
        open_data(client)
        client.send(END)
        assert sink.entered.wait(PATIENCE)
        stop()
        time.sleep(0.1)
        sink.gate.set()
        assert client.replies(2)[0].startswith("250")


def test_a_transaction_that_does_not_end_is_cut_off(stopping, sink):
    server, stop = stopping
    with server.client() as client:
        open_data(client)
        client.send("half")
        stop(0.3).join(PATIENCE)
        assert client.reply().startswith("421 4.3.2")
        assert client.at_end()
    assert not sink.deliveries


def test_nobody_is_let_in_any_more(stopping, sink):
    server, stop = stopping
    sink.gate.clear()
    with server.client() as busy:
        open_data(busy)
        busy.send(END)
        assert sink.entered.wait(PATIENCE)
        stop()
        with pytest.raises(OSError), server.client(timeout=1):
            raise ConnectionRefusedError


def test_a_wake_up_takes_one_session_and_leaves_the_others_to_who_is_free(tmp_path, sink):
    with running(tmp_path, sink) as server, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        clients = [socket.create_connection(listener.getsockname(), PATIENCE) for _ in range(3)]

        async def wake_up():
            server.server._accept(listener)

        server.call(wake_up())
        wait_for(lambda: len(server.server._sessions) == 1)
        for peer in [*clients, listener.accept()[0], listener.accept()[0]]:
            peer.close()


@contextlib.contextmanager
def at_work(server):
    """Its event loop, meanwhile."""
    begun, done = threading.Event(), threading.Event()
    server.loop.call_soon_threadsafe(lambda: begun.set() or done.wait(PATIENCE))
    assert begun.wait(PATIENCE)
    try:
        yield
    finally:
        done.set()


def test_of_servers_at_one_socket_the_one_that_is_free_has_the_sessions(tmp_path, sink):
    """Two event loops accept from the same socket, as worker processes do."""
    with running(tmp_path, sink) as first:
        listener = first.server._listeners[0]
        (tmp_path / "second").mkdir()
        with running(tmp_path / "second", sink) as second, contextlib.ExitStack() as clients:

            async def share():
                second.server.listen([listener.dup()])

            second.call(share())
            for busy in (first, second, first):
                with at_work(busy):
                    for _ in range(10):
                        clients.enter_context(first.client())
            assert [len(server.server._sessions) for server in (first, second)] == [10, 20]


def test_a_port_scanner_that_says_nothing_leaves_nothing(tmp_path, sink):
    with running(tmp_path, sink) as server:
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(server.path)
        wait_for(lambda: not server.server._sessions and not server.server._starting)
