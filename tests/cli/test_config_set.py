import json
import os
import socket
import tomllib

import pytest

from sievemda import configload
from sievemda.cli.main import run

FILE = """# our site
data = "var"   # beside this file

[site]
admins = ["cyrus",   "root"] # both
# Who is asked.
#postmaster = "postmaster"

[lmtp]
workers=2
"""


@pytest.fixture
def site(tmp_path, capsys):
    """Runs a command with a configuration file: (exit code, standard output, standard error)."""
    (tmp_path / "sievemda.toml").write_text(FILE)

    def site(*arguments):
        code = run(["--config", str(tmp_path / "sievemda.toml"), *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    site.file = tmp_path / "sievemda.toml"
    return site


@pytest.mark.parametrize(
    ("key", "value", "line", "instead"),
    [
        ("lmtp.workers", "4", "workers=4", "workers=2"),
        ("workers", "4", "workers=4", "workers=2"),
        ("admins", "alice bob", 'admins = ["alice", "bob"] # both', 'admins = ["cyrus",   "root"] # both'),
        ("data", "/srv/mail", 'data = "/srv/mail"   # beside this file', 'data = "var"   # beside this file'),
    ],
)
def test_a_value_takes_the_place_of_the_old_one_and_nothing_else_changes(site, key, value, line, instead):
    code, out, err = site("config", "set", key, value)
    assert (code, err) == (0, "")
    assert " = " in out
    assert site.file.read_text() == FILE.replace(instead, line)


def test_a_setting_that_is_new_stands_behind_the_comment_that_shows_its_default(site):
    site("config", "set", "postmaster", "root@example.org")
    assert site.file.read_text() == FILE.replace(
        '#postmaster = "postmaster"\n', '#postmaster = "postmaster"\npostmaster = "root@example.org"\n'
    )


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("lmtp_strict_quota", "yes", ("delivery", "lmtp_strict_quota", True)),
        ("maxmessagesize", "10M", ("lmtp", "maxmessagesize", "10M")),
        ("maxmessagesize", "1000", ("lmtp", "maxmessagesize", 1000)),
        ("message_mode", "640", ("store", "message_mode", "0640")),
        ("virtdomains", "on", ("site", "virtdomains", "on")),
        ("quotawarnmsg", "-1", None),
        ("partition-two", "/srv/two", ("store", "partitions", {"two": "/srv/two"})),
        ("xlist-junk", "Spam", ("autocreate", "xlist", {"junk": "Spam"})),
    ],
)
def test_values_are_written_as_what_they_are(site, key, value, found):
    if key == "partition-two":
        site("config", "set", "partition-default", "/srv/one")
        found = ("store", "partitions", {"default": "/srv/one", "two": "/srv/two"})
    code, _, _ = site("config", "set", key, value)
    assert (code == 0) == (found is not None)
    if found:
        section, name, expected = found
        assert tomllib.loads(site.file.read_text())[section][name] == expected
        assert configload.load(site.file)


def test_what_was_set_can_be_taken_out_again(site):
    site("config", "set", "delivery.lmtp_strict_quota", "yes")
    assert site("config", "unset", "lmtp_strict_quota")[:2] == (0, "delivery.lmtp_strict_quota = false\n")
    assert tomllib.loads(site.file.read_text()).get("delivery") in (None, {})
    assert site("config", "unset", "lmtp_strict_quota")[1] == f"{site.file} has it so already\n"
    site("config", "unset", "workers")
    assert FILE.replace("workers=2\n", "") == site.file.read_text().replace("\n[delivery]\n", "").replace(
        "[delivery]\n", ""
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("set", "lmtp_strict_quotta", "yes"), 78),
        (("set", "workers", "many"), 78),
        (("set", "workers"), 64),
        (("set", "defaultpartition", "none"), 78),
        (("set", "groups_file", "/nonexistent/groups"), 78),
        (("set", "mail_home", "everybody"), 78),
        (("set", "store.partitions", "x"), 78),
        (("describe", "nothing"), 78),
    ],
)
def test_what_cannot_be_leaves_the_file_as_it_was(site, arguments, code):
    before = site.file.stat()
    found, out, err = site("config", *arguments)
    assert (found, out) == (code, "")
    assert err
    assert site.file.read_text() == FILE
    assert site.file.stat().st_ino == before.st_ino
    assert list(site.file.parent.iterdir()) == [site.file]
    assert f".{site.file.name}." not in err


