"""STARTTLS and AUTH over TCP, with real credentials and a certificate made for the test."""

import base64
import socket
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from scramp import ScramClient

from sievemda.auth.guard import Guard
from sievemda.auth.sasl.steps import Challenge, Refused
from sievemda.auth.users import Users
from sievemda.config import Guard as Options
from sievemda.config import Lmtp, Site
from sievemda.state.credentials import Credentials
from sievemda.state.failures import Failures
from sievemda.tls.contexts import contexts
from tests.auth.sasl.test_binding import exchange
from tests.lmtp.running import running
from tests.lmtp.test_dialogues import follow, read
from tests.lmtp.test_sessions import wait_for
from tests.managesieve.authorities import Authority


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
        connected.do("LHLO x")
        yield connected


def secure(client, maximum=ssl.TLSVersion.TLSv1_3, certificate=None, *, greet=True):
    """STARTTLS as a client does it, and LHLO behind it."""
    assert client.do("STARTTLS") == "220 2.0.0 Ready to start TLS"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = maximum
    if certificate is not None:
        context.load_cert_chain(*certificate)
    client.file.close()
    client.socket = context.wrap_socket(client.socket)
    client.file = client.socket.makefile("rb")
    if greet:
        client.do("LHLO x")


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
    secure(client, greet=False)
    assert client.do("MAIL FROM:<a@x>").startswith("430 5.7.0")
    assert client.do(f"AUTH PLAIN {PLAIN}") == "503 5.5.1 Say LHLO first"
    assert client.do("STARTTLS") == "503 5.5.1 TLS is active already"
    client.do("LHLO x")
    assert client.do(f"AUTH PLAIN {PLAIN}").startswith("235")


def test_auth_comes_behind_lhlo_which_offers_it(server):
    with server.client(inet=True) as client:
        assert client.do("AUTH SCRAM-SHA-256") == "503 5.5.1 Say LHLO first"
        client.do("LHLO x")
        assert client.do("AUTH SCRAM-SHA-256") == "334 "


def test_starttls_takes_no_argument(client):
    assert client.do("STARTTLS now") == "501 5.5.4 No argument allowed"


def test_a_handshake_that_fails_ends_the_session_alone(server, client, caplog):
    assert client.do("STARTTLS").startswith("220")
    client.send("this is no TLS\r\n" * 20)
    with suppress(ConnectionError):
        client.file.read()
    with server.client() as other:
        assert other.do("NOOP").startswith("250")
    wait_for(lambda: not server.server._sessions)
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
        (["AUTH PLAIN", "A" * 64_000], "535 5.7.8"),
        (["AUTH PLAIN", "A" * 64_004], "500 5.5.6"),
        (["AUTH PLAIN", "A" * 200_000], "500 5.5.6"),
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


DIALOGUES = sorted(Path(__file__).parents[1].joinpath("dialogues", "lmtp-auth").glob("*.txt"))


@pytest.mark.parametrize("file", DIALOGUES, ids=lambda file: file.stem)
def test_dialogue(file, tmp_path, sink, known, guard):
    inet, options, steps = read(file)
    if "sasl_mech_list" in options:
        options["sasl_mech_list"] = tuple(options["sasl_mech_list"].split())
    with (
        running(tmp_path, sink, users=known, guard=guard, **options) as server,
        server.client(inet=inet) as client,
    ):
        client.do("LHLO x")
        follow(steps, client)


def login(client, mechanism, name, password, binding=b""):
    """One SCRAM exchange; the last reply of the server."""
    kind = "tls-unique" if mechanism.endswith("-PLUS") else ""
    header = f"p={kind},," if kind else "n,,"
    base, said = mechanism.removesuffix("-PLUS"), []

    class Wire:
        def step(self, response):
            command = base64.b64encode(response).decode()
            reply = client.do(command if said else f"AUTH {mechanism} {command}")
            said.append(reply)
            return Challenge(base64.b64decode(reply[4:])) if reply.startswith("334") else Refused("", reply)

    exchange(Wire(), base, header, binding, user=name, password=password)
    return said[-1]


def test_a_transition_is_told_to_everybody_whose_scram_fails(tmp_path, sink, known, guard):
    with (
        running(tmp_path, sink, users=known, guard=guard, sasl_auto_transition=True) as server,
        server.client(inet=True) as client,
    ):
        client.do("LHLO x")
        told = "432 4.7.12 A password transition is needed: log in once with PLAIN"
        assert login(client, "SCRAM-SHA-256", "mta", "wrong") == told
        assert login(client, "SCRAM-SHA-256", "nobody", "wrong") == told
        assert login(client, "SCRAM-SHA-256", "mta", "secret").startswith("235")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_login_is_bound_to_the_channel(client, version):
    secure(client, maximum=version)
    finished = client.socket.get_channel_binding("tls-unique")
    assert login(client, "SCRAM-SHA-256-PLUS", "mta", "secret", b"another channel").startswith("535")
    assert login(client, "SCRAM-SHA-256-PLUS", "mta", "secret", finished).startswith("235")


