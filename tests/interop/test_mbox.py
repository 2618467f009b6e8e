"""What export writes as mbox is what other programs read, and what they have done with it comes back."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sievemda.cli.main import run
from tests.interop.processes import need, need_root
from tests.interop.readers import neomutt

pytestmark = pytest.mark.interop
MARK = "From a@b.example Thu Nov 29 22:33:52 2001\n"
SOURCE = (
    f"{MARK}Return-Path: <a@b.example>\nSubject: one\nStatus: RO\nX-Status: AF\nX-Keywords: work\n\nFrom: me\n\n"
    f"{MARK}Subject: two\n\ntwo\n\n{MARK}Subject: three\nStatus: O\nX-Status: DT\n\nthree\n\n"
)
SETTINGS = {
    "mail_uid": "mail",
    "mail_gid": "mail",
    "first_valid_uid": "1",
    "first_valid_gid": "1",
    "ssl": "no",
    "protocols": "",
}
Call = Callable[..., None]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    def call(*words: str) -> None:
        assert run(["--data", str(tmp_path / "d"), *words]) == 0

    return call


@pytest.fixture
def exported(call: Call, tmp_path: Path, make_directory: Callable[[], Path]) -> Path:
    """An mbox with three messages."""
    (tmp_path / "in").write_text(SOURCE)
    call("import", "mbox", str(tmp_path / "in"), "user/alice")
    file = make_directory() / "box"
    call("export", "mbox", "user/alice", str(file))
    return file


def doveadm(file: Path, *words: str) -> str:
    """A command of Dovecot on an mbox that is somebody's INBOX."""
    need("doveadm")
    need_root()
    mail = pwd.getpwnam("mail")
    for path in (file.parent, file):
        os.chown(path, mail.pw_uid, mail.pw_gid)
    place = f"mbox:{file.parent}/mail:INBOX={file}"
    settings = SETTINGS | {"mail_location": place, "mail_home": str(file.parent), "base_dir": str(file.parent / "run")}
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    done = subprocess.run(
        ["doveadm", "-c", "/dev/null", *options, *words],
        user=mail.pw_uid,
        group=mail.pw_gid,
        extra_groups=[],
        env=os.environ | {"USER": "mail", "HOME": str(file.parent), "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_dovecot_finds_flags_keywords_uids_and_dates_and_its_changes_come_back(
    exported: Path, call: Call, tmp_path: Path
) -> None:
    seen = doveadm(exported, "fetch", "uid flags date.received hdr.subject", "mailbox", "INBOX", "all")
    assert [line for line in seen.splitlines() if line] == [
        "uid: 1",
        "flags: \\Answered \\Flagged \\Seen work",
        "date.received: 2001-11-29 22:33:52",
        "hdr.subject: one",
        "uid: 2",
        "flags: ",
        "date.received: 2001-11-29 22:33:52",
        "hdr.subject: two",
        "uid: 3",
        "flags: \\Deleted \\Draft",
        "date.received: 2001-11-29 22:33:52",
        "hdr.subject: three",
    ]
    doveadm(exported, "flags", "add", "\\Seen more", "mailbox", "INBOX", "uid", "2")
    call("import", "mbox", str(exported), "user/bob")
    files = {
        file.read_text(): file.name.partition(":2,")[2]
        for file in (tmp_path / "d" / "mail" / "user" / "bob" / "Maildir" / "cur").iterdir()
    }
    assert files == {
        "Return-Path: <a@b.example>\nSubject: one\n\nFrom: me\n": "FRSa",
        "Subject: two\n\ntwo\n": "Sb",
        "Subject: three\n\nthree\n": "DT",
    }


def test_neomutt_shows_what_is_new_and_flagged_and_removes_what_is_deleted(exported: Path) -> None:
    assert neomutt(exported.parent, exported.parent, exported) == (2, 1, 1)


def test_dovecot_knows_what_was_there_when_more_is_added(exported: Path, call: Call) -> None:
    before = doveadm(exported, "fetch", "uid hdr.subject", "mailbox", "INBOX", "all")
    validity = doveadm(exported, "mailbox", "status", "uidvalidity", "INBOX")
    call("export", "mbox", "--append", "user/alice", str(exported))
    after = doveadm(exported, "fetch", "uid hdr.subject", "mailbox", "INBOX", "all")
    assert after.startswith(before)
    assert [line for line in after.splitlines() if line.startswith("uid: ")] == [f"uid: {n}" for n in range(1, 7)]
    assert doveadm(exported, "mailbox", "status", "uidvalidity", "INBOX") == validity
