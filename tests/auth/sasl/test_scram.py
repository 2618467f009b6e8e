import base64
import hashlib
import hmac
import os

import pytest
import scramp

from sievemda.auth.backends.passwd_file import PasswdFile
from sievemda.auth.client import Client
from sievemda.auth.hashes import hashed
from sievemda.auth.sasl.offer import mechanisms
from sievemda.auth.sasl.plain import Plain
from sievemda.auth.sasl.steps import Accepted, Challenge, Refused
from sievemda.auth.users import Users
from sievemda.config import Settings
from sievemda.errors import TemporaryTrouble
from tests.auth.sasl.conftest import SITE, begin
from tests.auth.sasl.test_binding import exchange

SECURE = Client("192.0.2.1", secure=True)
SCRAM = ["SCRAM-SHA-256", "SCRAM-SHA-1"]


@pytest.fixture
def start(known):
    table = mechanisms(known, SECURE, Settings()).ready
    return lambda name: table[name]()


def hello(start, mechanism, user, password):
    """A whole SCRAM exchange by scramp's client: the last step, and whether the client accepts the server."""
    server = start(mechanism)
    client = scramp.ScramClient([mechanism], user, password)
    assert server.step(None) == Challenge(b"")
    step = server.step(client.get_client_first().encode())
    if not isinstance(step, Challenge):
        return step
    client.set_server_first(step.data.decode())
    step = server.step(client.get_client_final().encode())
    if not isinstance(step, Challenge):
        return step
    client.set_server_final(step.data.decode())
    return server.step(b"")


def scram_with_authzid(server, mechanism, user, password, authzid):
    """RFC 5802 §3 by hand: scramp's client knows no authorization identity."""
    hash_name = "sha1" if mechanism.endswith("-1") else "sha256"
    gs2 = f"n,a={authzid},"
    bare = f"n={user},r=clientnonce"
    first = server.step((gs2 + bare).encode()).data.decode()
    nonce, salt, count = (part[2:] for part in first.split(","))
    salted = hashlib.pbkdf2_hmac(hash_name, password.encode(), base64.b64decode(salt), int(count))
    client_key = hmac.digest(salted, b"Client Key", hash_name)
    without_proof = f"c={base64.b64encode(gs2.encode()).decode()},r={nonce}"
    signature = hmac.digest(
        hashlib.new(hash_name, client_key).digest(), f"{bare},{first},{without_proof}".encode(), hash_name
    )
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
    step = server.step(f"{without_proof},p={proof}".encode())
    return step if isinstance(step, Refused) else server.step(b"")


def test_mechanisms_stand_strongest_first(users):
    assert mechanisms(users, SECURE, Settings()).names() == ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"]


@pytest.mark.parametrize("message", [b"\0alice\0pencil", b"alice\0alice\0pencil", b"Alice\0ALICE\0pencil"])
def test_plain_lets_the_right_password_in(start, message):
    assert start("PLAIN").step(message) == Accepted("alice", "alice")


def test_plain_without_initial_response_asks_with_an_empty_challenge(start):
    plain = start("PLAIN")
    assert plain.step(None) == Challenge(b"")
    assert plain.step(b"\0alice\0pencil") == Accepted("alice", "alice")


def test_plain_lets_an_administrator_act_for_a_user(start):
    assert start("PLAIN").step(b"alice\0root\0toor") == Accepted("root", "alice")


@pytest.mark.parametrize(
    ("message", "user", "reason"),
    [
        (b"\0alice\0wrong", "alice", "credentials"),
        (b"\0nobody\0pencil", "nobody", "credentials"),
        (b"\0a/b\0pencil", "a/b", "credentials"),
        (b"root\0alice\0pencil", "alice", "authzid"),
        (b"", "", "malformed"),
        (b"alice", "", "malformed"),
        (b"\0alice", "", "malformed"),
        (b"\0alice\0", "alice", "malformed"),
        (b"\0\0pencil", "", "malformed"),
        (b"\0alice\0pen\0cil", "", "malformed"),
        (b"\0\xff\0pencil", "", "malformed"),
    ],
)
def test_plain_refuses(start, message, user, reason):
    assert start("PLAIN").step(message) == Refused(user, reason)


