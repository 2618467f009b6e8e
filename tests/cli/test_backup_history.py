"""What has become of scripts goes into archives and comes out of them."""

import io
import json
import os
import sys
import tarfile

import pytest

from sievemda.cli.main import run
from sievemda.store import files

TEXTS = [b"# 1\nkeep;\n", b"# 2\nkeep;\n", b"# 3\nstop;\n"]


class Sites:
    """`old` has alice, whose script was stored three times; `new` is empty."""

    def __init__(self, base, monkeypatch, capfdbinary):
        self.base, self.archives = base, base / "archives"
        self._monkeypatch, self._captured = monkeypatch, capfdbinary
        self("mailbox", "create", "user/alice")
        for text in TEXTS:
            self("script", "put", "alice", "main", stdin=text)
        self("script", "activate", "alice", "main")

    def __call__(self, *arguments, site="old", stdin=b"", code=0):
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        found = run(["--data", str(self.base / site), *arguments])
        sys.stdout.flush()
        told = self._captured.readouterr()
        assert b"Traceback" not in told.err
        assert found == code, told.err
        return told.out.decode(), told.err.decode()

    def backup(self, *more, code=0):
        return self("backup", *more, f"{self.archives}/", code=code)

    def restore(self, *more, site="new", code=0):
        return self("restore", *more, str(self.archives), site=site, code=code)

    def history(self, user="alice", site="new"):
        told = json.loads(self("script", "history", user, "--json", site=site)[0])
        return [(each["version"], each["action"], each["via"], each["sha256"]) for each in told]

    def texts(self, user="alice", site="new"):
        return [self("script", "get", user, "main", "--version", str(n), site=site)[0].encode() for n in (1, 2, 3)]

    def members(self):
        """Names in each archive, the oldest first."""
        found = []
        for path in sorted(self.archives.glob("*.tar"), key=lambda path: path.stat().st_mtime_ns):
            with tarfile.open(path) as archive:
                found.append([name for name in archive.getnames() if "sieve-history" in name])
        return found


@pytest.fixture
def sites(tmp_path, monkeypatch, capfdbinary):
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda _: None)
    monkeypatch.setattr(files, "sync_file_system", lambda _: None)
    return Sites(tmp_path, monkeypatch, capfdbinary)


def test_a_user_comes_back_with_what_became_of_his_scripts_and_that_he_came_back_is_noted(sites):
    before = sites.history(site="old")
    sites.backup()
    sites.restore()
    found = sites.history()
    assert found[:4] == before
    assert [each[:3] for each in found[4:]] == [(5, "put", "restore"), (6, "activate", "restore")]
    assert sites.texts() == TEXTS
    sites("script", "undo", "alice", "main", "--to", "1", site="new")
    assert sites("script", "get", "alice", "main", site="new")[0].encode() == TEXTS[0]


@pytest.mark.parametrize("more", [(), ("--settings",)])
def test_what_is_there_already_does_not_come_twice(sites, more):
    sites.backup()
    sites.restore()
    found = sites.history()
    sites.restore(*more)
    assert sites.history() == found
    there = sites.history(site="old")
    sites.restore(*more, site="old")
    assert sites.history(site="old") == there


def test_an_incremental_archive_has_what_is_new_and_the_chain_has_all(sites):
    sites.backup()
    sites("script", "put", "alice", "main", stdin=b"# 4\ndiscard;\n")
    sites.backup("--incremental")
    sites.backup("--incremental")
    assert [len(names) for names in sites.members()] == [4, 2, 1]
    before = sites.history(site="old")
    sites.restore()
    assert sites.history()[:5] == before
    assert sites.texts() == TEXTS
    assert "whole" in sites("backup", "--verify", str(sites.archives))[0]


def test_an_index_that_is_missing_costs_room_and_nothing_else(sites):
    sites.backup()
    sites("script", "put", "alice", "main", stdin=b"# 4\ndiscard;\n")
    sites.backup("--incremental")
    for path in sites.archives.glob("*.index"):
        path.unlink()
    sites("script", "put", "alice", "main", stdin=b"# 5\ndiscard;\n")
    sites.backup("--incremental")
    before = sites.history(site="old")
    sites.restore()
    assert sites.history()[:6] == before


