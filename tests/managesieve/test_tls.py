import hashlib
import os
import pwd
import socket
import ssl
import time
from unittest import mock

import pytest
from cryptography import x509
from OpenSSL import SSL

from sievemda.errors import ConfigurationError
from sievemda.managesieve import visit
from tests.managesieve.conversation import PATIENCE, login, running, skip_to, wait_for


@pytest.fixture
def trusting(keys):
    def make(*, certificate="", alpn=()):
        context = ssl.create_default_context(cafile=keys / "ca.pem")
        if certificate:
            context.load_cert_chain(keys / f"{certificate}.crt", keys / f"{certificate}.key")
        if alpn:
            context.set_alpn_protocols(alpn)
        return context

    return make


def capabilities(peer):
    lines = []
    while (line := peer.line()) != b"OK\r\n":
        assert line
        lines.append(line)
    return lines


def by_tls(connect, address, context, name="localhost"):
    with hello_awaited():
        peer = connect(address, greeting=False)
        peer.start_tls(context, name)
    return peer


def hello_awaited():
    """A server that greets nobody in clear meanwhile, however slow the machine makes the clients."""
    return mock.patch.object(visit, "_HELLO_TIME", PATIENCE)


# --- STARTTLS -------------------------------------------------------------------------------------------------


def test_starttls_resends_the_capabilities_and_allows_plain(secure, trusting, connect):
    with running(*secure()) as (address, _):
        peer = connect(address, greeting=False)
        skip_to(peer, b'"STARTTLS"\r\n')
        skip_to(peer, b"OK\r\n")
        peer.send(b"STARTTLS\r\n")
        assert peer.line() == b"OK\r\n"
        peer.start_tls(trusting())
        lines = capabilities(peer)
        assert any(line.startswith(b'"SASL" ') and b"PLAIN" in line for line in lines)
        assert b'"STARTTLS"\r\n' not in lines
        login(peer)
        text = b"#" * 300_000
        peer.send(b'PUTSCRIPT "a" {%d+}\r\n%s\r\nGETSCRIPT "a"\r\nLOGOUT\r\n' % (len(text), text))
        assert peer.line() == b"OK\r\n"
        assert peer.line() == b"{300000}\r\n"
        assert peer.file.read(300_000) == text
        assert [peer.line(), peer.line(), peer.line()] == [b"\r\n", b"OK\r\n", b"OK\r\n"]
        assert peer.ended()


@pytest.mark.parametrize(
    "injected",
    [
        b"NOOP\r\n",
        b'PUTSCRIPT "evil" "',
        b'AUTHENTICATE "PLAIN" {500+}\r\nx',
        b"NOOP\r\n" * 1000,
        b'AUTHENTICATE "PLAIN" {30000+}\r\n' + b"x" * 30000,
    ],
    ids=["command", "open string", "literal", "many commands", "long literal"],
)
def test_what_is_injected_behind_starttls_is_forgotten(secure, trusting, connect, injected):
    with running(*secure()) as (address, _):
        peer = connect(address)
        peer.send(b"STARTTLS\r\n" + injected)
        assert peer.line() == b"OK\r\n"
        peer.start_tls(trusting())
        skip_to(peer, b"OK\r\n")
        peer.send(b'NOOP "mine"\r\n')
        assert peer.line() == b"OK (TAG {4}\r\n"
        assert peer.line() == b'mine) "done"\r\n'


def test_an_exchange_that_was_begun_in_clear_does_not_go_on_behind_tls(secure, trusting, connect):
    with running(*secure()) as (address, _):
        peer = connect(address)
        peer.send(b'AUTHENTICATE "SCRAM-SHA-256"\r\nSTARTTLS\r\nSTARTTLS\r\n')
        assert peer.line() == b'""\r\n'
        assert peer.line() == b'NO "one string was expected; authentication cancelled"\r\n'
        assert peer.line() == b"OK\r\n"
        peer.start_tls(trusting())
        skip_to(peer, b"OK\r\n")
        peer.send(b'""\r\nNOOP\r\n')
        assert peer.line() == b'NO "a command was expected"\r\n'
        assert peer.line() == b"OK\r\n"