@pytest.mark.parametrize("size", [255, 1000])
def test_plain_takes_long_passwords(users, size):
    users.set_password("alice", "p" * size)
    assert Plain(users, SECURE).step(b"\0alice\0" + b"p" * size) == Accepted("alice", "alice")


@pytest.mark.parametrize("mechanism", SCRAM)
def test_scram_recognises_both_ends(start, mechanism):
    assert hello(start, mechanism, "alice", "pencil") == Accepted("alice", "alice")


@pytest.mark.parametrize("mechanism", SCRAM)
@pytest.mark.parametrize("user", ["alice", "nobody", "a=b,c"])
def test_scram_refuses_a_wrong_password_and_an_unknown_user_alike_at_the_end(start, mechanism, user):
    assert hello(start, mechanism, user, "wrong") == Refused(user, "credentials")


@pytest.mark.parametrize("mechanism", SCRAM)
@pytest.mark.parametrize(
    ("user", "password", "authzid", "step"),
    [
        ("alice", "pencil", "alice", Accepted("alice", "alice")),
        ("alice", "pencil", "bob", Refused("alice", "authzid")),
        ("root", "toor", "alice", Accepted("root", "alice")),
        ("root", "wrong", "alice", Refused("root", "credentials")),
    ],
)
def test_scram_takes_an_authorization_identity(start, mechanism, user, password, authzid, step):
    assert scram_with_authzid(start(mechanism), mechanism, user, password, authzid) == step


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n,,",
        b"n,,n=,r=x",
        b"n,,n=alice",
        b"n,,r=x,n=alice",
        b"n,,n=al=ice,r=x",
        b"n,,n=alice,r=",
        b"n,,m=ext,n=alice,r=x",
        b"x,,n=alice,r=x",
        b"n,b=alice,n=alice,r=x",
        b"n,a=,n=alice,r=x",
        b"n,a=al=ice,n=alice,r=x",
        b"\xff\xff",
        b"n,,n=alice,r=\xff",
        b"n,,n=\x00,r=x",
        b"n" * 5000,
    ],
)
def test_scram_refuses_a_malformed_first_message(start, first):
    step = start("SCRAM-SHA-256").step(first)
    assert isinstance(step, Refused)
    assert step.reason == "malformed"


@pytest.mark.parametrize(
    "final",
    [
        "",
        "c=biws",
        "c=biws,r=other,p=AAAA",
        "c=eSws,r={nonce},p=AAAA",
        "c=biws,r={nonce},p=AAAA",
        "c=!!,r={nonce},p=AAAA",
        "c=biws,r={nonce}",
    ],
)
def test_scram_refuses_a_wrong_final_message(start, final):
    server = start("SCRAM-SHA-256")
    nonce = server.step(b"n,,n=alice,r=x").data.decode().split(",")[0][2:]
    assert isinstance(server.step(final.format(nonce=nonce).encode()), Refused)


def test_scram_wants_an_empty_response_to_its_last_message(start):
    server = start("SCRAM-SHA-256")
    client = scramp.ScramClient(["SCRAM-SHA-256"], "alice", "pencil")
    client.set_server_first(server.step(client.get_client_first().encode()).data.decode())
    server.step(client.get_client_final().encode())
    assert server.step(b"x") == Refused("alice", "malformed")


@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_verifier_of_an_empty_password_lets_nobody_in(users, mechanism):
    name, salt = "sha1" if mechanism.endswith("-1") else "sha256", b"0123456789abcdef"
    salted = hashlib.pbkdf2_hmac(name, b"", salt, 4096)
    stored = hashlib.new(name, hmac.digest(salted, b"Client Key", name)).digest()
    parts = (salt, stored, hmac.digest(salted, b"Server Key", name))
    text = ",".join(base64.b64encode(part).decode() for part in parts)
    users.keep("alice", hashed(f"{{{mechanism}}}4096,{text}"))
    server = mechanisms(users, SECURE, Settings()).ready[mechanism]()
    _, last = exchange(server, mechanism, "n,,", password="")
    assert last == Refused("alice", "credentials")


