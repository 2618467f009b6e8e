import os
import socket
import stat
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from sievemda.config import Lmtp
from sievemda.errors import AlreadyExists, ConfigurationError
from sievemda.lmtp.client import connect
from sievemda.serve import listeners
from sievemda.serve.listeners import Place, bind, bind_all, parse_place
from tests.ports import free_port


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(listeners, "PATIENCE", 0.3)
    monkeypatch.setattr(listeners, "GREETING_TIME", 0.3)


def unix(path):
    return Place("lmtp", path=path)


@pytest.mark.parametrize(
    ("protocol", "text", "place"),
    [
        ("lmtp", "unix:/run/x", Place("lmtp", path=Path("/run/x"))),
        ("managesieve", "unix:/run/x", Place("managesieve", path=Path("/run/x"))),
        ("lmtp", "inet:127.0.0.1:2003", Place("lmtp", host="127.0.0.1", port=2003)),
        ("lmtp", "inet:[::1]:24", Place("lmtp", host="::1", port=24)),
        ("lmtp", "inet::24", Place("lmtp", port=24)),
        ("lmtp", "inet:*:24", Place("lmtp", port=24)),
        ("managesieve", "inet:localhost:4190", Place("managesieve", host="localhost", port=4190)),
    ],
)
def test_a_place_is_read(protocol, text, place):
    assert parse_place(protocol, text) == place


@pytest.mark.parametrize(
    ("protocol", "text"),
    [
        ("lmtp", ""),
        ("lmtp", "unix:"),
        ("lmtp", "/run/x"),
        ("lmtp", "inet:24"),
        ("lmtp", "inet:localhost:0"),
        ("lmtp", "inet:localhost:65536"),
        ("lmtp", "inet:localhost:smtp"),
        ("lmtp", "inet:::1:24"),
        ("lmtp", "inet:localhost:25"),  # RFC 2033 §5
        ("managesieve", "unix:"),
    ],
)
def test_what_is_no_place_is_refused(protocol, text):
    with pytest.raises(ConfigurationError):
        parse_place(protocol, text)


def test_a_relative_path_is_taken_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_place("lmtp", "unix:sock").path == tmp_path / "sock"


def test_the_socket_has_the_mode_and_group_of_the_settings(tmp_path):
    import grp

    group = grp.getgrgid(os.getgid())
    bound = bind(unix(tmp_path / "sub" / "s"), Lmtp(lmtp_socket_mode=0o602, lmtp_socket_group=group.gr_name))
    found = (tmp_path / "sub" / "s").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o602, group.gr_gid)
    bound.close()


def test_nothing_but_the_socket_is_left_and_that_goes_with_the_end(tmp_path):
    bound = bind(unix(tmp_path / "s"), Lmtp())
    assert [p.name for p in tmp_path.iterdir()] == ["s"]
    bound.close()
    assert not list(tmp_path.iterdir())


def test_an_unknown_group_is_refused_and_leaves_nothing_in_place(tmp_path):
    with pytest.raises(ConfigurationError, match="no-such-group"):
        bind(unix(tmp_path / "s"), Lmtp(lmtp_socket_group="no-such-group"))
    assert not (tmp_path / "s").exists()


def test_the_socket_of_a_dead_server_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    bound = bind(unix(tmp_path / "s"), Lmtp())
    connect(tmp_path / "s", 1).close()
    bound.close()


