"""`sievemda backup` beside what changes the store, and `restore` into stores of another kind: in process."""

import json
import os
import shutil

import pytest

from sievemda.configload import load
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName
from sievemda.upkeep.backup import scan
from tests.cli.test_backup import (
    FOLDERS,
    NAMES,
    SECOND,
    alice,
    contents,
    folder,
    messages,
    put,
    same,
    site,
    template,
)

__all__ = ["alice", "folder", "site", "template"]


@pytest.fixture
def beside(monkeypatch, tmp_path):
    """Has something happen to the store `a` when a folder is looked at, once."""

    def arrange(name, happen):
        store = MailStore(load(None, tmp_path / "a"))
        look, waiting = scan.Scan.__enter__, [happen]

        def enter(self):
            if waiting and store.namespace.format_admin(self.mailbox.name) == name:
                waiting.pop()(store)
            return look(self)

        monkeypatch.setattr(scan.Scan, "__enter__", enter)

    return arrange


def named(store, name):
    return store.namespace.parse_admin(name)


def lists(archive, site):
    _, out, _ = site("none", "restore", "--list", "--json", archive)
    return {row["mailbox"]: row["messages"] for row in json.loads(out)}


def test_a_folder_that_is_renamed_before_it_is_read_is_in_the_archive(alice, folder, beside, tmp_path):
    beside(
        "user/alice/Lists", lambda store: store.rename(named(store, "user/alice/Lists"), named(store, "user/alice/L"))
    )
    assert alice("a", "backup", tmp_path / "x.tar")[0] == 0
    assert alice("b", "restore", tmp_path / "x.tar")[0] == 0
    assert messages(folder("b", "alice/Lists")) == messages(folder("a", "alice/L"))


@pytest.mark.parametrize(
    ("new", "when", "comes_as"),
    [
        ("user/zoe", "user/alice/Lists", "user/alice"),
        ("user/a", "user/alice/Lists", "user/alice"),
        ("user/zoe", "user/aaron", "user/zoe"),
        ("user/a", "user/aaron", "user/a"),  # at last
    ],
)
def test_a_user_who_is_renamed_meanwhile_is_in_the_archive_once(alice, folder, beside, tmp_path, new, when, comes_as):
    alice("a", "mailbox", "create", "user/aaron")
    beside(when, lambda store: store.rename(named(store, "user/alice"), named(store, new)))
    assert alice("a", "backup", tmp_path / "x.tar")[0] == 0
    assert set(lists(tmp_path / "x.tar", alice)) == {name.replace("user/alice", comes_as) for name in NAMES} | {
        "user/aaron"
    }
    alice("b", "restore", tmp_path / "x.tar")
    for path in FOLDERS:
        there, here = (path.replace("alice", name.removeprefix("user/")) for name in (comes_as, new))
        assert messages(folder("b", there)) == messages(folder("a", here)), path


def test_what_builds_on_an_archive_with_a_user_who_came_late_has_him(alice, folder, beside, tmp_path):
    alice("a", "mailbox", "create", "user/aaron")
    beside("user/aaron", lambda store: store.rename(named(store, "user/alice"), named(store, "user/a")))
    alice("a", "backup", f"{tmp_path}/k/")
    put(folder("a", "a"), 99)
    for _ in range(2):
        alice("a", "backup", "-i", tmp_path / "k")
    assert alice("b", "restore", tmp_path / "k")[0] == 0
    assert messages(folder("b", "a")) == messages(folder("a", "a"))


def test_a_folder_that_is_deleted_before_it_is_read_is_no_failure(alice, beside, tmp_path):
    beside("user/alice/Lists", lambda store: store.delete(named(store, "user/alice/Lists")))
    assert alice("a", "backup", tmp_path / "x.tar")[0] == 0
    assert lists(tmp_path / "x.tar", alice)["user/alice/Lists"] == 0


