import sqlite3

import pytest

from sievemda.auth.passwords import ITERATIONS, SCRAM_MECHANISMS
from sievemda.auth.users import Users
from sievemda.config import Site
from sievemda.errors import DataError, TemporaryTrouble
from sievemda.state.credentials import Credentials


def test_the_right_password_lets_in_and_a_wrong_one_does_not(users):
    users.set_password("Alice", "secret")
    assert users.check_password("alice", "secret") == "alice"
    assert users.check_password("ALICE@example.org", "secret") == "alice"
    assert users.check_password("alice", "Secret") is None
    assert users.check_password("bob", "secret") is None
    assert users.check_password("", "secret") is None


def test_a_new_password_ends_the_old_one(users):
    users.set_password("alice", "old")
    users.set_password("alice", "new")
    assert users.check_password("alice", "old") is None
    assert users.check_password("alice", "new") == "alice"


def test_passwords_are_compared_after_saslprep(users):
    users.set_password("alice", "I\u00adX ﬁ")
    assert users.check_password("alice", "IX fi") == "alice"


def test_a_forgotten_user_cannot_log_in(users):
    users.set_password("alice", "secret")
    assert users.forget("alice")
    assert users.check_password("alice", "secret") is None
    assert not users.forget("alice")


@pytest.mark.parametrize("password", ["", "a\0b", "a\nb", "x" * 1025, "\udcff"])
def test_what_cannot_be_a_password_is_refused(users, password):
    with pytest.raises(DataError):
        users.set_password("alice", password)


@pytest.mark.parametrize("password", ["", "\0", "\n", "\udcff"])
def test_what_cannot_be_a_password_never_fits(users, password):
    users.set_password("alice", "secret")
    assert users.check_password("alice", password) is None


def test_the_password_itself_is_not_kept(users, tmp_path):
    users.set_password("alice", "a very long secret")
    file = tmp_path / "state" / "accounts.db"
    assert b"a very long secret" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mechanism", SCRAM_MECHANISMS)
def test_an_unknown_user_has_a_lasting_look_alike_of_a_verifier(users, tmp_path, mechanism):
    users.set_password("alice", "secret")
    real, fake = users.verifier("alice", mechanism), users.verifier("bob", mechanism)
    assert [len(part) for part in (real.salt, real.stored_key, real.server_key)] == [
        len(part) for part in (fake.salt, fake.stored_key, fake.server_key)
    ]
    assert real.iterations == fake.iterations == ITERATIONS
    again = Users(Credentials(tmp_path / "state" / "accounts.db"), Site(defaultdomain="example.org"))
    assert again.verifier("bob", mechanism) == fake
    assert again.verifier("carol", mechanism).salt != fake.salt
    assert again.verifier("BOB", mechanism) == fake


def test_two_users_with_one_password_have_different_verifiers(users):
    users.set_password("alice", "secret")
    users.set_password("bob", "secret")
    assert users.verifier("alice", "SCRAM-SHA-256").stored_key != users.verifier("bob", "SCRAM-SHA-256").stored_key


@pytest.mark.parametrize(
    ("name", "authzid", "owner"),
    [
        ("alice", "", "alice"),
        ("alice", "alice", "alice"),
        ("alice", "Alice@example.org", "alice"),
        ("alice", "bob", None),
        ("alice", "root", None),
        ("root", "bob", "bob"),
        ("ROOT", "Bob", "bob"),
        ("root", "a/b", None),
        ("root", "\u00ad", None),
    ],
)
def test_only_an_administrator_acts_for_another(users, name, authzid, owner):
    assert users.authorise(name, authzid) == owner


@pytest.mark.parametrize(("name", "owner"), [("proxy", "bob"), ("Proxy", "bob"), ("root", "bob"), ("alice", None)])
def test_proxies_act_for_others_too(credentials, name, owner):
    users = Users(credentials, Site(admins=("root",), proxyservers=("Proxy",)))
    assert users.authorise(name, "bob") == owner


def test_broken_credentials_are_trouble_and_neither_yes_nor_no(users, tmp_path):
    users.set_password("alice", "secret")
    (tmp_path / "state" / "accounts.db").write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(TemporaryTrouble):
        users.check_password("alice", "secret")
    with pytest.raises(TemporaryTrouble):
        users.verifier("alice", "SCRAM-SHA-256")


def test_a_damaged_hash_is_trouble(users, tmp_path):
    users.set_password("alice", "secret")
    connection = sqlite3.connect(tmp_path / "state" / "accounts.db")
    with connection:
        connection.execute("UPDATE credential SET value = 'x'")
    connection.close()
    with pytest.raises(TemporaryTrouble):
        users.check_password("alice", "secret")
    with pytest.raises(TemporaryTrouble):
        users.verifier("alice", "SCRAM-SHA-1")


def test_a_damaged_verifier_is_the_trouble_of_its_owner_alone(users, credentials):
    credentials.replace("alice", {"SCRAM-SHA-1": "nonsense"})
    users.set_password("bob", "secret")
    assert users.verifier("bob", "SCRAM-SHA-1").iterations == ITERATIONS
    assert users.verifier("nobody", "SCRAM-SHA-1").iterations == ITERATIONS
    with pytest.raises(TemporaryTrouble):
        users.verifier("alice", "SCRAM-SHA-1")


def test_a_made_up_verifier_looks_like_those_that_were_imported(users, credentials):
    credentials.replace("alice", {"SCRAM-SHA-1": "4096:c2FsdA==:" + "A" * 27 + "=:" + "A" * 27 + "="})
    fake = users.verifier("nobody", "SCRAM-SHA-1")
    assert (fake.iterations, len(fake.salt)) == (4096, 4)
    assert fake == users.verifier("nobody", "SCRAM-SHA-1")


def test_the_mechanisms_of_a_user_follow_from_what_is_kept_of_him(users, credentials):
    users.set_password("alice", "secret")
    assert users.mechanisms() == users.mechanisms_of("Alice") == {"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"}
    credentials.replace("bob", {"argon2id": "x"})
    assert users.mechanisms_of("bob") == {"PLAIN"}
    assert users.mechanisms_of("nobody") == frozenset()
    assert users.plain_password("alice") is None


def test_who_is_known_to_the_first_back_end_costs_as_many_hashes_as_who_is_known_to_none(
    users, credentials, monkeypatch
):
    from sievemda.auth.backends import own

    hashed = []
    matches = own.matches
    monkeypatch.setattr(own, "matches", lambda *given: hashed.append(1) or matches(*given))
    chain = Users(credentials, Site(), (own.Own(credentials), own.Own(credentials)))
    users.set_password("alice", "secret")
    for name in ("alice", "nobody", "", "a/b"):
        hashed.clear()
        assert chain.check_password(name, "wrong") is None
        assert len(hashed) == 2