def test_a_stale_socket_is_replaced_without_a_moment_of_absence(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    missing, over = [], threading.Event()

    def watch():
        while not over.is_set():
            if not os.path.lexists(path):
                missing.append(1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(20):
        bound = bind(unix(path), Lmtp())
        bound.sockets[0].close()  # as a server that was killed
    over.set()
    watcher.join()
    assert not missing


@pytest.mark.parametrize("greeting", [b"220 here\r\n", b""], ids=["greets", "is silent"])
def test_a_living_server_is_not_pushed_aside(tmp_path, greeting):
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(tmp_path / "s"))
        living.listen()

        def greet():
            connection, _ = living.accept()
            with connection:
                connection.sendall(greeting)
                with suppress(ConnectionResetError):
                    connection.recv(1)

        server = threading.Thread(target=greet)
        server.start()
        inode = (tmp_path / "s").stat().st_ino
        with pytest.raises(AlreadyExists, match="listens there"):
            bind(unix(tmp_path / "s"), Lmtp())
        server.join(60)
        assert (tmp_path / "s").stat().st_ino == inode


def test_a_server_on_its_way_out_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(listeners, "PATIENCE", 60)
    leaving = socket.socket(socket.AF_UNIX)
    leaving.bind(str(tmp_path / "s"))
    leaving.listen()
    threading.Timer(0.2, leaving.close).start()
    bind(unix(tmp_path / "s"), Lmtp()).close()


def test_a_file_that_is_no_socket_is_never_replaced(tmp_path):
    (tmp_path / "s").write_text("precious")
    with pytest.raises(AlreadyExists, match="not a socket"):
        bind(unix(tmp_path / "s"), Lmtp())
    assert (tmp_path / "s").read_text() == "precious"


def test_somebody_elses_socket_is_not_removed_at_the_end(tmp_path):
    bound = bind(unix(tmp_path / "s"), Lmtp())
    (tmp_path / "s").unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
    bound.close()
    assert (tmp_path / "s").exists()


def test_a_path_longer_than_an_address_works(tmp_path):
    path = tmp_path / ("d" * 100) / ("e" * 100) / "lmtp"
    bound = bind(unix(path), Lmtp())
    connect(path, 1).close()
    bound.close()
    assert not path.exists()


def test_a_port_in_use_is_said(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AlreadyExists, match=str(port)):
            bind(Place("lmtp", host="127.0.0.1", port=port), Lmtp())


def test_when_one_place_cannot_be_had_none_is_kept(tmp_path):
    (tmp_path / "b").write_text("")
    with pytest.raises(AlreadyExists):
        bind_all([unix(tmp_path / "a"), unix(tmp_path / "b")], Lmtp())
    assert not (tmp_path / "a").exists()


def test_a_host_with_two_addresses_is_served_at_both(tmp_path):
    port = free_port()
    bound = bind(Place("managesieve", port=port), Lmtp())
    with socket.create_connection(("127.0.0.1", port), 60):
        pass
    bound.close()


def test_a_host_that_does_not_exist_is_a_mistake_of_the_settings(tmp_path):
    with pytest.raises(ConfigurationError):
        bind(Place("lmtp", host="no such host", port=1), Lmtp())


def test_a_port_goes_over_from_one_address_to_all_and_back_while_the_former_socket_is_there():
    port = free_port()
    one, every = Place("lmtp", host="127.0.0.1", port=port), Place("lmtp", port=port)
    first = bind_all([one], Lmtp())
    second = bind_all([every], Lmtp(), first)
    first[0].close()
    third = bind_all([one], Lmtp(), second)
    second[0].close()
    with socket.create_connection(("127.0.0.1", port), 60):
        third[0].close()


def test_a_port_that_went_over_is_still_refused_to_a_second_server():
    port = free_port()
    first = bind_all([Place("lmtp", host="127.0.0.1", port=port)], Lmtp())
    second = bind_all([Place("lmtp", port=port)], Lmtp(), first)
    for bound in first:
        bound.close()
    with pytest.raises(AlreadyExists):
        bind_all([Place("lmtp", port=port)], Lmtp())
    for bound in second:
        bound.close()


def test_who_stands_in_our_own_way_is_told():
    port = free_port()
    places = [Place("managesieve", host="127.0.0.1", port=port), Place("managesieve", port=port)]
    with pytest.raises(AlreadyExists, match=rf"inet:\*:{port}: that port is taken by managesieve inet:127\.0\.0\.1"):
        bind_all(places, Lmtp())
