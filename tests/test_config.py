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
        ("maxmessagesize=10 MB", "lmtp", "maxmessagesize", 10 << 20),
        ("sieve_maxscriptsize=32KiB", "sieve", "sieve_maxscriptsize", 32 << 10),
        ("lmtp_timeout=1h30m", "lmtp", "lmtp_timeout", 5400),
        ("sieve_vacation_min_response=1d 12h", "sieve", "sieve_vacation_min_response", 129600),
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
        ("workers=-1", "-1 is not between 0 and 1024"),
        ("lmtp_listen=tcp:1", "neither unix:PATH nor inet:HOST:PORT"),
        ("lmtp_trusted_networks=10.0.0.0/99", "lmtp_trusted_networks"),
        ("lmtp_strict_quota", "write KEY=VALUE"),
        ("defaultpartition=none", "there is no partition 'none'"),
        ("tls_server_cert=/x", "set both or neither"),
        ("duplicate_db_path=~no-such-user/x", "nobody has that home directory"),
        ("partition-../x=/srv", "cannot be the name of a partition"),
        ("servername=a\r\nX: y", "are no text"),
        ("servername=\udcff", "are no text"),
        ("servername=", "is not the name of a host"),
        ("defaultdomain=a b", "is not the name of a host or domain"),
        ("lmtp_timeout=1h30", "is not a time"),
        ("lmtp_timeout=9999999999999999", "is too large"),
        ("maxmessagesize=1M2K", "is not a size"),
        ("maxmessagesize=9999999999999999999", "is too large"),
        ("autocreate_quota_messages=99999999999999999999", "is too large"),
        ("workers=9999999", "is not between 0 and 1024"),
        ("journal_days=-5", "is not between 0"),
        ("message_mode=0000", "shuts out the owner"),
        ("lmtp_exclude_specialuse=\\Draughts", "is not a special use"),
        ("partition-a=/dev/null", "is not a directory"),
        ("mail_home=/home/fixed", "all users would have the same home"),
        ("mail_home=/home/{user}/{name}", "{name} stands for nothing"),
        ("mail_home=/home/{user}/../x", "'..' must not be a part"),
        ("userprefix=", "cannot be the name of a namespace"),
        ("userprefix=a/b", "cannot be the name of a namespace"),
        ("sharedprefix=Inbox", "cannot be the name of a namespace"),
        ("sharedprefix=Other Users", "is what userprefix is called"),
        ("postuser=a+b", "separates it from the detail"),
        ("lmtp_catchall_mailbox=a b", "cannot be the name of a user"),
        ("lmtp_catchall_mailbox=bob@example.net", "virtdomains is off"),
        ("sieve_vacation_min_response=100d", "more than sieve_vacation_max_response"),
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


def test_two_partitions_do_not_lie_at_one_place(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(ConfigurationError, match="partition a lies at"):
        configload.load(data=tmp_path, sets=[f"partition-a={tmp_path}/a", f"partition-b={tmp_path}/link"])


def test_with_virtual_domains_a_home_is_of_one_domain(tmp_path):
    with pytest.raises(ConfigurationError, match="with virtdomains"):
        configload.load(data=tmp_path, sets=["virtdomains=userid", "mail_home=/home/{local}"])


def test_names_of_the_alternative_namespace_are_free_where_there_is_none(tmp_path):
    assert configload.load(data=tmp_path, sets=["altnamespace=no", "userprefix="]).names.userprefix == ""


def test_contradictions_are_told_together(tmp_path):
    with pytest.raises(ConfigurationError) as caught:
        configload.load(data=tmp_path, sets=["userprefix=", "mail_home=/home/x", "postuser=a@b"])
    assert len(caught.value.problems) == 3
