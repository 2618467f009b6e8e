import pytest

from sievemda.errors import TemporaryTrouble
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


def test_a_file_that_is_gone_is_trouble_and_not_made_anew(credentials, make_credentials, tmp_path):
    credentials.replace("alice", {"argon2id": "x"})
    waiting, file = make_credentials(), tmp_path / "new" / "accounts.db"
    file.rename(tmp_path / "away")
    for ours in (credentials, waiting):
        with pytest.raises(TemporaryTrouble, match="are gone"):
            ours.of("alice")
        with pytest.raises(TemporaryTrouble, match="are gone"):
            ours.secret()
    assert not file.exists()
    (tmp_path / "away").rename(file)
    assert credentials.of("alice") == waiting.of("alice") == {"argon2id": "x"}


def test_a_file_that_cannot_be_looked_for_is_trouble(tmp_path):
    place = tmp_path / ("x" * 300)  # an error that root gets as well
    with pytest.raises(TemporaryTrouble, match="cannot be used"):
        Credentials(place).of("alice")