def test_who_says_that_the_bound_form_was_not_offered_is_warned_of_the_one_between(client):
    """RFC 5802 §6: the flag `y`."""
    secure(client)
    assert client.do("AUTH SCRAM-SHA-256 " + encoded("y,,n=mta,r=x")).startswith("535")


@pytest.mark.parametrize(
    ("name", "authzid", "code"), [("mta", "=", "235"), ("mta", encoded("mta"), "235"), ("mta", encoded("other"), "535")]
)
def test_a_certificate_lets_its_owner_in(tmp_path, sink, known, guard, certificate, name, authzid, code):
    authority = Authority()
    shown = authority.issue(tmp_path, "client", commonName=name)
    tls = Lmtp(
        tls_server_cert=certificate[0],
        tls_server_key=certificate[1],
        tls_client_ca_file=authority.write(tmp_path / "authority.pem"),
    )
    with running(tmp_path, sink, users=known, guard=guard, tls=contexts(tls, b"")) as server:
        with server.client(inet=True) as client:
            secure(client, certificate=shown)
            assert "250-AUTH EXTERNAL " in client.do("LHLO x")
            assert client.do(f"AUTH EXTERNAL {authzid}").startswith(code)
        with server.client(inet=True) as client:
            secure(client)
            assert "EXTERNAL" not in client.do("LHLO x")


@pytest.mark.parametrize(
    ("name", "shown"), [("one.example", "one.example"), ("unknown.example", "localhost"), (None, "localhost")]
)
def test_the_certificate_is_the_one_of_the_name_that_was_asked_for(tmp_path, sink, known, guard, name, shown):
    authority, names = Authority(), tmp_path / "names"
    names.mkdir()
    authority.issue(names, "one", hosts=["one.example"])
    certificate, key = authority.issue(tmp_path, "default", hosts=["localhost"])
    tls = Lmtp(tls_server_cert=certificate, tls_server_key=key, tls_server_dir=names)
    context = ssl.create_default_context(cafile=authority.write(tmp_path / "authority.pem"))
    context.check_hostname = False
    with (
        running(tmp_path, sink, users=known, guard=guard, tls=contexts(tls, b"")) as server,
        server.client(inet=True) as client,
    ):
        assert client.do("STARTTLS").startswith("220")
        client.file.close()
        client.socket = context.wrap_socket(client.socket, server_hostname=name)
        client.file = client.socket.makefile("rb")
        assert client.socket.getpeercert()["subjectAltName"] == (("DNS", shown),)
        client.do("LHLO x")
        assert client.do(f"AUTH PLAIN {PLAIN}").startswith("235")


def test_a_certificate_of_somebody_elses_authority_ends_the_session(tmp_path, sink, known, guard, certificate):
    shown = Authority("Another").issue(tmp_path, "client", commonName="mta")
    tls = Lmtp(
        tls_server_cert=certificate[0],
        tls_server_key=certificate[1],
        tls_client_ca_file=Authority().write(tmp_path / "authority.pem"),
    )
    with (
        running(tmp_path, sink, users=known, guard=guard, tls=contexts(tls, b"")) as server,
        server.client(inet=True) as client,
        pytest.raises(OSError),
    ):
        secure(client, certificate=shown)
        assert client.do("NOOP") == ""
        raise ConnectionResetError


def test_a_token_that_failed_counts_although_the_client_does_not_wait_to_be_told(tmp_path, sink, known, guard, caplog):
    with (
        running(
            tmp_path,
            sink,
            users=known,
            guard=guard,
            allowplaintext=True,
            oauth2_introspection_url="http://127.0.0.1:1/",
        ) as server,
        server.client(inet=True) as client,
    ):
        client.do("LHLO x")
        client.do("AUTH OAUTHBEARER " + encoded("n,,"))
        assert client.do("*").startswith("501")
    assert "lmtp: login failed: user=- mech=OAUTHBEARER rhost=127.0.0.1 reason=malformed" in caplog.text


def test_a_client_that_leaves_in_the_exchange_leaves_nothing(server, client):
    assert client.do("AUTH SCRAM-SHA-256") == "334 "
    client.socket.shutdown(socket.SHUT_RDWR)
    wait_for(lambda: not server.server._sessions)