def test_mode_owner_and_links_stay(site, tmp_path):
    site.file.chmod(0o640)
    (tmp_path / "etc").mkdir()
    real = site.file.rename(tmp_path / "etc" / "real.toml")
    site.file.symlink_to(real)
    assert site("config", "set", "workers", "3")[0] == 0
    assert site.file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "workers=3" in real.read_text()


def test_a_mistake_in_the_file_can_be_mended(site):
    site.file.write_text(FILE.replace("workers=2", 'workers="many"'))
    assert site("config", "check")[0] == 78
    assert site("config", "set", "workers", "2")[0] == 0
    assert site.file.read_text() == FILE
    site.file.write_text(FILE + "wrokers = 3\n")
    assert site("config", "unset", "lmtp.wrokers")[0] == 0
    assert site.file.read_text() == FILE


def test_a_file_that_is_no_toml_is_told_and_stays(site):
    site.file.write_text("[site\n")
    code, _, err = site("config", "set", "workers", "2")
    assert (code, err.count("\n")) == (78, 1)
    assert site.file.read_text() == "[site\n"


def test_what_looks_like_a_comment_in_a_string_is_none(site):
    site.file.write_text('data = "x"\n[names]\naltprefix = """x\\\n#altnamespace = \\\n"""\n')
    assert site("config", "set", "altnamespace", "no")[0] == 0
    found = tomllib.loads(site.file.read_text())["names"]
    assert found == {"altprefix": "x#altnamespace = ", "altnamespace": False}


def test_without_a_file_one_is_made_in_the_data_directory(call, tmp_path):
    assert call("config", "set", "lmtp_strict_quota", "yes")[:2] == (0, "delivery.lmtp_strict_quota = true\n")
    assert (tmp_path / "d" / "sievemda.toml").read_text() == "[delivery]\nlmtp_strict_quota = true\n"
    assert json.loads(call("config", "show", "--changed", "--json")[1])["delivery.lmtp_strict_quota"] is True


def test_the_reference_can_be_filled_in(site):
    site.file.write_text(configload.reference())
    for key, value in {"workers": "3", "admins": "cyrus", "data": "/srv/x", "message_mode": "0640"}.items():
        assert site("config", "set", key, value)[0] == 0
    text = site.file.read_text()
    assert text.count("\n") == configload.reference().count("\n") + 4
    settings = configload.load(site.file)
    assert (settings.lmtp.workers, settings.site.admins, str(settings.data)) == (3, ("cyrus",), "/srv/x")


def test_json_says_what_was_and_what_is(site):
    found = json.loads(site("config", "set", "workers", "4", "--json")[1])
    assert (found["key"], found["before"], found["value"], found["changed"]) == ("lmtp.workers", 2, 4, True)
    assert (found["takes_effect"], found["server"], found["file"]) == ("reload", None, str(site.file))
    assert json.loads(site("config", "set", "workers", "4", "--json")[1])["changed"] is False


@pytest.mark.parametrize(
    ("key", "kind", "effect"),
    [
        ("lmtp_strict_quota", "yes or no", "reload"),
        ("lmtp_socket_mode", "a mode in octal", "restart"),
        ("virtdomains", "one of off, userid, on", "reload"),
        ("groups_file", "a path, or nothing", "reload"),
    ],
)
def test_a_setting_is_described(site, key, kind, effect):
    found = json.loads(site("config", "describe", key, "--json")[1])
    assert (found["kind"], found["takes_effect"]) == (kind, effect)
    assert found["meaning"]
    code, out, _ = site("config", "describe", key)
    assert (code, f"takes effect: {effect}\n" in out) == (0, True)


