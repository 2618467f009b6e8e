import os
import pwd
import signal
import ssl
from base64 import b64encode
from pathlib import Path

import pytest

from sievemda import configload
from sievemda.serve.asking import ask
from tests.managesieve.authorities import Authority
from tests.managesieve.conversation import Wire, skip_to
from tests.ports import free_port
from tests.serve.service import Service


@pytest.fixture
def service(tmp_path):
    """With a certificate that can be renewed; `host` is where it listens."""
    port = free_port()
    service = Service(tmp_path, "--workers", "1")
    service.authority = Authority()
    service.authority.write(tmp_path / "ca.pem")
    service.authority.issue(tmp_path, "one", hosts=["localhost", "first.example"])
    service.config.write_text(
        f'[lmtp]\ntls_server_cert = "{tmp_path}/one.crt"\ntls_server_key = "{tmp_path}/one.key"\n'
        f'[managesieve]\nmanagesieve_listen = ["inet:127.0.0.1:{port}", "unix:{tmp_path}/sieve"]\n'
    )
    service.host = ("127.0.0.1", port)
    yield service
    if service.process and service.process.poll() is None:
        service.stop()


def greeted(where):
    peer = Wire(where)
    skip_to(peer, b"OK\r\n")
    return peer


def names(service, directory):
    """Of the hosts that the certificate is for."""
    peer = secured(service, directory)
    found = {name for _, name in peer.socket.getpeercert()["subjectAltName"]}
    peer.close()
    return found


def secured(service, directory):
    """A session by TLS from its first octet on; who was kept from saying it in time is greeted in clear, and tries again."""
    context = ssl.create_default_context(cafile=directory / "ca.pem")
    while True:
        peer = Wire(service.host)
        try:
            peer.start_tls(context)
        except ssl.SSLError as e:
            peer.close()
            if e.reason != "WRONG_VERSION_NUMBER":
                raise
        else:
            skip_to(peer, b"OK\r\n")
            return peer


def reload(service, times):
    service.signal(signal.SIGHUP)
    service.wait(lambda: service.log.read_text().count("serving ") == times)


def test_sighup_brings_a_new_certificate_and_sessions_go_on(service, tmp_path):
    service.start()
    old = service.children()
    assert "first.example" in names(service, tmp_path)
    session = greeted(service.host)
    service.authority.issue(tmp_path, "one", hosts=["localhost", "second.example"])

    reload(service, 2)

    service.wait(lambda: "second.example" in names(service, tmp_path))
    session.send(b'NOOP "still here"\r\nLOGOUT\r\n')
    assert session.line() == b"OK (TAG {10}\r\n"
    assert session.line() == b'still here) "done"\r\n'
    assert session.line() == b"OK\r\n"
    session.close()
    service.wait(lambda: not old & service.children())
    assert service.stop() == 0


@pytest.mark.parametrize("broken", ["", "-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----\n"])
def test_a_broken_certificate_leaves_the_former_one_and_is_logged(service, tmp_path, broken):
    service.start()
    (tmp_path / "one.crt").write_text(broken)
    service.signal(signal.SIGHUP)
    service.wait(lambda: "going on with the former settings" in service.log.read_text())
    assert str(tmp_path / "one.crt") in service.log.read_text()
    assert "first.example" in names(service, tmp_path)


def test_sigterm_does_not_wait_for_a_session_that_outlived_a_reload(service):
    service.start()
    session = greeted(service.host)
    reload(service, 2)
    assert service.stop() == 0
    assert session.line() == b'BYE (TRYLATER) "the server is shutting down; try again later"\r\n'
    assert session.ended()
    session.close()


def test_at_a_unix_socket_a_user_logs_in_by_being_it(service, tmp_path):
    user = pwd.getpwuid(os.getuid()).pw_name
    service.cli("mailbox", "create", f"user/{user}")
    service.start()
    peer = greeted(str(tmp_path / "sieve"))
    peer.send(b'AUTHENTICATE "EXTERNAL" ""\r\nPUTSCRIPT "a" "keep;"\r\nLISTSCRIPTS\r\n')
    assert [peer.line() for _ in range(4)] == [b"OK\r\n", b"OK\r\n", b'"a"\r\n', b"OK\r\n"]
    peer.close()


def test_reloads_leave_no_descriptor_behind(service, tmp_path):
    """Neither in the parent, which goes on, nor in its children, which inherit what it has open."""
    service.cli("mailbox", "create", "user/alice")
    service.cli("account", "passwd", "alice", stdin="secret\n")
    service.cli("script", "put", "alice", "main", "-", stdin="keep;\n")
    service.cli("script", "activate", "alice", "main")
    service.start()
    seen = []
    for number in range(6):
        use(service, tmp_path)
        seen.append(descriptors(service))
        old = service.children()
        reload(service, number + 2)
        service.wait(lambda old=old: not old & service.children())
    # At the first reload the parent opens what it gives seats back by, which the children from then on inherit.
    assert seen[3:] == [seen[2]] * 3


def use(service, directory):
    """What opens databases and locks: a login by TLS, a change of a script, a wrong password, a delivery."""
    peer = secured(service, directory)
    for octets in (b"\0alice\0wrong", b"\0alice\0secret"):
        peer.send(b'AUTHENTICATE "PLAIN" "%s"\r\n' % b64encode(octets))
        said = peer.line()
    assert said == b"OK\r\n"
    peer.send(b'PUTSCRIPT "other" "discard;"\r\nLOGOUT\r\n')
    assert [peer.line(), peer.line()] == [b"OK\r\n"] * 2
    assert peer.ended()
    peer.close()
    assert service.send()[0].startswith("250")


def descriptors(service):
    """How many the parent, the worker and the housekeeper have open; sessions that are just ending are waited for."""
    service.wait(lambda: ask(configload.load(None, service.data, [])).sessions == [])
    return [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in (service.process.pid, *sorted(service.children()))]
