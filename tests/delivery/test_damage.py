"""Control files that somebody else has damaged: a message is delivered once, somewhere, all the same."""

import errno
import json
import os
import shutil

import pytest

from sievemda.mail.result import Result
from tests.delivery.world import message


@pytest.mark.parametrize("file", ["sievemda-mailbox", "maildirsize", "dovecot-acl", "new"])
@pytest.mark.parametrize("script", ["", "keep;", 'require "fileinto"; fileinto "F";'])
def test_a_folder_whose_files_cannot_be_read_costs_no_message(world, file, script):
    world.user("alice", "F", script=script)
    path = world.folder("user/alice/F") / file
    if path.is_dir():
        path.rmdir()
        path.write_bytes(b"")
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
    assert world.deliver("alice+F@x", message()) == [Result.DELIVERED]
    assert len(list(world.folder("user/alice").rglob("*,S=*"))) == 1


def test_a_limit_file_that_leads_elsewhere_is_replaced(world, tmp_path):
    world.user("alice")
    world.quota("user/alice", messages=1)
    file = world.folder("user/alice") / "maildirsize"
    file.unlink()
    (tmp_path / "elsewhere").write_text("9C\n0 0\n")
    file.symlink_to(tmp_path / "elsewhere")
    results = [world.deliver("alice@x", message(f"<{n}@x>"))[0] for n in range(3)]
    assert results == [Result.DELIVERED, Result.DELIVERED, Result.OVER_QUOTA]
    assert (tmp_path / "elsewhere").read_text() == "9C\n0 0\n"


def test_usage_that_cannot_be_written_is_no_reason_to_deliver_twice(world):
    world.user("alice")
    world.quota("user/alice", messages=9)
    file = world.folder("user/alice") / "maildirsize"
    file.unlink()
    file.mkdir()
    results = [world.deliver("alice@x", message(), ignore_quota=True)[0] for _ in range(2)]
    assert results == [Result.DELIVERED, Result.DELIVERED]
    assert len(world.files("user/alice")) == 1


def a_directory(file):
    file.mkdir()


def a_link(file):
    file.symlink_to("/dev/zero")


def a_huge_one(file):
    file.write_bytes(b"x" * 2_000_000)


@pytest.mark.parametrize("damage", [a_directory, a_link, a_huge_one])
def test_a_message_comes_without_its_keywords_when_their_file_is_damaged(world, damage):
    world.user("alice", script='require "imap4flags"; setflag ["\\\\Seen", "work"];')
    damage(world.folder("user/alice") / "dovecot-keywords")
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert [file.name.partition(":2,")[2] for file in world.files("user/alice")] == ["S"]
    (told,) = world.journal.find("<1@example.net>")
    assert told["done"][0]["flags"] == ["\\Seen"]
    assert told["not_done"][0]["why"] == "the folder has no room for work"


def test_why_tells_of_keywords_beyond_the_26th(world):
    keywords = [f"k{number}" for number in range(28)]
    world.user("alice", script=f'require "imap4flags"; setflag {json.dumps(keywords)};')
    world.deliver("alice@x", message())
    (told,) = world.journal.find("<1@example.net>")
    assert told["done"][0]["flags"] == keywords[:26]
    assert told["not_done"][0]["why"] == "the folder has no room for k26 k27"


def without_cur(maildir):
    shutil.rmtree(maildir / "cur")


def leading_out(maildir):
    shutil.rmtree(maildir)
    maildir.symlink_to("/")


def no_directory(maildir):
    shutil.rmtree(maildir)
    maildir.write_bytes(b"")


@pytest.mark.parametrize("damage", [without_cur, leading_out, no_directory])
def test_a_user_whose_maildir_is_damaged_is_not_unknown(world, damage):
    world.user("alice")
    damage(world.folder("user/alice"))
    assert world.deliver("alice@x", message()) == [Result.MAILBOX_BROKEN]


@pytest.mark.parametrize("file", ["sievemda-mailbox", "dovecot-acl"])
def test_a_damaged_file_is_no_news_of_the_inside(world, file, caplog):
    world.user("alice")
    path = world.folder("user/alice") / file
    path.unlink()
    path.mkdir()
    world.deliver("alice@x", message())
    assert not any(record.exc_info for record in caplog.records)


def test_a_message_that_could_only_be_copied_leaves_nothing_in_the_stage(world, monkeypatch):
    world.user("alice")
    real = os.rename

    def fail(source, target, **more):
        if "stage." in str(source):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        real(source, target, **more)

    monkeypatch.setattr(os, "rename", fail)
    assert world.deliver("alice@x", message()) == [Result.DELIVERED]
    assert list(world.store.layout.stage("default").iterdir()) == []


def test_an_edited_copy_keeps_the_time_of_an_earlier_delivery(world):
    world.user("alice", script='require "editheader"; addheader "X-New" "1";')
    extra = "X-DeliveredInternalDate: Tue, 02 Jan 2001 03:04:05 +0100\n"
    world.deliver("alice@x", message(extra=extra))
    assert int(world.files("user/alice")[0].stat().st_mtime) == 978401045


def test_annotations_that_cannot_be_read_are_no_reason_to_deliver_twice(world):
    world.user("alice", "A")
    for folder in ("user/alice", "user/alice/A"):
        (world.folder(folder) / "dovecot-uidlist").write_text("3 V1 N1 G0123456789abcdef0123456789abcdef\n")
    (world.folder("user/alice") / "dovecot-attributes").mkdir()
    results = [world.deliver(["alice+A@x", "alice@x"], message()) for _ in range(2)]
    assert results == [[Result.DELIVERED, Result.DELIVERED]] * 2
    assert [len(world.files(folder)) for folder in ("user/alice", "user/alice/A")] == [1, 1]