def test_every_setting_can_be_described(site):
    assert all(site("config", "describe", key)[0] == 0 for key in configload.known())


def test_who_serves_is_told_with_what_makes_it_take_the_setting(call, tmp_path):
    (tmp_path / "d" / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "d" / "run" / "lmtp"))
        listening.listen()
        assert f"kill -HUP {os.getpid()}\n" in call("config", "set", "lmtp_strict_quota", "yes")[1]
        assert f"restart the server, process {os.getpid()}\n" in call("config", "set", "lmtp_socket_mode", "600")[1]


def test_a_secret_is_shown_to_nobody_who_does_not_ask_for_it(site):
    site.file.write_text('[outbox]\nsrs_domain = "srs.example"\nsrs_secrets = ["hush", "older"]\n')
    for command in (
        ("show",), ("show", "--json"), ("show", "--changed"), ("describe", "srs_secrets"),
        ("set", "srs_secrets", "hush silence"), ("set", "srs_secrets", "hush older", "--json"),
    ):  # fmt: skip
        code, out, _ = site("config", *command)
        assert (code, "***" in out, "hush" in out) == (0, True, False)
    assert 'outbox.srs_secrets = ["hush", "older"]\n' in site("config", "show", "--secrets")[1]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("expire_rules", "nothing.toml", "upkeep.expire_rules: "),
        ("expire_rules", "broken", "upkeep.expire_rules: "),
        ("lmtp_socket_group", "nobodys group", "lmtp.lmtp_socket_group: there is no group nobodys group"),
        ("sieve_notify_https_ca", "broken", "sieve.sieve_notify_https_ca: "),
        ("sieve_pipe_bin_dir", "nothing", "sieve.sieve_pipe_bin_dir: "),
    ],
)
def test_what_the_server_would_stumble_over_is_not_written(site, monkeypatch, key, value, said):
    monkeypatch.chdir(site.file.parent)
    (site.file.parent / "broken").write_text("no such thing =")
    code, _, err = site("config", "set", key, value)
    assert (code, err.count("\n"), said in err) == (78, 1, True)
    assert site.file.read_text() == FILE


def test_certificates_are_looked_into(site, monkeypatch):
    (site.file.parent / "broken").write_text("no certificate")
    site.file.write_text('[lmtp]\ntls_server_cert = "broken"\ntls_server_key = "broken"\n')
    code, _, err = site("config", "check")
    assert (code, err.count("\n"), "tls_server_cert" in err) == (78, 1, True)


def test_lines_end_as_the_others_do(site):
    site.file.write_bytes(b"# ours\r\n[lmtp]\r\nworkers = 2\r\n")
    for key, value in (("threads", "3"), ("workers", "3"), ("virtdomains", "on")):
        assert site("config", "set", key, value)[0] == 0
    assert site.file.read_bytes().count(b"\n") == site.file.read_bytes().count(b"\r\n")


@pytest.mark.parametrize("key", ["partition-big", "store.partitions.big", "xlist-sent"])
def test_a_part_of_a_setting_is_described_as_the_whole(site, key):
    assert site("config", "describe", key)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("set", "lmtp.workers", "4"), 0), (("unset", "lmtp.workers"), 0), (("set", "lmtp.workers", "many"), 78)],
)
def test_a_dry_run_says_the_same_and_writes_nothing(site, tmp_path, arguments, code):
    before = {path: path.stat().st_mtime_ns for path in (tmp_path, site.file)}
    dry = site("config", *arguments, "--dry-run")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path, site.file)} == before
    assert (dry[0], site.file.read_text()) == (code, FILE)
    assert dry == site("config", *arguments)


def test_a_dry_run_makes_no_directory_for_the_file(tmp_path, capsys):
    assert run(["--data", str(tmp_path / "d"), "config", "set", "lmtp.workers", "4", "-n", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["value"], said["changed"], said["dry_run"]) == (4, True, True)
    assert not (tmp_path / "d").exists()
