from concurrent.futures import ThreadPoolExecutor

import pytest

from sievemda import configload
from sievemda.errors import TemporaryTrouble
from sievemda.state.credentials import MARK, Credentials, credentials_of
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


@pytest.fixture
def site(tmp_path):
    """How a program that has just been started looks at the credentials of a site."""
    return lambda *sets: credentials_of(configload.load(data=tmp_path / "data", sets=sets))


def test_who_begins_while_the_file_is_gone_finds_trouble_and_no_site_without_users(site, tmp_path):
    site().replace("alice", {"argon2id": "x"})
    file = tmp_path / "data" / "state" / "accounts.db"
    for away in (file, file.parent):
        away.rename(tmp_path / "away")
        with pytest.raises(TemporaryTrouble, match=r"are gone: bring the file back .*accounts\.there"):
            site().of("alice")
        with pytest.raises(TemporaryTrouble, match="are gone"):
            site().replace("bob", {"argon2id": "y"})
        assert not away.exists()
        (tmp_path / "away").rename(away)
        assert site().of("alice") == {"argon2id": "x"}


def test_a_file_that_lost_what_was_in_it_is_trouble_and_not_made_anew(site, tmp_path):
    """As a crash of the machine may leave it."""
    waiting = site()
    waiting.replace("alice", {"argon2id": "x"})
    file = tmp_path / "data" / "state" / "accounts.db"
    before = file.read_bytes()
    file.write_bytes(b"")
    for ours in (waiting, site()):
        for ask in (ours.secret, lambda ours=ours: ours.of("alice"), lambda ours=ours: ours.replace("bob", {"k": "y"})):
            with pytest.raises(TemporaryTrouble, match=r"are gone: bring the file back .*accounts\.there"):
                ask()
    assert file.read_bytes() == b""
    file.write_bytes(before)
    assert waiting.of("alice") == site().of("alice") == {"argon2id": "x"}


def test_a_file_whose_making_was_interrupted_is_made(site, tmp_path):
    (tmp_path / "data" / "state").mkdir(parents=True)
    (tmp_path / "data" / "state" / "accounts.db").touch()
    early = site()
    assert early.of("alice") == {}
    site().replace("alice", {"argon2id": "x"})
    assert early.of("alice") == {"argon2id": "x"}


def test_many_who_make_it_at_once_make_one(site):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: site().secret(), range(40)))) == 1


def test_a_database_that_is_older_than_its_mark_gets_one(site, tmp_path):
    site().replace("alice", {"argon2id": "x"})
    (tmp_path / "data" / MARK).unlink()
    assert site().of("alice") == {"argon2id": "x"}
    assert (tmp_path / "data" / MARK).exists()


def test_a_link_to_a_disk_that_is_away_is_trouble(site, tmp_path):
    (tmp_path / "data" / "state").mkdir(parents=True)
    (tmp_path / "data" / "state" / "accounts.db").symlink_to(tmp_path / "disk" / "accounts.db")
    with pytest.raises(TemporaryTrouble, match="are gone"):
        site().of("alice")


def test_a_new_site_has_no_users_and_no_trouble(site, tmp_path):
    (tmp_path / "data" / "mail").mkdir(parents=True)
    assert site().of("alice") == {}
    assert not (tmp_path / "data" / MARK).exists()


def test_a_site_without_a_user_any_more_has_no_trouble(site):
    site().replace("alice", {"argon2id": "x"})
    site().replace("alice", {})
    assert site().of("alice") == {}


def test_a_site_whose_mark_is_removed_begins_anew(site, tmp_path):
    site().replace("alice", {"argon2id": "x"})
    (tmp_path / "data" / "state" / "accounts.db").unlink()
    (tmp_path / "data" / MARK).unlink()
    assert site().of("alice") == {}
    site().replace("bob", {"argon2id": "y"})
    assert site().of("bob") == {"argon2id": "y"}


def test_a_copy_of_a_site_without_its_mark_is_as_good(site, tmp_path):
    site().replace("alice", {"argon2id": "x"})
    copy = tmp_path / "copy" / "state"
    copy.mkdir(parents=True)
    (copy / "accounts.db").write_bytes((tmp_path / "data" / "state" / "accounts.db").read_bytes())
    restored = credentials_of(configload.load(data=tmp_path / "copy", sets=[]))
    assert restored.of("alice") == {"argon2id": "x"}
    assert (tmp_path / "copy" / MARK).exists()
