"""Credentials in a real PostgreSQL."""

import itertools
import socket

import pytest

from sievemda import configload
from sievemda.auth.chain import users_of
from sievemda.errors import ConfigurationError, TemporaryTrouble
from sievemda.state.credentials import Credentials, credentials_of
from sievemda.state.postgresql import Postgresql as Database
from tests.contracts.credentials import *  # noqa: F403 - the tests
from tests.interop.postgresql import Postgresql

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(make_directory, logs):
    server = Postgresql(make_directory() / "pg")
    logs["postgresql"] = server.program.log
    server.start()
    yield server
    server.stop()


@pytest.fixture
def uri(server):
    return server.create(f"users{next(_numbers)}")


@pytest.fixture
def make_credentials(uri):
    return lambda: Credentials(Database(uri))


@pytest.fixture
def credentials(make_credentials):
    return make_credentials()


@pytest.fixture
def settings(tmp_path, uri):
    return configload.load(data=tmp_path / "data", sets=[f"auth_database={uri}"])


def test_a_password_set_on_one_host_lets_in_on_another(settings, tmp_path, uri):
    users_of(settings).set_password("alice", "pencil")
    other = users_of(configload.load(data=tmp_path / "other", sets=[f"auth_database={uri}"]))
    assert other.check_password("alice", "pencil") == "alice"
    assert other.check_password("alice", "wrong") is None
    assert other.verifier("alice", "SCRAM-SHA-256") == users_of(settings).verifier("alice", "SCRAM-SHA-256")
    assert other.verifier("nobody", "SCRAM-SHA-1") == users_of(settings).verifier("nobody", "SCRAM-SHA-1")
    assert not (tmp_path / "data").exists()


def test_whoever_may_not_make_tables_uses_those_that_are_there(server, uri, credentials):
    import psycopg

    credentials.replace("alice", {"argon2id": "x"})
    with psycopg.connect(uri) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON credential, secret TO reader")
    reading = Credentials(Database(uri.replace("sievemda@", "reader@")))
    assert reading.of("alice") == {"argon2id": "x"}
    with pytest.raises(TemporaryTrouble, match="permission denied"):
        reading.replace("alice", {})


def test_a_server_that_has_gone_is_trouble_until_it_is_back(make_directory, tmp_path):
    server = Postgresql(make_directory() / "pg")
    server.start()
    uri = server.create("users")
    users = users_of(configload.load(data=tmp_path, sets=[f"auth_database={uri}"]))
    users.set_password("alice", "pencil")
    server.stop()
    with pytest.raises(TemporaryTrouble, match="database users at"):
        users.check_password("alice", "pencil")
    with pytest.raises(TemporaryTrouble):
        users.check_password("nobody", "pencil")
    with pytest.raises(TemporaryTrouble):
        users.verifier("alice", "SCRAM-SHA-256")
    server.start()
    assert users.check_password("alice", "pencil") == "alice"
    server.stop()


def test_a_database_that_is_not_there_is_trouble(server):
    with pytest.raises(TemporaryTrouble):
        Credentials(Database(server.uri("other"))).of("alice")


def test_who_locks_the_table_keeps_nobody_for_ever(uri, credentials):
    import psycopg

    credentials.replace("alice", {"argon2id": "x"})
    with psycopg.connect(uri) as connection:
        connection.execute("LOCK TABLE credential IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TemporaryTrouble, match="timeout"):
            Credentials(Database(f"{uri}&options=-c%20lock_timeout%3D100")).of("alice")
    assert credentials.of("alice") == {"argon2id": "x"}


def test_a_silent_server_is_trouble():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        silent = Database(f"postgresql://sievemda:hush@127.0.0.1:{port}/users?connect_timeout=2")
        with pytest.raises(TemporaryTrouble) as caught:
            Credentials(silent).of("alice")
    assert "hush" not in str(caught.value)


def test_what_is_no_uri_is_told_without_its_password(tmp_path):
    settings = configload.load(data=tmp_path, sets=["auth_database=postgresql://alice:hush%zz@host/db"])
    with pytest.raises(ConfigurationError) as caught:
        credentials_of(settings)
    assert "hush" not in str(caught.value)
    assert "auth_database" in str(caught.value)
