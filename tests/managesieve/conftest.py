import pytest

from sievemda.auth.users import Users
from sievemda.config import Site
from sievemda.state.credentials import Credentials
from sievemda.tls.contexts import contexts
from tests.managesieve.authorities import Authority
from tests.managesieve.conversation import Wire, skip_to
from tests.managesieve.site import service_of


@pytest.fixture(scope="session")
def accounts(tmp_path_factory):
    """The credentials, hashed once for all tests."""
    path = tmp_path_factory.mktemp("accounts") / "accounts.db"
    users = Users(Credentials(path), Site())
    for name, password in (("alice", "secret"), ("bob", "secret"), ("carol", "secret"), ("root", "toor")):
        users.set_password(name, password)
    return path


@pytest.fixture
def make_service(tmp_path, accounts):
    """A service with the users alice and bob, who have mailboxes, carol, who has none, and the administrator root."""

    def make(*sets, tls=False):
        return service_of(tmp_path, accounts, *sets, tls=tls)

    return make


@pytest.fixture
def service(make_service):
    return make_service("allowplaintext=yes")


@pytest.fixture
def scripts(service):
    """The scripts of alice, as they lie on disk."""
    return service.scripts("alice")


@pytest.fixture
def connect():
    """Connections that are closed when the test ends; the greeting is read."""
    peers = []

    def connect(address, greeting=True):
        peers.append(Wire(address))
        if greeting:
            skip_to(peers[-1], b"OK\r\n")
        return peers[-1]

    yield connect
    for peer in peers:
        peer.close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """An authority, its certificates for hosts and for people, and a stranger's."""
    folder = tmp_path_factory.mktemp("keys")
    (folder / "names").mkdir()
    authority, stranger = Authority(), Authority("A Stranger")
    authority.write(folder / "ca.pem")
    authority.issue(folder, "localhost", hosts=["localhost"])
    authority.issue(folder, "locked", password=b"secret")
    authority.issue(folder / "names", "one", hosts=["one.example", "*.wild.example"])
    (folder / "names" / "two.example").mkdir()
    for path, name in zip(authority.issue(folder, "two", hosts=["two.example"]), ("fullchain", "privkey"), strict=True):
        (folder / "names" / "two.example" / f"{name}.pem").write_bytes(path.read_bytes())
    three = authority.issue(folder, "three", hosts=["three.example"])
    (folder / "names" / "three.pem").write_bytes(b"".join(path.read_bytes() for path in three))
    authority.issue(folder, "alice", commonName="alice", uid="u1", address="alice@example.org")
    authority.issue(folder, "mallory", commonName="mallory")
    authority.revoke(folder / "mallory.crt", folder / "crl.pem")
    stranger.issue(folder, "stranger", commonName="alice")
    return folder


@pytest.fixture
def secure(make_service, keys):
    """A service with TLS and its certificates."""

    def make(*sets):
        files = (f"tls_server_cert={keys / 'localhost.crt'}", f"tls_server_key={keys / 'localhost.key'}")
        service = make_service(*files, *sets, tls=True)
        return service, contexts(service.settings.lmtp, b"managesieve")

    return make
