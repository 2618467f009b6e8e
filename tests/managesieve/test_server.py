import threading

import pytest

from sievemda.managesieve.session import Session
from tests.clock import Ahead
from tests.managesieve.conversation import PATIENCE, Wire, login, running, skip_to, wait_for


def test_a_silent_client_is_told_bye(make_service, connect):
    with running(make_service("timeout=1")) as (address, _):
        peer = connect(address)
        assert peer.line() == b'BYE "idle for too long"\r\n'
        assert peer.ended()


def test_before_login_neither_noop_nor_dripping_octets_buy_time(make_service, connect):
    loop = Ahead()
    with running(make_service("timeout=300"), make_loop=lambda: loop) as (address, server):
        chatty, dripping = connect(address), connect(address)
        for _ in range(2):
            loop.put_forward(100)
            dripping.send(b"N")
            chatty.send(b"NOOP\r\n")
            assert chatty.line() == b"OK\r\n"
        assert len(server.visits()) == 2
        loop.put_forward(101)
        assert chatty.line() == dripping.line() == b'BYE "idle for too long"\r\n'
        assert chatty.ended()
        assert dripping.ended()


@pytest.mark.parametrize(("before", "after"), [(900, 2700), (300, 1800), (60, 1800)])
def test_after_login_three_times_the_time_is_given_and_half_an_hour_at_least(make_service, connect, before, after):
    """RFC 5804 §1.2."""
    loop = Ahead()
    with running(make_service(f"timeout={before}", "allowplaintext=yes"), make_loop=lambda: loop) as (address, _):
        peer = login(connect(address))
        for _ in range(2):
            loop.put_forward(after - 50)
            peer.send(b"NOOP\r\n")
            assert peer.line() == b"OK\r\n"
        loop.put_forward(after + 1)
        assert peer.line() == b'BYE "idle for too long"\r\n'


def test_sessions_beyond_the_limit_are_told_to_try_later(make_service, connect):
    with running(make_service("managesieve_max_connections=2")) as (address, server):
        first = connect(address)
        connect(address)
        third = connect(address, greeting=False)
        assert third.line() == b'BYE (TRYLATER) "too many sessions; try again later"\r\n'
        assert third.ended()
        first.send(b"LOGOUT\r\n")
        assert first.line() == b"OK\r\n"
        wait_for(lambda: len(server.visits()) < 2)
        connect(address)


def test_stopping_tells_idle_clients_and_lets_a_command_finish(service, connect, monkeypatch):
    begun, handle = threading.Event(), Session.handle

    def handle_at_the_end(session, item):
        """A command that is still under way when the server is told to stop."""
        begun.set()
        wait_for(lambda: server._house.stopping)
        return handle(session, item)

    with running(service) as (address, server):
        idle, busy = connect(address), login(connect(address))
        monkeypatch.setattr(Session, "handle", handle_at_the_end)
        busy.send(b'PUTSCRIPT "a" "keep;"\r\n')
        assert begun.wait(PATIENCE)
    assert idle.line() == b'BYE (TRYLATER) "the server is shutting down; try again later"\r\n'
    assert busy.line() == b"OK\r\n"
    assert busy.line().startswith(b"BYE (TRYLATER)")
    assert idle.ended()


def test_who_has_nothing_large_does_not_wait_for_large_scripts(service, connect, monkeypatch):
    begun, go_on, handle = threading.Event(), threading.Event(), Session.handle
    at_once = []

    def slowly(session, item):
        if item[0] == "CHECKSCRIPT":
            at_once.append(session)
            begun.set()
            assert go_on.wait(PATIENCE)
            assert at_once == [session]
            at_once.clear()
        return handle(session, item)

    with running(service) as (address, _):
        large, small = [login(connect(address)) for _ in range(6)], login(connect(address))
        monkeypatch.setattr(Session, "handle", slowly)
        for peer in large:
            peer.send(b"CHECKSCRIPT {40000+}\r\n#%s\r\n" % (b"x" * 39_999))
        assert begun.wait(PATIENCE)
        small.send(b'PUTSCRIPT "a" "keep;"\r\n')
        assert small.line() == b"OK\r\n"
        go_on.set()
        assert [peer.line() for peer in large] == [b"OK\r\n"] * 6


def test_a_client_that_leaves_in_the_middle_leaves_nothing(service, scripts, connect):
    with running(service) as (address, _):
        for part in (b"PUTSC", b'PUTSCRIPT "a" {100+}\r\nkeep;', b'PUTSCRIPT "a" "keep;'):
            peer = login(connect(address))
            peer.send(part)
            peer.close()
        login(connect(address)).send(b"LOGOUT\r\n")
    assert scripts.list() == ()


def test_a_client_that_does_not_read_holds_up_nobody(service, scripts, connect):
    scripts.put("big", b"#" * 1_000_000)
    with running(service) as (address, _):
        deaf = login(connect(address))
        for _ in range(20):
            deaf.send(b'GETSCRIPT "big"\r\n')
        assert deaf.socket.recv(1)  # the answers are on their way
        peer = login(connect(address))
        peer.send(b"LISTSCRIPTS\r\n")
        assert peer.line() == b'"big"\r\n'
        deaf.close()


def test_many_sessions_at_once_lose_nothing(service, scripts, connect):
    wrong = []

    def work(address, number):
        peer = Wire(address, 60)
        try:
            skip_to(peer, b"OK\r\n")
            login(peer)
            for turn in range(3):
                name = f"s{number}".encode()
                peer.send(b'PUTSCRIPT "%s" "keep; # %d"\r\nSETACTIVE "%s"\r\nLISTSCRIPTS\r\n' % (name, turn, name))
                assert peer.line() == b"OK\r\n"
                assert peer.line() == b"OK\r\n"
                active = 0
                while (line := peer.line()) != b"OK\r\n":
                    active += line.endswith(b" ACTIVE\r\n")
                assert active == 1
        except AssertionError as e:
            wrong.append(e)
        finally:
            peer.close()

    with running(service) as (address, _):
        threads = [threading.Thread(target=work, args=(address, n)) for n in range(30)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert wrong == []
    assert [s.name for s in scripts.list()] == sorted(f"s{n}" for n in range(30))
    assert all(scripts.get(s.name) == b"keep; # 2" for s in scripts.list())


def test_hostile_sessions_before_login_keep_little(make_service, connect):
    import tracemalloc

    with running(make_service()) as (address, server):
        connect(address)
        tracemalloc.start()
        try:
            peers = [connect(address) for _ in range(50)]
            before = tracemalloc.get_traced_memory()[0]
            for peer in peers:
                peer.send(b'NOOP "' + b"x" * 15_000)
            wait_for(lambda: sum(visit._octets >= 15_000 for visit in server.visits()) == 50)
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert grown < 50 * 40_000