def test_messages_that_move_with_their_folder_while_it_is_read_are_in_the_archive(alice, folder, monkeypatch, tmp_path):
    """Their directories are open then, and empty."""
    opened, there = scan.Scan.opened, folder("a", "alice/Lists")

    def moved(self, wanted):
        if self.mailbox.path == there and there.exists():
            new = there.with_name(".Elsewhere")
            shutil.copytree(there, new, copy_function=shutil.copy2)
            for file in (there / "cur").iterdir():
                file.unlink()
            shutil.rmtree(there)
        return opened(self, wanted)

    expected = messages(there)
    monkeypatch.setattr(scan.Scan, "opened", moved)
    assert alice("a", "backup", tmp_path / "x.tar")[0] == 0
    alice("b", "restore", tmp_path / "x.tar")
    assert messages(folder("b", "alice/Lists")) == expected


def test_a_number_of_a_file_that_another_message_has_now_is_no_link(alice, folder, monkeypatch, tmp_path):
    """File systems give the number of a removed file to the next one."""
    first = put(folder("a", "alice"), 50, text="one\n")
    second = put(folder("a", "alice/Lists"), 51, text="two\n")
    for file in (first, second):
        os.link(file, file.parent.parent / "tmp" / file.name)
    real = os.fstat

    def numbered(fd):
        found = real(fd)
        if found.st_nlink < 2:
            return found
        values = list(found)
        values[1] = 7
        return os.stat_result(values, {name: getattr(found, name) for name in ("st_mtime_ns", "st_mtime")})

    monkeypatch.setattr(scan.os, "fstat", numbered)
    assert alice("a", "backup", tmp_path / "x.tar")[0] == 0
    monkeypatch.undo()
    assert alice("b", "restore", tmp_path / "x.tar")[0] == 0
    same(folder, "a", "b")


# -- what names say, and what is --------------------------------------------------------------------------------------


def test_a_message_with_a_wrong_size_in_its_name_comes_back_from_a_chain(alice, folder, tmp_path):
    wrong = folder("a", "alice") / "cur" / f"{SECOND + 70}.M1P1.host,S=999,W=1003:2,S"
    wrong.write_bytes(b"Subject: wrong\n\nsize\n")
    os.utime(wrong, (SECOND, SECOND))
    alice("a", "backup", f"{tmp_path}/k/")
    for _ in range(2):
        alice("a", "backup", "-i", tmp_path / "k")
    assert alice("b", "restore", tmp_path / "k")[0] == 0
    assert contents(folder("b", "alice")) == contents(folder("a", "alice"))


def test_a_message_that_no_archive_of_a_chain_has_is_told(alice, folder, tmp_path):
    alice("a", "backup", f"{tmp_path}/k/")
    [index] = (tmp_path / "k").glob("*.index")
    extra = put(folder("a", "alice"), 80)
    alice("a", "backup", f"{tmp_path}/other/")
    [other] = (tmp_path / "other").glob("*.index")
    numbers = [path.name.split("-")[-1].partition(".")[0].encode() for path in (other, index)]
    index.write_bytes(other.read_bytes().replace(*numbers))  # one that tells of a message that its archive lacks
    os.utime(extra, (SECOND, SECOND))
    _, out, _ = alice("a", "backup", "-i", "--json", tmp_path / "k")
    lacking = json.loads(out)["contents"] == 0
    code, _, err = alice("b", "restore", tmp_path / "k")
    assert code == (65 if lacking else 0), err
    assert (extra.name.partition(",")[0] in err) == lacking


def test_dates_come_back_to_the_digit(alice, folder, tmp_path):
    file = put(folder("a", "alice"), 81)
    os.utime(file, ns=(0, 1_600_000_081_123_456_789))
    alice("a", "backup", tmp_path / "x.tar")
    alice("b", "restore", tmp_path / "x.tar")
    assert messages(folder("b", "alice")) == messages(folder("a", "alice"))


def test_a_dry_run_changes_nothing_in_a_store_of_an_imap_server(alice, folder, tmp_path):
    made = folder("a", "alice/Theirs")
    for part in ("cur", "new", "tmp"):
        (made / part).mkdir(parents=True)
    active = folder("a", "alice").parent / ".dovecot.sieve"
    active.unlink()
    active.write_text("keep;")
    before = {path: path.lstat().st_mtime_ns for path in (tmp_path / "a" / "mail").rglob("*")}
    assert alice("a", "backup", "--dry-run", tmp_path / "x.tar")[0] == 0
    assert {path: path.lstat().st_mtime_ns for path in (tmp_path / "a" / "mail").rglob("*")} == before


