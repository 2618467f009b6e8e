"""`sievemda import cyrus`: a spool comes with everything that belongs to it, once."""

import json
import shutil
import struct
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "upkeep" / "importing" / "cyrus_data"


def message(number):
    return f"From: a@example.org\r\nSubject: {number}\r\n\r\nBody {number}\r\n".encode()


@pytest.fixture
def spool(tmp_path):
    """A partition with a user and a shared folder, as version 3 has it with a hash."""
    top = tmp_path / "spool"
    inbox, board = top / "f" / "user" / "fbert", top / "b" / "board"
    for directory, number in ((inbox, 6), (board, 2)):
        directory.mkdir(parents=True)
        for uid in range(1, number + 1):
            (directory / f"{uid}.").write_bytes(message(uid))
    shutil.copy(DATA / "header", inbox / "cyrus.header")
    shutil.copy(DATA / "index.17", inbox / "cyrus.index")
    return top


@pytest.fixture
def config(tmp_path):
    """What lies beside it, with a script that runs here and one that does not."""
    for name, target in (("quota", "quota/f/user.fbert"), ("sub", "user/f/fbert.sub")):
        file = tmp_path / "conf" / target
        file.parent.mkdir(parents=True)
        shutil.copy(DATA / name, file)
    scripts = tmp_path / "sieve" / "f" / "fbert"
    scripts.mkdir(parents=True)
    (scripts / "main.script").write_text('require "fileinto"; fileinto "Lists";\r\n')
    (scripts / "broken.script").write_text("if;")
    (scripts / "defaultbc").symlink_to("main.bc")
    return ["--config-dir", str(tmp_path / "conf"), "--sieve", str(tmp_path / "sieve")]


def flags(tmp_path):
    files = (tmp_path / "d" / "mail" / "user" / "fbert" / "Maildir" / "cur").iterdir()
    return sorted(file.name.partition(":2,")[2] for file in files)


def test_messages_come_with_flags_keywords_rights_and_dates(call, tmp_path, spool):
    code, out, err = call("import", "cyrus", str(spool))
    assert code == 0
    assert out.splitlines() == [
        "board -> board: 2 came, 0 there already",
        "user/fbert -> user/fbert: 5 came, 0 there already",
        "7 messages came",
    ]
    assert [line.partition(" cyrus.")[0] for line in err.splitlines() if "b/board" in line]  # it has no header
    assert flags(tmp_path) == ["", "DRb", "Fa", "S", "ST"]
    assert call("acl", "list", "user/fbert")[1] == "fbert lrswipkxtecdan\n"
    files = (tmp_path / "d" / "mail" / "user" / "fbert" / "Maildir" / "cur").iterdir()
    assert {file.stat().st_mtime for file in files} == {1577872800, 1626345000}


def test_quotas_subscriptions_and_scripts_come_along(call, tmp_path, spool, config):
    (spool / "f" / "user" / "fbert" / "Lists").mkdir()
    shutil.copy(DATA / "index.17", spool / "f" / "user" / "fbert" / "Lists" / "cyrus.index")
    (spool / "f" / "user" / "fbert" / "other").mkdir()
    (spool / "f" / "user" / "fbert" / "other" / "1.").write_bytes(message(1))
    code, _, err = call("import", "cyrus", str(spool), *config)
    assert code == 0
    assert "5000" in call("quota", "list", "user/fbert")[1]
    assert call("mailbox", "subscriptions", "fbert")[1].split() == ["user/fbert", "user/fbert/Lists", "board"]
    assert call("script", "list", "fbert")[1] == "broken\nmain ACTIVE\n"
    assert "fbert: script broken is kept, but does not compile here" in err


def test_a_second_run_brings_what_is_new(call, tmp_path, spool, config):
    call("import", "cyrus", str(spool), *config)
    call("acl", "set", "user/fbert", "anyone", "p")
    call("script", "deactivate", "fbert")
    (spool / "f" / "user" / "fbert" / "7.").write_bytes(message(7))
    code, out, err = call("import", "cyrus", str(spool), *config, "--user", "f*", "--json")
    said = json.loads(out)
    assert (code, said["made"]) == (0, [])
    assert [(row["mailbox"], row["added"], row["there"]) for row in said["folders"]] == [("user/fbert", 1, 5)]
    assert said["notes"] == [line.removeprefix("sievemda: ") for line in err.splitlines()]
    assert "1 messages are not in the index" in err
    assert "anyone p" in call("acl", "list", "user/fbert")[1]
    assert "ACTIVE" not in call("script", "list", "fbert")[1]