def test_who_comes_back_by_another_name_has_his_own(sites):
    sites.backup()
    sites.restore("--map", "user/alice=user/bob")
    assert sites.history("bob")[:4] == sites.history(site="old")
    sites("script", "history", "alice", site="new", code=67)


def test_a_database_that_was_lost_is_put_together_again_in_the_order_of_time(sites):
    sites.backup()
    before = sites.history(site="old")
    for path in (sites.base / "old/state").glob("versions.db*"):
        path.unlink()
    assert "versions.db is gone" in sites("script", "delete", "alice", "main", code=75)[1]
    (sites.base / "old/versions.there").unlink()  # as that says
    sites("script", "list", "alice")
    assert [each[2] for each in sites.history(site="old")] == ["found", "found"]
    sites.restore(site="old")
    found = sites.history(site="old")
    assert found[:4] == before
    assert [each[:3] for each in found[4:]] == [(5, "put", "found"), (6, "activate", "found")]


def test_another_one_of_the_same_name_never_sees_it(sites):
    sites.backup()
    sites("mailbox", "delete", "user/alice", "--yes")
    sites("mailbox", "create", "user/alice")
    assert sites.history(site="old") == []
    sites.restore(site="old")
    assert sites.history(site="old") == []
    sites.restore("--settings", site="old")
    assert [each[2] for each in sites.history(site="old")] == ["restore", "restore"]


def test_who_was_deleted_and_comes_out_of_an_archive_goes_on_with_his_own(sites):
    sites.backup()
    before = sites.history(site="old")
    sites("mailbox", "delete", "user/alice", "--yes")
    sites.restore(site="old")
    found = sites.history(site="old")
    assert found[:4] == before
    assert [each[2] for each in found[4:]] == ["restore", "restore"]


def test_a_dry_run_notes_nothing(sites):
    sites.backup()
    sites.restore("--dry-run")
    assert not (sites.base / "new/state/versions.db").exists()


def test_an_archive_without_a_history_is_one_all_the_same(sites):
    archive = sites.base / "old.tar"
    for path in (sites.base / "old/state").glob("versions.db*"):
        path.unlink()
    (sites.base / "old/versions.there").unlink()
    assert sites("backup", "user/alice", str(archive))[1] == ""
    sites("restore", str(archive), site="new")
    assert [each[2] for each in sites.history()] == ["restore", "restore"]


@pytest.mark.parametrize("gone", ["state", "state/versions.db"])
def test_a_database_that_is_gone_is_trouble_though_all_else_is_in_the_archive(sites, gone):
    (sites.base / "old" / gone).rename(sites.base / "away")
    assert "versions.db is gone" in sites.backup(code=75)[1]
    sites.restore()
    assert "main" in sites("script", "list", "alice", site="new")[0]


def test_a_database_that_cannot_be_read_is_told_and_mail_is_in_the_archive(sites):
    for path in (sites.base / "old/state").glob("versions.db*"):
        path.write_bytes(b"this is no database, and long enough to see that" * 100)
    told = sites.backup(code=75)[1]
    assert "history" in told
    assert sites.restore()[0].startswith("0 messages")
    assert "main" in sites("script", "list", "alice", site="new")[0]


def test_a_text_that_is_damaged_is_told_and_the_others_come(sites):
    sites.backup()
    (path,) = sites.archives.glob("*.tar")
    octets = path.read_bytes()
    at = octets.rindex(TEXTS[0])
    path.write_bytes(octets[:at] + b"#9" + octets[at + 2 :])
    assert "damaged" in sites("backup", "--verify", str(path), code=65)[0]
    told = sites.restore(code=65)[1]
    assert "history" in told
    assert len(sites.history()) == 6
    assert sites("script", "get", "alice", "main", "--version", "2", site="new")[0].encode() == TEXTS[1]
