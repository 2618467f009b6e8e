"""What every database of credentials must do. A test module that imports these tests has a fixture `credentials`."""

import threading
import time


def test_what_was_kept_is_found(credentials):
    assert credentials.replace("alice", {"argon2id": "hash", "SCRAM-SHA-1": "verifier"}) is False
    assert credentials.find("alice", "argon2id") == "hash"
    assert credentials.find("alice", "SCRAM-SHA-256") is None
    assert credentials.of("alice") == {"argon2id": "hash", "SCRAM-SHA-1": "verifier"}
    assert credentials.of("Alice") == {}


def test_a_replacement_leaves_nothing_of_what_was(credentials):
    credentials.replace("alice", {"argon2id": "old", "SCRAM-SHA-1": "old"})
    assert credentials.replace("alice", {"argon2id": "new"}) is True
    assert credentials.of("alice") == {"argon2id": "new"}
    assert credentials.replace("alice", {}) is True
    assert credentials.replace("alice", {}) is False
    assert credentials.of("alice") == {}


def test_it_is_known_since_when(credentials):
    before = int(time.time())
    credentials.replace("bob", {"argon2id": "x"})
    credentials.replace("Ömer", {"argon2id": "x"})
    credentials.replace("alice", {"argon2id": "x", "SCRAM-SHA-1": "y"})
    assert before <= credentials.changed("alice") <= time.time()
    assert credentials.changed("carol") is None
    assert list(credentials.all()) == ["alice", "bob", "Ömer"]
    assert credentials.all()["bob"] == credentials.changed("bob")


def test_a_renamed_user_takes_his_credentials_along(credentials):
    credentials.replace("alice", {"argon2id": "hers"})
    credentials.replace("bob", {"argon2id": "his", "SCRAM-SHA-1": "his"})
    credentials.rename("alice", "bob")
    assert credentials.of("bob") == {"argon2id": "hers"}
    assert credentials.of("alice") == {}
    credentials.rename("nobody", "bob")
    assert credentials.of("bob") == {"argon2id": "hers"}


def test_the_secret_never_changes(credentials):
    first = credentials.secret()
    assert len(first) == 32
    credentials.replace("alice", {"argon2id": "x"})
    assert credentials.secret() == first


def test_somebody_near_a_name_is_found(credentials):
    credentials.replace("bob", {"SCRAM-SHA-1": "his"})
    credentials.replace("dora", {"SCRAM-SHA-1": "hers", "SCRAM-SHA-256": "hers, too"})
    assert credentials.somebody("SCRAM-SHA-1", "") == "his"
    assert credentials.somebody("SCRAM-SHA-1", "c") == "hers"
    assert credentials.somebody("SCRAM-SHA-256", "") == "hers, too"
    assert credentials.somebody("SCRAM-SHA-1", "e") is None


def test_names_are_data_and_never_part_of_a_statement(credentials):
    credentials.replace("alice", {"argon2id": "x"})
    for name in (
        "' OR '1'='1",
        "alice'; DELETE FROM credential; --",
        "%",
        "*",
        "alice\0",
        ":userid",
        "%(userid)s",
        "\udcff",
        "x" * 100_000,
    ):
        assert credentials.of(name) == {}
        assert credentials.find(name, "argon2id") is None
        assert credentials.changed(name) is None
    credentials.replace("o'hara", {"argon2id": "%s :kind"})
    assert credentials.of("o'hara") == {"argon2id": "%s :kind"}
    assert credentials.of("alice") == {"argon2id": "x"}


def test_many_first_users_at_once_share_one_secret(credentials, make_credentials):
    found = []

    def first(number):
        mine = make_credentials()
        mine.replace(f"user{number}", {"kind": "value"})
        found.append(mine.secret())

    threads = [threading.Thread(target=first, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {credentials.secret()}
    assert len(credentials.all()) == 8