@pytest.mark.parametrize("hello", [b"NOOP\r\n" * 10, b"\x16\x03\x01\x00\x05hello", b""])
def test_a_failed_handshake_ends_that_connection_only(secure, connect, hello):
    with running(*secure()) as (address, _):
        peer = connect(address)
        peer.send(b"STARTTLS\r\n")
        assert peer.line() == b"OK\r\n"
        peer.send(hello)
        peer.socket.shutdown(socket.SHUT_WR)
        peer.file.read()
        connect(address)


def test_starttls_twice_is_refused(secure, trusting, connect):
    with running(*secure()) as (address, _):
        peer = by_tls(connect, address, trusting())
        skip_to(peer, b"OK\r\n")
        peer.send(b"STARTTLS\r\nNOOP\r\n")
        assert peer.line() == b'NO "TLS is on already"\r\n'
        assert peer.line() == b"OK\r\n"


# --- one port -------------------------------------------------------------------------------------------------


def test_tls_on_connect_greets_behind_the_handshake(secure, trusting, connect):
    with running(*secure()) as (address, _):
        peer = by_tls(connect, address, trusting())
        lines = capabilities(peer)
        assert b'"STARTTLS"\r\n' not in lines
        login(peer)


def test_a_client_that_waits_is_greeted_in_clear_and_one_that_talks_at_once(secure, connect):
    with running(*secure()) as (address, _):
        began = time.monotonic()
        connect(address)
        assert time.monotonic() - began >= 0.29
        hasty = connect(address, greeting=False)
        hasty.send(b"NOOP\r\n")
        skip_to(hasty, b"OK\r\n")
        assert hasty.line() == b"OK\r\n"


def test_a_tls_hello_in_single_octets_is_one(secure, trusting, connect):
    """A client that is slow with all but the first octet is no less one."""
    with running(*secure()) as (address, server):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        hello = outgoing.read()
        with hello_awaited():
            peer = connect(address, greeting=False)
            peer.send(hello[:1])
            wait_for(lambda: [one._shaking for one in server.visits()] == [True])
        for octet in hello[1:]:
            peer.send(bytes([octet]))
        assert peer.socket.recv(1) == b"\x16"


@pytest.mark.parametrize("tls", [True, False])
def test_a_tls_hello_behind_the_greeting_is_told_so_and_does_not_wait(secure, make_service, connect, tls):
    service, identities = secure() if tls else (make_service(), None)
    with running(service, identities) as (address, _):
        peer = connect(address)
        peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert peer.line() == b'BYE "the session has begun in clear: TLS comes at once or by STARTTLS"\r\n'
        assert peer.ended()


def test_who_leaves_before_the_greeting_leaves_nothing(secure, connect):
    with running(*secure()) as (address, server):
        for _ in range(3):
            connect(address, greeting=False).close()
        connect(address).close()
        wait_for(lambda: not server.visits())


# --- certificates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("one.example", "one.example"),
        ("ONE.example", "one.example"),
        ("a.wild.example", "one.example"),
        ("two.example", "two.example"),
        ("three.example", "three.example"),
        ("a.b.wild.example", "localhost"),
        ("unknown.example", "localhost"),
        ("localhost", "localhost"),
        (None, "localhost"),
    ],
)
def test_the_certificate_is_the_one_of_the_name_that_was_asked_for(secure, keys, trusting, connect, name, shown):
    context = trusting()
    context.check_hostname = False
    with running(*secure(f"tls_server_dir={keys / 'names'}")) as (address, _):
        peer = by_tls(connect, address, context, name)
        skip_to(peer, b"OK\r\n")
        assert shown in [value for _, value in peer.socket.getpeercert()["subjectAltName"]]


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [((), None), (("managesieve",), "managesieve"), (("imap", "managesieve"), "managesieve")],
)
def test_the_protocol_of_the_application_is_agreed_on(secure, trusting, connect, offered, agreed):
    with running(*secure()) as (address, _):
        peer = by_tls(connect, address, trusting(alpn=offered))
        skip_to(peer, b"OK\r\n")
        assert peer.socket.selected_alpn_protocol() == agreed


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", ["localhost", "one.example"])
def test_a_client_of_other_protocols_is_refused_in_the_handshake(secure, keys, trusting, connect, version, name):
    context = trusting(alpn=("imap", "http/1.1"))
    context.maximum_version = version
    with running(*secure(f"tls_server_dir={keys / 'names'}")) as (address, _):
        with pytest.raises(ssl.SSLError, match=r"(?i)no_application_protocol|no application protocol"):
            by_tls(connect, address, context, name)
        skip_to(by_tls(connect, address, trusting()), b"OK\r\n")


