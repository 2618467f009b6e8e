"""Settings: spelled as in TOML or as in imapd.conf, every mistake reported with its key."""

from pathlib import Path

import pytest

from sievemda import configload
from sievemda.config import Settings, Site
from sievemda.errors import ConfigurationError


@pytest.mark.parametrize(
    ("given", "section", "name", "value"),
    [
        ("lmtp_strict_quota=yes", "delivery", "lmtp_strict_quota", True),
        ("delivery.lmtp_strict_quota=on", "delivery", "lmtp_strict_quota", True),
        ("duplicatesuppression=no", "delivery", "duplicatesuppression", False),
        ("maxmessagesize=10M", "lmtp", "maxmessagesize", 10 << 20),
        ("lmtp_timeout=5m", "lmtp", "lmtp_timeout", 300),
        ("admins=cyrus postmaster", "site", "admins", ("cyrus", "postmaster")),
        ("lmtp_socket_mode=0666", "lmtp", "lmtp_socket_mode", 0o666),
        ("virtdomains=userid", "site", "virtdomains", "userid"),
        ("virtdomains=yes", "site", "virtdomains", "on"),
        ("tls_server_cert=", "lmtp", "tls_server_cert", None),
        ("autocreate_inbox_folders=A|B", "autocreate", "autocreate_inbox_folders", "A|B"),
    ],
)
def test_a_setting_is_understood_in_the_words_of_imapd_conf(tmp_path, given, section, name, value):
    assert getattr(getattr(configload.load(data=tmp_path, sets=[given]), section), name) == value


def test_a_partition_is_set_as_in_imapd_conf_beside_the_default_one(tmp_path):
    settings = configload.load(data=tmp_path, sets=["partition-fast=/srv/fast"])
    assert settings.partitions == {"default": tmp_path / "mail", "fast": Path("/srv/fast")}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("no_such_setting=1", "no_such_setting: no such setting"),
        ("lmtp_strict_qouta=1", "did you mean lmtp_strict_quota?"),
        ("lmtp_strict_quota=maybe", "'maybe' is not yes or no"),
        ("maxmessagesize=10X", "is not a size"),
        ("workers=-1", "-1 is less than 0"),
        ("lmtp_listen=tcp:1", "neither unix:PATH nor inet:HOST:PORT"),
        ("lmtp_trusted_networks=10.0.0.0/99", "lmtp_trusted_networks"),
        ("lmtp_strict_quota", "write KEY=VALUE"),
        ("defaultpartition=none", "there is no partition 'none'"),
        ("tls_server_cert=/x", "set both or neither"),
        ("duplicate_db_path=~no-such-user/x", "nobody has that home directory"),
        ("partition-../x=/srv", "cannot be the name of a partition"),
        ("servername=a\r\nX: y", "are no text"),
        ("servername=\udcff", "are no text"),
    ],
)
def test_a_mistake_is_named(tmp_path, given, said):
    with pytest.raises(ConfigurationError) as caught:
        configload.load(data=tmp_path, sets=[given])
    assert said in str(caught.value)


def test_all_mistakes_are_reported_at_once(tmp_path):
    file = tmp_path / "s.toml"
    file.write_text('[lmtp]\nworkers = "many"\nunheard_of = 1\n[names]\naltnamespace = 7\n')
    with pytest.raises(ConfigurationError) as caught:
        configload.load(file, sets=["soft_noauth=x"])
    assert len(caught.value.problems) == 4
    assert all("lmtp." in p or "names." in p or "soft_noauth" in p for p in caught.value.problems)


def test_the_file_in_the_data_directory_is_read(tmp_path):
    (tmp_path / "sievemda.toml").write_text("[delivery]\nduplicatesuppression = false\n")
    assert not configload.load(data=tmp_path).delivery.duplicatesuppression


def test_the_reference_is_itself_a_valid_configuration(tmp_path):
    file = tmp_path / "all.toml"
    lines = configload.reference().splitlines()
    live = [line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in lines]
    file.write_text("\n".join(live))
    settings = configload.load(file, data=tmp_path)
    assert settings.lmtp == configload.load(data=tmp_path).lmtp


def test_data_that_are_no_directory_are_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="is not a directory"):
        configload.load(data=tmp_path / "file")


def test_external_lists_are_tables(tmp_path):
    file = tmp_path / "s.toml"
    file.write_text(
        '[sieve.sieve_extlists.friends]\nname = "tag:example.com,2026:friends"\nfile = "friends.txt"\n'
        '[sieve.sieve_extlists."in.house"]\nname = "tag:example.com,2026:house"\nsqlite = "/srv/lists.db"\n'
        'statement = "select address from house"\nusers = ["alice", "@example.org"]\nexact = true\n'
    )
    lists = configload.load(file, sets=["sieve_extlists.friends.max_lookup_size=99"]).sieve.sieve_extlists
    assert lists["friends"].file == "friends.txt"
    assert lists["friends"].max_lookup_size == 99
    assert lists["in.house"].users == ("alice", "@example.org")
    assert str(lists["in.house"]).startswith("name = tag:example.com,2026:house, sqlite = /srv/lists.db")


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        (["sieve_extlists.x.name=friends", "sieve_extlists.x.file=f"], "x: name: 'friends' is not an absolute URI"),
        (["sieve_extlists.x.name=tag:a,2026:b"], "x: set one of file, dict, vcards, sqlite"),
        (["sieve_extlists.x.name=tag:a,2026:b", "sieve_extlists.x.sqlite=f"], "a statement is wanted"),
        (["sieve_extlists.x.colour=red"], "no such setting of a list"),
        (["sieve_extlists=x"], "write a table"),
    ],
)
def test_an_external_list_that_is_not_complete_is_refused(tmp_path, sets, said):
    with pytest.raises(ConfigurationError) as caught:
        configload.load(data=tmp_path, sets=sets)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("alice@a.example", "/d/alice@a.example/alice/a.example"),
        ("alice", "/d/alice/alice/here.example"),
        ("../../etc", None),
        ("a/b", None),
        ("..", None),
        ("@a.example", None),
        ("{domain}", None),
    ],
)
def test_a_place_depends_on_the_user_and_does_not_lead_elsewhere(user, expected):
    settings = Settings(data=Path("/d"), site=Site(defaultdomain="here.example"))
    found = settings.place("{user}/{local}/{domain}", user)
    assert found == (expected and Path(expected))


@pytest.mark.parametrize("key", ["partition-fast", "[store]\npartition-fast"])
def test_a_partition_is_named_in_the_file_as_in_imapd_conf(tmp_path, key):
    (tmp_path / "sievemda.toml").write_text(f'{key} = "/srv/fast"\n')
    assert configload.load(data=tmp_path).partitions["fast"] == Path("/srv/fast")


@pytest.mark.parametrize(
    ("written", "levels"),
    [('["80%", "95%"]', ("80%", "95%")), ("[80, 95]", ("80", "95")), ('"80% 95%"', ("80%", "95%")), ('"on"', ("on",))],
)
def test_levels_of_quota_warnings_may_be_words_or_numbers(tmp_path, written, levels):
    file = tmp_path / "sievemda.toml"
    file.write_text(f"[quota]\nquota_warnings = {written}\n")
    assert configload.load(file).quota.quota_warnings == levels
