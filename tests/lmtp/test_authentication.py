"""STARTTLS and AUTH over TCP, with real credentials and a certificate made for the test."""

import base64
import socket
import ssl
import subprocess
import time
from contextlib import suppress

import pytest
from scramp import ScramClient

from sievemda.auth.guard import Guard
from sievemda.auth.users import Users
from sievemda.config import Guard as Options
from sievemda.config import Lmtp, Site
from sievemda.state.credentials import Credentials
from sievemda.state.failures import Failures
from sievemda.tls.contexts import contexts
from tests.lmtp.running import running


@pytest.fixture
def guard(tmp_path):
    return Guard(
        Failures(tmp_path / "failures.db"), Options(failedloginpause=0, lockout_failures=4, lockout_never=()), Site()
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tls")
    files = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", "/CN=localhost", "-days", "2", "-out", files[0], "-keyout", files[1]),
        ],
        check=True,
        capture_output=True,
    )
    return files


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    users = Users(Credentials(tmp_path_factory.mktemp("users") / "accounts.db"), Site())
    users.set_password("mta", "secret")
    return users


@pytest.fixture
def server(tmp_path, sink, certificate, known, guard):
    with running(
        tmp_path,
        sink,
        users=known,
        guard=guard,
        tls=contexts(Lmtp(tls_server_cert=certificate[0], tls_server_key=certificate[1]), b""),
    ) as started:
        yield started


@pytest.fixture
def client(server):
    with server.client(inet=True) as connected:
        yield connected


def secure(client):
    """STARTTLS as a client does it."""
    assert client.do("STARTTLS") == "220 2.0.0 Ready to start TLS"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client.file.close()
    client.socket = context.wrap_socket(client.socket)
    client.file = client.socket.makefile("rb")


def encoded(text):
    return base64.b64encode(text.encode()).decode()


PLAIN = encoded("\0mta\0secret")


def test_starttls_is_offered_on_tcp_and_never_on_a_unix_socket(server, client):
    assert "250-STARTTLS\n" in client.do("LHLO x")
    with server.client() as local:
        assert "STARTTLS" not in local.do("LHLO x")
        assert "AUTH" not in local.do("LHLO x")
        assert local.do("STARTTLS") == "500 5.5.2 Unknown command"


def test_mail_is_delivered_over_tls(client, sink):
    client.do("LHLO first")
    secure(client)
    hello = client.do("LHLO second")
    assert "STARTTLS" not in hello
    assert "250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN\n" in hello
    assert client.do(f"AUTH PLAIN {PLAIN}") == "235 2.7.0 Authentication successful"
    assert client.message("x" * 300_000 + "\r\n.\r\n", ["a@x"])[0].startswith("250")
    peer = sink.deliveries[0][1]
    assert (peer.tls, peer.helo, peer.authenticated, peer.address) == (True, "second", "mta", "127.0.0.1")
    assert client.do("QUIT").startswith("221")
    assert client.at_end()


def test_what_is_sent_in_the_clear_behind_starttls_is_discarded(client):
    client.send("STARTTLS\r\nVRFY injected\r\nMAIL FROM:<injected@x>\r\n")
    assert client.reply().startswith("220")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client.file.close()
    client.socket = context.wrap_socket(client.socket)
    client.file = client.socket.makefile("rb")
    assert client.do("NOOP") == "250 2.0.0 Ok"


def test_starttls_begins_the_session_anew(client):
    client.do("AUTH SCRAM-SHA-256")
    client.do("*")
    secure(client)
    assert client.do("MAIL FROM:<a@x>").startswith("430 5.7.0")
    assert client.do("STARTTLS") == "503 5.5.1 TLS is active already"


def test_starttls_takes_no_argument(client):
    assert client.do("STARTTLS now") == "501 5.5.4 No argument allowed"


def test_a_handshake_that_fails_ends_the_session_alone(server, client, caplog):
    assert client.do("STARTTLS").startswith("220")
    client.send("this is no TLS\r\n" * 20)
    with suppress(ConnectionError):
        client.file.read()
    with server.client() as other:
        assert other.do("NOOP").startswith("250")
    until = time.monotonic() + 10
    while server.server._sessions and time.monotonic() < until:
        time.sleep(0.01)
    assert not server.server._sessions
    assert not [record for record in caplog.records if record.levelname in {"ERROR", "CRITICAL"}]


def test_plain_is_neither_offered_nor_taken_in_the_clear(client):
    hello = client.do("LHLO x")
    assert "SCRAM-SHA-256" in hello
    assert "PLAIN" not in hello
    assert client.do(f"AUTH PLAIN {PLAIN}").startswith("538 5.7.11")


def test_plain_is_taken_on_loopback_where_that_is_allowed(tmp_path, sink, known, guard):
    with (
        running(tmp_path, sink, users=known, guard=guard, allowplaintext=True) as server,
        server.client(inet=True) as client,
    ):
        assert "PLAIN" in client.do("LHLO x")
        assert client.do(f"auth plain {PLAIN}").startswith("235")
        assert "AUTH" not in client.do("LHLO x")
        assert client.do("MAIL FROM:<a@x>").startswith("250")