def test_an_active_script_that_is_a_plain_file_comes_back_and_stays_what_it_is(alice, folder, tmp_path):
    home = folder("a", "alice").parent
    (home / ".dovecot.sieve").unlink()
    (home / ".dovecot.sieve").write_text("stop;")
    alice("a", "backup", tmp_path / "x.tar")
    assert not (home / ".dovecot.sieve").is_symlink()
    alice("b", "restore", tmp_path / "x.tar")
    found = {path.name: path.read_text() for path in (folder("b", "alice").parent / "sieve").iterdir()}
    assert found == {"one.sieve": "keep;", "two.sieve": "discard; # \u00e4\n", "dovecot.sieve": "stop;"}
    assert (folder("b", "alice").parent / ".dovecot.sieve").read_text() == "stop;"


def test_who_has_more_than_his_quota_allows_gets_it_back(alice, folder, tmp_path):
    alice("a", "quota", "set", "user/alice", "MESSAGE", "3")
    alice("a", "backup", tmp_path / "x.tar")
    assert alice("b", "restore", tmp_path / "x.tar")[0] == 0
    same(folder, "a", "b")


# -- stores of another kind -------------------------------------------------------------------------------------------


@pytest.fixture
def domains(site, folder, tmp_path):
    """An archive of a store with users of domains."""
    virtual = ("--set", "virtdomains=userid")
    for name in ("user/alice@example.org", "user/alice/L.x@example.org", "board@example.org", "user/bob"):
        assert site("v", *virtual, "mailbox", "create", name)[0] == 0
    put(tmp_path / "v/mail/domain/example.org/user/alice/Maildir", 1)
    assert site("v", *virtual, "backup", tmp_path / "v.tar")[0] == 0
    return tmp_path / "v.tar"


MAPS = ["--map", "user/alice@example.org=user/alice", "--map", "board@example.org=boards/one"]


@pytest.mark.parametrize(
    ("sets", "arguments", "code", "expected"),
    [
        ([], [], 65, ["user/bob"]),
        ([], MAPS, 0, ["boards/one", "user/alice", "user/alice/L.x", "user/bob"]),
        ([], ["user/alice@example.org", "--into", "user/eve/X"], 0, ["user/eve", "user/eve/X", "user/eve/X/L.x"]),
        (
            ["virtdomains=userid", "defaultdomain=example.org"],
            [],
            0,
            ["board", "user/alice", "user/alice/L.x", "user/bob"],
        ),
        (
            ["virtdomains=userid", "unixhierarchysep=no", "altnamespace=no", "hashimapspool=yes"],
            [],
            0,
            ["board@example.org", "user.alice.L^x@example.org", "user.alice@example.org", "user.bob"],
        ),
    ],
)
def test_a_store_with_other_settings_takes_what_it_can_have(site, domains, sets, arguments, code, expected):
    given = [word for pair in sets for word in ("--set", pair)]
    found, _, err = site("b", *given, "restore", domains, *arguments)
    assert found == code, err
    assert site("b", *given, "mailbox", "list")[1].decode().split() == expected


def test_a_user_whose_domain_is_the_default_one_here_is_called_without(site, domains, tmp_path):
    settings = ["--set", "virtdomains=userid", "--set", "defaultdomain=example.org"]
    site("b", *settings, "restore", domains)
    store = MailStore(load(None, tmp_path / "b"))
    assert len(messages(store.find(MailboxName("alice")).path)) == 1


def test_users_of_whom_a_cut_archive_has_nothing_are_named(alice, tmp_path):
    alice("a", "mailbox", "create", "user/zoe")
    alice("a", "backup", tmp_path / "x.tar")
    (tmp_path / "x.tar").write_bytes((tmp_path / "x.tar").read_bytes()[:20000])
    code, _, err = alice("b", "restore", tmp_path / "x.tar")
    assert code == 65
    assert "user/zoe: nothing of it can be read" in err