def test_a_replayed_exchange_does_not_let_in(start):
    server, client = start("SCRAM-SHA-256"), scramp.ScramClient(["SCRAM-SHA-256"], "alice", "pencil")
    first = client.get_client_first().encode()
    client.set_server_first(server.step(first).data.decode())
    final = client.get_client_final().encode()
    assert isinstance(server.step(final), Challenge)
    other = start("SCRAM-SHA-256")
    other.step(first)
    assert isinstance(other.step(final), Refused)


@pytest.mark.parametrize("mechanism", ["PLAIN", *SCRAM])
def test_credentials_that_cannot_be_read_are_trouble(users, tmp_path, mechanism):
    users.forget("alice")  # makes the file
    server = mechanisms(users, SECURE, Settings()).ready[mechanism]()
    os.truncate(tmp_path / "state" / "accounts.db", 100)
    (tmp_path / "state" / "accounts.db").write_bytes(b"junk" * 100)
    with pytest.raises(TemporaryTrouble):
        server.step(b"\0alice\0pencil" if mechanism == "PLAIN" else b"n,,n=alice,r=x")


def verifier_of(password, salt):
    """{SCRAM-SHA-256}, as RFC 5802 §3 makes it."""
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, 4096)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    parts = (salt, stored, hmac.digest(salted, b"Server Key", "sha256"))
    return "{SCRAM-SHA-256}4096," + ",".join(base64.b64encode(part).decode() for part in parts)


@pytest.mark.parametrize("salt", [b"s", b"elevenoctet", b"twelveoctets", b"x" * 100])
def test_a_salt_may_have_any_length(tmp_path, credentials, salt):
    """RFC 5802 §5.1 (s) says none, and those who are not there look like those who are."""
    (tmp_path / "passwd").write_text(f"alice:{verifier_of(b'pencil', salt)}\n")
    users = Users(credentials, SITE, [PasswdFile(tmp_path / "passwd", "PLAIN", SITE)])

    def start():
        return begin(users, "SCRAM-SHA-256")

    assert scram_with_authzid(start(), "SCRAM-SHA-256", "alice", "pencil", "alice") == Accepted("alice", "alice")
    assert scram_with_authzid(start(), "SCRAM-SHA-256", "alice", "pen", "alice") == Refused("alice", "credentials")
    assert scram_with_authzid(start(), "SCRAM-SHA-256", "nobody", "pencil", "x") == Refused("nobody", "credentials")
    shown = start().step(b"n,,n=nobody,r=abc").data.split(b",")[1].removeprefix(b"s=")
    assert len(base64.b64decode(shown)) == len(salt)


@pytest.mark.parametrize(
    ("authzid", "step"),
    [
        ("alice", Accepted("alice", "alice")),
        ("old", Refused("old", "authzid")),
        ("bob", Refused("old", "authzid")),
    ],
)
def test_who_has_another_name_is_that_one_by_every_mechanism(tmp_path, credentials, authzid, step):
    (tmp_path / "passwd").write_text("old:{PLAIN}pencil::::::user=alice\nboss:{PLAIN}pencil::::::user=root\n")
    users = Users(credentials, SITE, [PasswdFile(tmp_path / "passwd", "PLAIN", SITE)])
    server = begin(users, "SCRAM-SHA-256")
    assert scram_with_authzid(server, "SCRAM-SHA-256", "old", "pencil", authzid) == step
    assert begin(users, "PLAIN").step(f"{authzid}\0old\0pencil".encode()) == step
    assert begin(users, "PLAIN").step(f"{authzid}\0boss\0pencil".encode()) == Accepted("root", authzid)
    server = begin(users, "SCRAM-SHA-1")
    assert scram_with_authzid(server, "SCRAM-SHA-1", "boss", "pencil", authzid) == Accepted("root", authzid)


def test_who_has_another_name_is_that_one_by_old_mechanisms(tmp_path, credentials):
    (tmp_path / "passwd").write_text("old:{PLAIN}pencil::::::user=alice\n")
    users = Users(credentials, SITE, [PasswdFile(tmp_path / "passwd", "PLAIN", SITE)])
    server = begin(users, "CRAM-MD5", sasl_mech_list=("CRAM-MD5",))
    digest = hmac.new(b"pencil", server.step(None).data, "md5").hexdigest()
    assert server.step(f"old {digest}".encode()) == Accepted("alice", "alice")
