"""Every client of ManageSieve that can be had, against this server: each way of TLS, each mechanism, each command.

What a client cannot do stands in its row in `clients`: sievemda is never the reason.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.interop.certificate import make_certificate
from tests.interop.clients.matrix import CLIENTS, mechanisms, ways
from tests.interop.clients.relay import Relay
from tests.interop.clients.session import Client, Login, Place, Refused, Session, Tls
from tests.interop.kerberos import Realm
from tests.interop.sasl import PYTHON
from tests.interop.site import Site
from tests.managesieve.authorities import Authority

SCRIPT = b'require "fileinto";\r\nif header :contains "subject" "report" {\r\n    fileinto "Work";\r\n}\r\n'
BROKEN = b'require "fileinto";\r\nif header :contains "subject" {\r\n    fileinto;\r\n}\r\n'
LARGE = b"# " + b"\r\n# ".join(b"%070d" % number for number in range(2700)) + b"\r\nkeep;\r\n"
OFFERED = (
    "EXTERNAL GSSAPI SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2"
    " DIGEST-MD5 CRAM-MD5 PLAIN LOGIN"
)
PASSWORDLESS = ("EXTERNAL", "GSSAPI")


@dataclass(frozen=True)
class House:
    """The server; alice is somebody who has one script, and every credential that there is."""

    site: Site
    directory: Path
    realm: Realm
    token: str
    key: Path
    relay: Relay

    def place(self, tls: Tls, directory: Path) -> Place:
        port = self.relay.port if tls == "relay" else self.site.managesieve_port
        return Place(port, tls, self.directory / "cert.pem", directory)

    def login(self, mechanism: str) -> Login:
        secret = self.token if mechanism in {"OAUTHBEARER", "XOAUTH2"} else "secret"
        return Login("alice", secret, mechanism, self.key if mechanism == "EXTERNAL" else None)


def _issue_token(directory: Path) -> str:
    """A token for alice; the key that fits is written to the directory."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (directory / "issuer.pem").write_bytes(public.public_bytes(serialization.Encoding.PEM, form))
    claims = {"sub": "alice", "exp": int(time.time()) + 3600}
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key, "ES256")


@pytest.fixture(scope="module")
def house(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[House]:
    directory = make_directory()
    realm = Realm(directory / "realm")
    realm.admin("addprinc -pw ticket alice")
    realm.start()
    certificate, key = make_certificate(directory)
    authority = Authority()
    shown = authority.issue(directory, "alice", commonName="alice")
    (directory / "alice.pem").write_bytes(b"".join(part.read_bytes() for part in shown))
    (directory / "passwd").write_text("alice:{PLAIN}secret\n")
    token = _issue_token(directory)
    settings = {
        "servername": "localhost",
        "tls_server_cert": str(certificate),
        "tls_server_key": str(key),
        "tls_client_ca_file": str(authority.write(directory / "authority.pem")),
        "auth_backends": "passwd-file",
        "auth_passwd_file": str(directory / "passwd"),
        "allowplaintext": "no",
        "sasl_mech_list": OFFERED,
        "oauth2_keys": str(directory / "issuer.pem"),
        "gssapi_keytab": str(realm.keytab),
        "failedloginpause": "0",
    }
    site = Site(directory / "site", settings)
    logs["sievemda"] = site.log
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(PYTHON), prepend=":")
        for name, value in realm.environment.items():
            patch.setenv(name, value)
        realm.ticket("alice", "ticket")
        site.start()
        site.make("user/alice")
        site.cli("script", "put", "alice", "main", "-", stdin=SCRIPT)
        site.cli("script", "activate", "alice", "main")
        relay = Relay(site.managesieve_port, certificate)
        yield House(site, directory, realm, token, directory / "alice.pem", relay)
        relay.close()
    site.stop()
    realm.stop()


LOGINS = [
    pytest.param(client, tls, mechanism, id=f"{client.name}-{tls}-{mechanism or 'by itself'}")
    for client in CLIENTS
    for tls in ways(client)
    for mechanism in mechanisms(client, tls)
]
WRONG = [
    pytest.param(client, tls, mechanism, id=f"{client.name}-{tls}-{mechanism}")
    for client in CLIENTS
    for tls in ways(client)[:1]
    for mechanism in mechanisms(client, tls)
    if mechanism not in (*PASSWORDLESS, *client.unheard) and (mechanism or "GSSAPI" not in client.mechanisms)
]