def test_a_second_run_brings_flags_that_have_changed(call, tmp_path, spool):
    call("import", "cyrus", str(spool))
    index = spool / "f" / "user" / "fbert" / "cyrus.index"
    content = bytearray(index.read_bytes())
    start, length = struct.unpack_from(">2I", content, 12)
    for record, system in ((0, 0), (1, 0x13)):  # the first is unread now; the second answered and flagged and read
        struct.pack_into(">I", content, start + record * length + 32, system)
    index.write_bytes(content)
    assert "5 there already, 2 with other flags" in call("import", "cyrus", str(spool), "-n")[1]
    assert flags(tmp_path) == ["", "DRb", "Fa", "S", "ST"]
    assert "5 there already, 2 with other flags" in call("import", "cyrus", str(spool))[1]
    assert flags(tmp_path) == ["", "", "DRb", "FRSa", "ST"]
    assert "other flags" not in call("import", "cyrus", str(spool))[1]
    index.write_bytes(content[: start + length // 2])  # what is damaged changes nothing
    assert "other flags" not in call("import", "cyrus", str(spool))[1]
    assert flags(tmp_path) == ["", "", "", "DRb", "FRSa", "ST"]


def test_without_the_seen_states_of_an_old_spool_nothing_becomes_unread(call, tmp_path, spool, config):
    inbox = spool / "f" / "user" / "fbert"
    shutil.copy(DATA / "index.10", inbox / "cyrus.index")
    (tmp_path / "conf" / "user" / "f" / "fbert.seen").write_text(
        "xe7f335o2idk3hp9e2b9473h\t1 1795351793 6 1795351779 1:5\n"
    )
    call("import", "cyrus", str(spool), *config)
    before = flags(tmp_path)
    assert any("S" in letters for letters in before)
    assert "other flags" not in call("import", "cyrus", str(spool))[1]
    assert flags(tmp_path) == before


def test_an_old_spool_has_names_by_its_directories_and_seen_states_in_a_file(call, tmp_path, config):
    inbox = tmp_path / "old" / "user" / "fbert"
    inbox.mkdir(parents=True)
    magic = (DATA / "header").read_bytes().partition(b"%(")[0]
    header = b"user.fbert\t1vs4hxjzi7op5oahlyau4oh3\n$Forwarded work \nfbert\tlrswipcda\tanyone\tp\t\n"
    (inbox / "cyrus.header").write_bytes(magic + header)
    shutil.copy(DATA / "index.6", inbox / "cyrus.index")
    shutil.copy(DATA / "seen.skiplist", tmp_path / "conf" / "user" / "f" / "fbert.seen")
    for uid in range(1, 7):
        (inbox / f"{uid}.").write_bytes(message(uid))
    assert call("import", "cyrus", str(tmp_path / "old"), *config)[0] == 0
    assert flags(tmp_path) == ["", "DRb", "Fa", "S", "ST"]
    assert call("acl", "list", "user/fbert")[1] == "fbert lrswipkxtecdan\nanyone p\n"


def test_directories_by_unique_ids_are_found_by_headers_or_the_list(call, tmp_path, spool):
    uuid = spool / "uuid" / "s" / "i" / "siy6y8pcw7p3w6y6bkyi3107"
    uuid.mkdir(parents=True)
    (uuid / "1.").write_bytes(message(1))
    code, out, _ = call("import", "cyrus", str(spool), "--mailboxes", str(DATA / "mailboxes.json"), "--user", "fanna")
    assert (code, out.splitlines()[0]) == (0, "user/fanna/a.b -> user/fanna/a.b: 1 came, 0 there already")


def test_a_dry_run_makes_nothing(call, tmp_path, spool, config):
    code, out, _ = call("import", "cyrus", str(spool), *config, "--dry-run")
    assert (code, out.splitlines()[-1]) == (0, "7 messages would come")
    assert call("mailbox", "list")[1] == ""


def test_what_is_no_message_does_not_stop_the_others(call, tmp_path, spool):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (spool / "b" / "board" / "2.").unlink()
    (spool / "b" / "board" / "2.").symlink_to(secret)
    (spool / "b" / "board" / "3.").mkdir()
    code, out, err = call("import", "cyrus", str(spool))
    assert (code, out.splitlines()[0]) == (65, "board -> board: 1 came, 0 there already, 2 FAILED")
    assert f"{spool}/b/board/2." in err


@pytest.mark.parametrize("what", ["spool", "config-dir", "sieve"])
def test_directories_that_are_not_there(call, tmp_path, spool, what):
    missing = str(tmp_path / "missing")
    arguments = [missing] if what == "spool" else [str(spool), f"--{what}", missing]
    code, _, err = call("import", "cyrus", *arguments)
    assert (code, err) == (64, f"sievemda: {missing} is no directory\n")


def test_the_kind_need_not_be_said(call, spool):
    code, out, _ = call("import", str(spool))
    assert (code, out.splitlines()[-1]) == (0, "7 messages came")


def test_a_directory_without_mailboxes(call, tmp_path):
    code, _, err = call("import", "cyrus", str(tmp_path))
    assert (code, "no mailbox of Cyrus" in err) == (67, True)
