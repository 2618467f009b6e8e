"""Every mechanism with clients that others wrote, over ManageSieve and LMTP."""

from __future__ import annotations

import base64
import os
import smtplib
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.certificate import make_certificate
from tests.interop.kerberos import Realm
from tests.interop.processes import need
from tests.interop.sasl import PYTHON, Gsasl, Secure, cyrus, environment
from tests.interop.site import Site
from tests.managesieve.authorities import Authority

USERS = {"alice": "secret", "root": "toor", "müller": "naïve"}
NAMED = "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN CRAM-MD5 DIGEST-MD5 EXTERNAL GSSAPI"
CYRUS = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"]


@pytest.fixture(scope="module")
def realm(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Realm]:
    realm = Realm(make_directory() / "realm")
    for name, password in (("alice", "ticket"), ("root", "ticket"), ("alice/admin", "ticket")):
        realm.admin(f"addprinc -pw {password} {name}")
    logs["krb5kdc"] = realm.log
    realm.start()
    yield realm
    realm.stop()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def house(
    make_directory: Callable[[], Path], logs: dict[str, Path], realm: Realm, authority: Authority
) -> Iterator[Site]:
    """A site whose back end keeps passwords in plain text, that knows Kerberos and certificates of clients."""
    directory = make_directory()
    certificate, key = make_certificate(directory)
    (directory / "passwd").write_text("".join(f"{name}:{{PLAIN}}{word}\n" for name, word in USERS.items()))
    settings = {
        "servername": "localhost",
        "tls_server_cert": str(certificate),
        "tls_server_key": str(key),
        "tls_client_ca_file": str(authority.write(directory / "authority.pem")),
        "auth_backends": "passwd-file",
        "auth_passwd_file": str(directory / "passwd"),
        "admins": "root",
        "allowplaintext": "no",
        "sasl_mech_list": NAMED,
        "gssapi_keytab": str(realm.keytab),
        "lmtp_trusted_networks": "192.0.2.0/24",
        "failedloginpause": "0",
    }
    site = Site(directory / "site", settings, workers=1)
    logs["sievemda"] = site.log
    path = os.pathsep.join(filter(None, (str(PYTHON), os.environ.get("PYTHONPATH", ""))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path)
        for name, value in realm.environment.items():
            patch.setenv(name, value)
        site.start()
        site.make("user/alice", "user/müller")
        yield site
    site.stop()


@pytest.mark.parametrize("mechanism", CYRUS)
@pytest.mark.parametrize("kind", ["sivtest", "lmtptest"])
def test_cyrus_clients_log_in(house: Site, kind: str, mechanism: str) -> None:
    port = house.managesieve_port if kind == "sivtest" else house.port
    said = cyrus(kind, port, mechanism, "alice", "secret")
    assert "\nAuthenticated." in said, said
    refused = cyrus(kind, port, mechanism, "alice", "wrong")
    assert "\nAuthenticated." not in refused
    assert "Authentication failed" in refused, refused


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "PLAIN"])
def test_cyrus_clients_act_for_others(house: Site, mechanism: str) -> None:
    assert "\nAuthenticated." in cyrus("sivtest", house.managesieve_port, mechanism, "root", "toor", "alice")
    assert "\nAuthenticated." not in cyrus("sivtest", house.managesieve_port, mechanism, "alice", "secret", "root")


@pytest.mark.parametrize("kind", ["sivtest", "lmtptest"])
def test_cyrus_clients_log_in_with_a_ticket(
    house: Site, realm: Realm, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in realm.environment.items():
        monkeypatch.setenv(name, value)
    port = house.managesieve_port if kind == "sivtest" else house.port
    realm.ticket("alice", "ticket")
    assert "\nAuthenticated." in cyrus(kind, port, "GSSAPI", "alice", "")
    assert "\nAuthenticated." in cyrus(kind, port, "GSSAPI", "alice", "", tls=False)
    assert "\nAuthenticated." not in cyrus(kind, port, "GSSAPI", "alice", "", "root")
    realm.ticket("alice/admin", "ticket")
    assert "\nAuthenticated." not in cyrus(kind, port, "GSSAPI", "alice", "")
    realm.ticket("root", "ticket")
    assert "\nAuthenticated." in cyrus(kind, port, "GSSAPI", "root", "", "alice")


_TOKEN = """
import base64, gssapi
name = gssapi.Name("sieve@localhost", gssapi.NameType.hostbased_service)
print(base64.b64encode(gssapi.SecurityContext(name=name, usage="initiate").step()).decode())
"""


def test_a_ticket_that_our_key_does_not_open_is_refused(house: Site, realm: Realm) -> None:
    realm.ticket("alice", "ticket")
    env = environment(**realm.environment, PYTHONPATH=str(PYTHON))
    asked = subprocess.run([sys.executable, "-c", _TOKEN], env=env, capture_output=True, text=True, check=True)
    token = base64.b64decode(asked.stdout)
    session = Secure(house.managesieve_port)
    for broken in (token[:-9] + bytes(9), token[: len(token) // 2], b"junk"):
        session.send(b'AUTHENTICATE "GSSAPI" "%s"\r\n' % base64.b64encode(broken))
        assert session.until_done() == [b'NO "authentication failed"']
    session.close()


@pytest.mark.parametrize(
    "mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"]
)
@pytest.mark.parametrize(("user", "password"), [("alice", "secret"), ("müller", "naïve")])
def test_gsasl_logs_in(house: Site, mechanism: str, user: str, password: str) -> None:
    session = Secure(house.managesieve_port)
    bindings = session.bindings() if mechanism.endswith("-PLUS") else None
    wrong = Gsasl(mechanism, "-a", user, "-p", "wrong", bindings=bindings)
    assert session.login(mechanism, wrong).startswith(b"NO")
    right = Gsasl(mechanism, "-a", user, "-p", password, bindings=bindings)
    assert session.login(mechanism, right) == b"OK"
    session.close()


@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "DIGEST-MD5"])
def test_gsasl_logs_in_by_old_mechanisms(house: Site, mechanism: str) -> None:
    session = Secure(house.managesieve_port)
    options = (
        "--service",
        "sieve",
        "--hostname",
        "localhost",
        "-r",
        "localhost",
        "--quality-of-protection",
        "qop-auth",
    )
    for password, end in (("wrong", b"NO"), ("secret", b"OK")):
        client = Gsasl(mechanism, "-a", "alice", "-p", password, *options)
        assert session.login(mechanism, client, server_first=True).startswith(end)
    session.close()