@pytest.mark.parametrize(("client", "tls", "mechanism"), LOGINS)
def test_logs_in_and_out(house: House, tmp_path: Path, client: Client, tls: Tls, mechanism: str) -> None:
    session = client.open(house.place(tls, tmp_path), house.login(mechanism))
    assert session.list() == {"main": True}
    session.close()


@pytest.mark.parametrize(("client", "tls", "mechanism"), WRONG)
def test_is_refused_with_a_wrong_password(
    house: House, tmp_path: Path, client: Client, tls: Tls, mechanism: str
) -> None:
    with pytest.raises(Refused):
        client.open(house.place(tls, tmp_path), Login("alice", "wrong", mechanism)).list()


SESSIONS = [pytest.param((client, tls), id=f"{client.name}-{tls}") for client in CLIENTS for tls in ways(client)]


@pytest.fixture(params=SESSIONS)
def row(request: pytest.FixtureRequest) -> tuple[Client, Tls]:
    return request.param


@pytest.fixture
def client(row: tuple[Client, Tls]) -> Client:
    return row[0]


@pytest.fixture
def session(row: tuple[Client, Tls], house: House, tmp_path: Path, new_name: Callable[[str], str]) -> Iterator[Session]:
    """Somebody new."""
    client, tls = row
    owner = new_name("owner")
    with (house.directory / "passwd").open("a") as file:
        file.write(f"{owner}:{{PLAIN}}secret\n")
    house.site.make(f"user/{owner}", f"user/{owner}/Work")
    session = client.open(house.place(tls, tmp_path), Login(owner, "secret", "CRAM-MD5" if tls == "never" else "PLAIN"))
    yield session
    session.close()


def test_puts_activates_gets_renames_and_deletes(client: Client, session: Session) -> None:
    session.put("main", SCRIPT)
    session.put("other", SCRIPT)
    assert session.list() == {"main": False, "other": False}
    session.activate("main")
    assert session.list() == {"main": True, "other": False}
    assert session.get("main") == client.gives(SCRIPT)
    if client.renames:
        session.rename("main", "renamed")
        assert session.list() == {"renamed": True, "other": False}
    session.delete("other")
    assert session.list() == {"renamed" if client.renames else "main": True}


def test_is_told_why_a_script_is_refused(session: Session) -> None:
    with pytest.raises(Refused) as told:
        session.put("broken", BROKEN)
    assert "line 2" in str(told.value)
    assert session.list() == {}


def test_is_told_why_with_quotes(session: Session) -> None:
    with pytest.raises(Refused) as told:
        session.put("broken", b'fileinto "Work";\r\n')
    assert 'require ["fileinto"];' in str(told.value)
    assert session.list() == {}


def test_puts_a_script_of_which_it_is_warned(client: Client, session: Session) -> None:
    with nullcontext() if client.takes_warnings else pytest.raises(Refused):
        session.put("odd", SCRIPT.replace(b"Work", b"Nowhere"))
    assert session.list() == {"odd": False}


def test_puts_and_gets_200_kilobytes(client: Client, session: Session) -> None:
    session.put("large", LARGE)
    assert session.get("large") == client.gives(LARGE)


def test_gives_a_script_a_name_that_is_not_ascii(client: Client, session: Session) -> None:
    session.put("müll-日本", SCRIPT)
    session.activate("müll-日本")
    if client.lists_utf8:
        assert session.list() == {"müll-日本": True}
    assert session.get("müll-日本") == client.gives(SCRIPT)


@pytest.fixture(scope="module")
def quoting(house: House) -> str:
    """Somebody who has a script whose name cannot be listed as it is, and one behind it."""
    with (house.directory / "passwd").open("a") as file:
        file.write("quoting:{PLAIN}secret\n")
    house.site.make("user/quoting")
    for name in ('a "b" \\c', "other"):
        house.site.cli("script", "put", "quoting", name, "-", stdin=b"keep;\r\n")
    return "quoting"


@pytest.mark.parametrize("client", [pytest.param(each, id=each.name) for each in CLIENTS if each.lists_quotes])
def test_a_name_with_quotes_hides_no_other(house: House, tmp_path: Path, client: Client, quoting: str) -> None:
    tls = ways(client)[0]
    session = client.open(
        house.place(tls, tmp_path), Login(quoting, "secret", "CRAM-MD5" if tls == "never" else "PLAIN")
    )
    found = session.list()
    assert len(found) == 2
    assert found["other"] is False
    assert session.get("other") == client.gives(b"keep;\r\n")
    session.close()
