import pytest

from sievemda.state.credentials import Credentials
from tests.contracts.credentials import *  # noqa: F403 - the tests


@pytest.fixture
def make_credentials(tmp_path):
    return lambda: Credentials(tmp_path / "new" / "accounts.db")


@pytest.fixture
def credentials(make_credentials):
    return make_credentials()


def test_looking_makes_no_file(credentials, tmp_path):
    assert credentials.of("alice") == {}
    assert credentials.find("alice", "argon2id") is None
    assert credentials.all() == {}
    assert credentials.changed("alice") is None
    assert credentials.somebody("SCRAM-SHA-1", "") is None
    credentials.rename("alice", "bob")
    assert list(tmp_path.iterdir()) == []