def test_plain_without_initial_response(client):
    secure(client)
    assert client.do("AUTH PLAIN") == "334 "
    assert client.do(PLAIN).startswith("235")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
def test_scram(client, mechanism):
    scram = ScramClient([mechanism], "mta", "secret")
    challenge = client.do(f"AUTH {mechanism} {encoded(scram.get_client_first())}")
    scram.set_server_first(base64.b64decode(challenge.removeprefix("334 ")).decode())
    challenge = client.do(encoded(scram.get_client_final()))
    scram.set_server_final(base64.b64decode(challenge.removeprefix("334 ")).decode())
    assert client.do("").startswith("235 2.7.0")
    assert client.do("MAIL FROM:<a@x>").startswith("250")


def test_a_wrong_password_is_535_logged_and_may_be_tried_again(client, caplog):
    secure(client)
    assert client.do("AUTH PLAIN " + encoded("\0mta\0wrong")) == "535 5.7.8 Authentication credentials invalid"
    assert client.do("AUTH PLAIN " + encoded("\0no\nbody\0x")).startswith("535 5.7.8")
    assert client.do("MAIL FROM:<a@x>").startswith("430")
    assert client.do(f"AUTH PLAIN {PLAIN}").startswith("235")
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert lines == [
        "lmtp: login failed: user=mta mech=PLAIN rhost=127.0.0.1 reason=credentials",
        "lmtp: login failed: user=no\\x0abody mech=PLAIN rhost=127.0.0.1 reason=credentials",
    ]
    assert "wrong" not in caplog.text


def test_an_address_that_guesses_is_put_off_with_a_right_password_too(client):
    secure(client)
    for number in range(4):
        assert client.do("AUTH PLAIN " + encoded(f"\0mta\0wrong{number}")).startswith("535 5.7.8")
    locked = "454 4.7.0 Too many failed logins from your address, try again later"
    assert client.do(f"AUTH PLAIN {PLAIN}") == locked
    assert client.do("AUTH PLAIN " + encoded("\0nobody\0wrong")) == locked
    assert client.do("AUTH SCRAM-SHA-256") == locked
    assert client.do("NOOP").startswith("250")


@pytest.mark.parametrize(
    ("says", "reply"),
    [
        (["AUTH"], "501 5.5.4"),
        (["AUTH KERBEROS_V4"], "504 5.5.4"),
        (["AUTH ANONYMOUS x"], "504 5.5.4"),
        (["AUTH PLAIN !!!"], "501 5.5.2"),
        (["AUTH PLAIN ="], "535 5.7.8"),
        (["AUTH PLAIN", "*"], "501 5.7.0"),
        (["AUTH PLAIN", "ü"], "501 5.5.2"),
        (["AUTH PLAIN", "A" * 20_000], "500 5.5.6"),
        (["AUTH PLAIN " + encoded("no nul")], "535 5.7.8"),
    ],
    ids=lambda value: value[-1][:20] if isinstance(value, list) else None,
)
def test_an_exchange_that_goes_wrong(client, says, reply):
    secure(client)
    for line in says:
        answer = client.do(line)
    assert answer[:9] == reply
    assert client.do("NOOP").startswith("250")


def test_auth_is_refused_when_done_and_within_a_transaction(server, client):
    secure(client)
    client.do(f"AUTH PLAIN {PLAIN}")
    assert client.do(f"AUTH PLAIN {PLAIN}").startswith("503 5.5.0")
    client.do("MAIL FROM:<a@x>")
    assert client.do(f"AUTH PLAIN {PLAIN}").startswith("503 5.5.0")


def test_the_identity_of_the_client_is_not_the_posting_identity(client, sink):
    secure(client)
    client.do(f"AUTH PLAIN {PLAIN}")
    client.message(".\r\n", ["a@x"])
    assert sink.deliveries[0][0].auth is None


def test_credentials_that_cannot_be_read_are_454(tmp_path, sink, certificate, guard):
    (tmp_path / "accounts.db").write_text("this is no database, and it is long enough to be looked at" * 100)
    broken = Users(Credentials(tmp_path / "accounts.db"), Site())
    with (
        running(
            tmp_path,
            sink,
            users=broken,
            guard=guard,
            tls=contexts(Lmtp(tls_server_cert=certificate[0], tls_server_key=certificate[1]), b""),
        ) as server,
        server.client(inet=True) as client,
    ):
        secure(client)
        assert client.do(f"AUTH PLAIN {PLAIN}").startswith("454 4.7.0")


def test_a_client_that_leaves_in_the_exchange_leaves_nothing(server, client):
    assert client.do("AUTH SCRAM-SHA-256") == "334 "
    client.socket.shutdown(socket.SHUT_RDWR)
    until = time.monotonic() + 10
    while server.server._sessions and time.monotonic() < until:
        time.sleep(0.01)
    assert not server.server._sessions