def test_gsasl_is_refused_on_another_channel(house: Site) -> None:
    """Somebody in the middle has a channel with each side."""
    session, other = Secure(house.managesieve_port), Secure(house.managesieve_port)
    client = Gsasl("SCRAM-SHA-256-PLUS", "-a", "alice", "-p", "secret", bindings=other.bindings())
    assert session.login("SCRAM-SHA-256-PLUS", client).startswith(b"NO")
    session.close()
    other.close()


def test_gsasl_logs_in_by_a_certificate(house: Site, authority: Authority) -> None:
    """EXTERNAL; an administrator's certificate opens a user's scripts."""
    shown = authority.issue(house.directory.parent, "root", commonName="root")
    for mechanism, options, end in (
        ("EXTERNAL", ("-z", "alice"), b"OK"),
        ("EXTERNAL", ("-z", ""), b"NO"),  # root has no mailbox
    ):
        session = Secure(house.managesieve_port, shown)
        assert any(b"EXTERNAL" in line for line in session.capabilities)
        assert session.login(mechanism, Gsasl(mechanism, *options)).startswith(end)
        session.close()
    session = Secure(house.managesieve_port)
    assert not any(b"EXTERNAL" in line for line in session.capabilities)
    session.close()


class Lmtp(smtplib.LMTP):
    """smtplib's client as it is; it upgrades to TLS by the command of its parent class."""

    def ehlo(self, name: str = "") -> tuple[int, bytes]:
        return super().ehlo(name or "client.example")


@pytest.mark.parametrize("method", ["auth_cram_md5", "auth_plain", "auth_login"])
@pytest.mark.parametrize(("password", "code"), [("secret", 235), ("wrong", 535)])
def test_the_standard_library_logs_in_over_lmtp(house: Site, method: str, password: str, code: int) -> None:
    context = ssl.create_default_context(cafile=str(house.directory.parent / "cert.pem"))
    with Lmtp("localhost", house.port) as client:
        client.starttls(context=context)
        client.ehlo()
        client.user, client.password = "alice", password
        try:
            got, _ = client.auth(method.removeprefix("auth_").replace("_", "-").upper(), getattr(client, method))
        except smtplib.SMTPAuthenticationError as e:
            got = e.smtp_code
        assert got == code


def test_a_client_does_not_speak_first_where_the_server_does(house: Site) -> None:
    """RFC 5804 §2.1, RFC 4954 §4."""
    session = Secure(house.managesieve_port)
    session.send(b'AUTHENTICATE "CRAM-MD5" ""\r\n')
    assert session.until_done() == [b'NO "this mechanism takes no initial response"']
    session.close()
    with Lmtp("localhost", house.port) as client:
        client.ehlo()
        assert client.docmd("AUTH", "CRAM-MD5 =")[0] == 501


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"])
@pytest.mark.parametrize(("password", "code"), [("secret", 0), ("wrong", 28)])  # swaks: 28 is a login that failed
def test_swaks_logs_in_over_lmtp(house: Site, mechanism: str, password: str, code: int) -> None:
    need("swaks")
    server = ["--protocol", "LMTP", "--server", "127.0.0.1", "--port", str(house.port), "--tls", "--quit-after", "AUTH"]
    who = ["--auth", mechanism, "--auth-user", "alice", "--auth-password", password]
    command = ["swaks", "--helo", "mta.example.net", "--to", "alice@example.org", *server, *who]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
