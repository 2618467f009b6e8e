"""`sievemda export mbox`."""

import errno
import fcntl
import json
import os
import re
import shutil

import pytest

from sievemda.cli.main import run

MARK = "From a@b.example Thu Nov 29 22:33:52 2001\n"
MARK_BY_NOBODY = "From MAILER-DAEMON Thu Nov 29 22:33:52 2001\n"
OLD = f"{MARK}Subject: old\n\nold\n\n"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A user with messages in three folders, and in one of them none."""
    base = tmp_path_factory.mktemp("prepared")
    fields = "Return-Path: <a@b.example>\nStatus: RO\nX-Status: F\nX-Keywords: work\n"
    (base / "in").write_text(f"{MARK}{fields}\nInbox\n\n{OLD}")
    (base / "lists").write_text(OLD)
    sievemda = ["--data", str(base / "d")]
    run([*sievemda, "import", "mbox", str(base / "in"), "user/alice"])
    for target in ("user/alice/Lists", "user/alice/Lists/x.sbd", "board"):
        run([*sievemda, "import", "mbox", str(base / "lists"), target])
    run([*sievemda, "mailbox", "create", "user/alice/Empty"])
    return base


@pytest.fixture
def site(prepared, call, tmp_path):
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return call


def below(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_a_mailbox_becomes_a_file(site, tmp_path):
    target = tmp_path / "out"
    assert site("export", "mbox", "user/alice", str(target)) == (0, f"user/alice -> {target}: 2 messages\n", "")
    assert target.read_text() == (
        "From a@b.example Thu Nov 29 22:33:52 2001\n"
        "X-IMAPbase: 1 0000000002 work\nStatus: RO\nX-Status: F\nX-Keywords: work\nX-UID: 1\n"
        "Return-Path: <a@b.example>\n\nInbox\n\n"
        f"{MARK_BY_NOBODY}Status: \nX-Status: \nX-Keywords: \nX-UID: 2\nSubject: old\n\nold\n\n"
    )
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_user_becomes_a_directory_that_is_read_again(site, tmp_path):
    out = tmp_path / "out"
    code, text, _ = site("export", "mbox", "-r", "user/alice", str(out), "--json")
    assert (code, [row["renamed"] for row in json.loads(text)["mailboxes"]]) == (0, [False, False, False, True])
    assert below(out) == ["Empty", "INBOX", "Lists", "Lists.sbd/x%2Esbd"]
    assert site("import", "mbox", str(out), "user/bob")[0] == 0
    assert site("export", "mbox", "-r", "user/bob", str(tmp_path / "again"))[0] == 0
    for name in below(out):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()


def test_several_mailboxes_lie_below_their_users(site, tmp_path):
    out = tmp_path / "out"
    assert site("export", "mbox", "user/alice/L*", "board", str(out))[0] == 0
    assert below(out) == ["shared/board", "user/alice/Lists", "user/alice/Lists.sbd/x%2Esbd"]


def test_a_folder_with_those_below_keeps_its_name(site, tmp_path):
    out = tmp_path / "out"
    assert site("export", "mbox", "-r", "user/alice/Lists", str(out))[0] == 0
    assert below(out) == ["Lists", "Lists.sbd/x%2Esbd"]


def test_one_mailbox_goes_into_a_directory_that_is_there(site, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    assert site("export", "mbox", "user/alice/Lists", str(out))[0] == 0
    assert below(out) == ["Lists"]


def test_a_file_that_is_there_stays_unless_it_is_to_go(site, tmp_path):
    target = tmp_path / "out"
    target.write_text("precious")
    code, out, err = site("export", "mbox", "user/alice", str(target))
    assert (code, out, target.read_text()) == (73, "", "precious")
    assert "is there already: --force replaces it" in err
    assert site("export", "mbox", "--force", "user/alice", str(target))[0] == 0
    assert target.read_text().startswith(MARK)


def test_a_link_stays_one_and_a_device_is_not_replaced(site, tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    assert site("export", "mbox", "--force", "user/alice", str(tmp_path / "link"))[0] == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text().startswith(MARK)
    os.mkfifo(tmp_path / "pipe")
    code, _, err = site("export", "mbox", "--force", "user/alice", str(tmp_path / "pipe"))
    assert (code, "is no regular file" in err) == (73, True)


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_messages_are_added_behind_those_of_a_file(site, tmp_path, end):
    target = tmp_path / "out"
    target.write_text(OLD.rstrip("\n") + end)
    assert site("export", "mbox", "--append", "user/alice/Lists", str(target))[0] == 0
    assert target.read_text().startswith(f"{OLD}From MAILER-DAEMON ")
    assert "X-IMAPbase" not in target.read_text()


def uids_of(text):
    return re.findall(r"^X-UID: (\d+)$", text, re.MULTILINE)


def test_uids_go_on_where_the_file_has_stopped(site, tmp_path):
    target = tmp_path / "out"
    for _ in range(3):
        assert site("export", "mbox", "--append", "user/alice", str(target))[0] == 0
    text = target.read_text()
    assert uids_of(text) == ["1", "2", "3", "4", "5", "6"]
    assert re.findall("^X-IMAPbase: .*", text, re.MULTILINE) == ["X-IMAPbase: 1 0000000006 work"]


def test_several_mailboxes_in_one_stream_share_their_uids(site):
    code, out, _ = site("export", "mbox", "user/alice", "user/alice/Lists", "-")
    assert code == 0
    assert (uids_of(out), out.count("X-IMAPbase")) == (["1", "2", "3"], 1)


@pytest.mark.parametrize(
    ("base", "then"), [("123 7 a b", "123 9 a b"), ("123 0000000099", "123 0000000101"), ("123 9", "123 9")]
)
def test_the_last_uid_is_put_right_in_its_place(site, tmp_path, base, then):
    target = tmp_path / "out"
    target.write_text(OLD.replace("Subject: ", f"X-IMAPbase: {base}\nSubject: ", 1))
    assert site("export", "mbox", "--append", "user/alice", str(target))[0] == 0
    last = int(base.split()[1])
    assert uids_of(target.read_text()) == [str(last + 1), str(last + 2)]
    assert f"\nX-IMAPbase: {then}\n" in target.read_text()


def test_on_a_full_disk_nothing_is_there_and_what_was_there_stays(site, tmp_path, monkeypatch):
    def full(fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "x"
    target.write_text("precious")
    monkeypatch.setattr("sievemda.upkeep.exporting.target.os.fsync", full)
    code, _, err = site("export", "mbox", "--force", "user/alice", str(target))
    assert (code, err) == (74, f"sievemda: user/alice: {target}: No space left on device\n")
    assert (below(tmp_path / "out"), target.read_text()) == (["x"], "precious")


def test_what_was_left_by_an_export_that_was_killed_goes_and_what_is_being_written_stays(site, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for name in (".export.dead.part", ".export.alive.part", ".another.part"):
        (out / name).touch()
    with (out / ".export.alive.part").open() as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        assert site("export", "mbox", "user/alice", str(out / "box"))[0] == 0
    assert below(out) == [".another.part", ".export.alive.part", "box"]


def test_a_dry_run_writes_nothing(site, tmp_path):
    out = tmp_path / "out"
    assert "INBOX: 2 messages would be written" in site("export", "mbox", "-n", "-r", "user/alice", str(out))[1]
    assert not out.exists()


@pytest.mark.parametrize("kind", ["mbox", "maildir", "eml"])
def test_a_dry_run_tells_what_is_in_the_way(site, tmp_path, kind):
    (tmp_path / "out").write_text("precious")
    code, out, err = site("export", kind, "-n", "user/alice", str(tmp_path / "out"))
    assert (code, out, "is there already" in err) == (73, "", True)


def test_standard_output_gets_messages_alone(site):
    fields = "X-IMAPbase: 1 0000000001\nStatus: \nX-Status: \nX-Keywords: \nX-UID: 1\n"
    code, out, _ = site("export", "mbox", "user/alice/Lists", "-")
    assert (code, out) == (0, f"{MARK_BY_NOBODY}{fields}Subject: old\n\nold\n\n")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("user/nobody", "out"), 67, "no mailbox user/nobody"),
        (("user/nob*", "out"), 67, "no mailbox matches user/nob*"),
        (("user/alice",), 64, "MAILBOX... TARGET"),
        (("user/alice", "nowhere/out"), 74, "nowhere is no directory"),
        (("user/alice", "board", "in"), 64, "in is no directory"),
        (("--force", "--append", "user/alice", "out"), 64, "either --force or --append"),
    ],
)
def test_a_mistake_is_told_in_one_line(site, tmp_path, monkeypatch, words, code, text):
    monkeypatch.chdir(tmp_path)
    found, out, err = site("export", "mbox", *words)
    assert (found, out) == (code, "")
    assert text in err.splitlines()[-1]
    assert not (tmp_path / "out").exists()
