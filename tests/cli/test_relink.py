import errno
import json
import os

import pytest


@pytest.fixture
def copies(call, tmp_path):
    call("mailbox", "create", "user/a", "user/b", "user/c", "--quota", "1M")
    files = []
    for user in "abc":
        file = tmp_path / f"d/mail/user/{user}/Maildir/cur/1.{user},S=9:2,S"
        file.write_bytes(b"A: b\n\nhi\n")
        os.utime(file, (1e9, 1e9))
        files.append(file)
    return files


def test_the_report_says_what_was_there_and_what_was_done(call, copies):
    code, out, err = call("relink", "--json", "user/a", "user/b")
    report = json.loads(out)
    assert (code, err) == (0, "")
    assert report["before"] == {"messages": 2, "unique": 2, "octets": 18, "disk": report["after"]["disk"] * 2}
    assert (report["after"]["unique"], report["linked"], report["freed_files"]) == (1, 1, 1)
    assert [file.stat().st_nlink for file in copies] == [2, 2, 1]
    code, out, _ = call("relink")
    assert code == 0
    assert "1 linked, 1 files and" in out
    assert out.splitlines()[1].split() == ["messages", "3", "3"]


def test_quotas_count_every_name(call, copies):
    before = call("quota", "list", "--json")[1]
    call("relink")
    assert call("quota", "list", "--json")[1] == before
    assert call("quota", "fix", "-n", "-q") == (0, "", "")


def test_a_dry_run_changes_nothing(call, copies):
    assert "2 would be linked" in call("relink", "--dry-run")[1]
    assert [file.stat().st_nlink for file in copies] == [1, 1, 1]


@pytest.mark.parametrize(("arguments", "code"), [(("--since", "soon"), 65), (("user/nobody",), 67)])
def test_misuse_is_told_in_one_line(call, arguments, code):
    found, _, err = call("relink", *arguments)
    assert (found, err.count("\n")) == (code, 1)


def test_what_a_restore_has_made_of_one_file_becomes_one_again(call, copies, tmp_path):
    call("relink")
    archive = str(tmp_path / "all.tar")
    assert call("backup", archive)[0] == 0
    other = ("--data", str(tmp_path / "e"))
    assert call(*other, "restore", archive)[0] == 0
    report = json.loads(call(*other, "relink", "--json")[1])
    assert (report["before"]["messages"], report["after"]["unique"]) == (3, 1)
    files = [path for path in (tmp_path / "e" / "mail").rglob("*") if path.parent.name in ("cur", "new")]
    assert [file.stat().st_nlink for file in files] == [3, 3, 3]


def test_that_the_disk_is_full_is_told_once(call, copies, monkeypatch):
    def link(*_arguments, **_options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "link", link)
        code, _, err = call("relink")
    assert (code, err.count("\n")) == (74, 1)
    assert [file.stat().st_nlink for file in copies] == [1, 1, 1]
    assert "2 linked" in call("relink")[1]