@pytest.mark.parametrize(("field", "user"), [("commonName", "alice"), ("uid", "u1"), ("email", "alice@example.org")])
def test_a_certificate_names_its_user(secure, keys, trusting, connect, field, user):
    service, identities = secure(f"tls_client_ca_file={keys / 'ca.pem'}", f"tls_client_user={field}")
    with running(service, identities) as (address, server):
        skip_to(by_tls(connect, address, trusting(certificate="alice")), b"OK\r\n")
        (visit,) = server.visits()
        assert visit.session.client.certificate == user
        assert visit.session.client.secure


def test_without_a_certificate_there_is_no_user(secure, keys, trusting, connect):
    service, identities = secure(f"tls_client_ca_file={keys / 'ca.pem'}")
    with running(service, identities) as (address, server):
        skip_to(by_tls(connect, address, trusting()), b"OK\r\n")
        assert server.visits()[0].session.client.certificate == ""


@pytest.mark.parametrize(
    ("sets", "certificate"),
    [
        ((), "stranger"),
        (("tls_client_certs=require",), ""),
        (("tls_crl_file={keys}/crl.pem",), "mallory"),
    ],
)
def test_a_certificate_that_is_not_right_ends_the_handshake(secure, keys, trusting, connect, sets, certificate):
    context = trusting(certificate=certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # with 1.3 the client is told only when he reads
    given = [one.format(keys=keys) for one in sets]
    service = secure(f"tls_client_ca_file={keys / 'ca.pem'}", *given)
    with running(*service) as (address, _), pytest.raises((ssl.SSLError, ConnectionError)):
        by_tls(connect, address, context)


def test_nobody_is_asked_for_a_certificate_where_that_is_off(secure, keys, trusting, connect):
    sets = (f"tls_client_ca_file={keys / 'ca.pem'}", "tls_client_certs=off")
    service, identities = secure(*sets)
    with running(service, identities) as (address, server):
        skip_to(by_tls(connect, address, trusting(certificate="stranger")), b"OK\r\n")
        assert server.visits()[0].session.client.certificate == ""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_versions_that_are_not_safe_are_not_spoken(secure, trusting, connect, version):
    context = trusting()
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with running(*secure()) as (address, _), pytest.raises((ssl.SSLError, ConnectionError)):
        by_tls(connect, address, context)


@pytest.mark.parametrize(
    ("versions", "spoken"), [("tls1_2", "TLSv1.2"), ("tls1_3", "TLSv1.3"), ("tls1_2 tls1_3", "TLSv1.3")]
)
def test_the_site_says_which_versions_are_spoken(secure, trusting, connect, versions, spoken):
    with running(*secure(f"tls_versions={versions}")) as (address, _):
        peer = by_tls(connect, address, trusting())
        assert peer.socket.version() == spoken


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "NULL", "aNULL"])
def test_ciphers_that_are_not_safe_are_not_spoken(secure, trusting, connect, cipher):
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with running(*secure()) as (address, _), pytest.raises((ssl.SSLError, ConnectionError)):
        by_tls(connect, address, context)


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (("tls_server_cert=/nowhere/a.pem",), "/nowhere/a.pem"),
        (("tls_server_key=/nowhere/k.pem",), "/nowhere/k.pem"),
        (("tls_server_key={keys}/two.key",), "key values mismatch"),
        (("tls_server_cert={keys}/localhost.key",), "tls_server_cert"),
        (("tls_ciphers=NONSENSE",), "NONSENSE"),
        (("tls_server_key={keys}/locked.key",), "{keys}/locked.key"),
        (("tls_server_dir=/nowhere",), "/nowhere"),
        (("tls_server_dir={keys}",), "tls_server_dir: {keys}/ca.pem"),
        (("tls_client_ca_file=/nowhere/ca.pem",), "/nowhere/ca.pem"),
        (("tls_client_ca_file={keys}/localhost.key",), "tls_client_ca_file"),
        (("tls_client_ca_file={keys}/ca.pem", "tls_crl_file=/nowhere/crl"), "/nowhere/crl"),
        (("tls_versions=tls1_0",), "tls1_2"),
        (("tls_client_certs=require",), "tls_client_ca_file"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told_at_the_start(secure, keys, sets, words):
    with pytest.raises(ConfigurationError) as caught:
        secure(*(one.format(keys=keys) for one in sets))
    assert words.format(keys=keys) in str(caught.value)


# --- channel bindings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_both_ends_have_the_same_channel_bindings(secure, keys, connect, version):
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(version)
    with running(*secure()) as (address, server):
        with hello_awaited():
            peer = connect(address, greeting=False)
            peer.socket.setblocking(True)
            client = SSL.Connection(context, peer.socket)
            client.set_connect_state()
            client.do_handshake()
        client.recv(1)
        found = server.visits()[0].session.client.bindings
        shown = x509.load_pem_x509_certificate((keys / "localhost.crt").read_bytes())
        wanted = {
            "tls-server-end-point": shown.fingerprint(shown.signature_hash_algorithm),
            "tls-unique": client.get_finished(),
        }
        if version == SSL.TLS1_3_VERSION:
            wanted["tls-exporter"] = client.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
        assert found == wanted
        assert len(found["tls-server-end-point"]) == hashlib.sha256().digest_size


def test_the_standard_library_sees_the_same_binding(secure, trusting, connect):
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with running(*secure()) as (address, server):
        peer = by_tls(connect, address, context)
        skip_to(peer, b"OK\r\n")
        bindings = server.visits()[0].session.client.bindings
        assert bindings["tls-unique"] == peer.socket.get_channel_binding("tls-unique")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_not_resumed(secure, trusting, connect, version):
    context = trusting()
    context.maximum_version = version
    with running(*secure()) as (address, _):
        first = by_tls(connect, address, context)
        skip_to(first, b"OK\r\n")
        with hello_awaited():
            again = connect(address, greeting=False)
            again.socket = context.wrap_socket(again.socket, server_hostname="localhost", session=first.socket.session)
        assert not again.socket.session_reused


# --- UNIX sockets ---------------------------------------------------------------------------------------------


def test_at_a_unix_socket_the_user_is_the_one_whose_process_it_is(make_service, tmp_path, connect):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    with running(make_service(), None, listener) as (address, server):
        peer = connect(address, greeting=False)
        assert b'"STARTTLS"\r\n' not in capabilities(peer)
        client = server.visits()[0].session.client
        assert (client.address, client.socket_user) == ("", pwd.getpwuid(os.getuid()).pw_name)


def test_closing_is_told_in_tls(secure, trusting, connect):
    with running(*secure()) as (address, _):
        peer = by_tls(connect, address, trusting())
        skip_to(peer, b"OK\r\n")
        peer.send(b"LOGOUT\r\n")
        assert peer.line() == b"OK\r\n"
        assert peer.ended()  # and not torn off, which would raise


def test_closing_is_answered_in_tls(secure, trusting, connect):
    """RFC 5246 §7.2.1."""
    with running(*secure()) as (address, _):
        peer = by_tls(connect, address, trusting())
        skip_to(peer, b"OK\r\n")
        peer.file.close()
        peer.socket.unwrap().close()


def test_a_bye_is_not_torn_off_in_tls(secure, trusting, connect):
    with running(*secure("timeout=1")) as (address, _):
        peer = by_tls(connect, address, trusting())
        skip_to(peer, b"OK\r\n")
        assert peer.line() == b'BYE "idle for too long"\r\n'
        assert peer.ended()
