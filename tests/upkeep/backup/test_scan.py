"""What is in a folder while readers are at work in it."""

import os
from pathlib import Path

import pytest

from sievemda.upkeep.backup import scan as scanning
from sievemda.upkeep.backup.scan import Scan


@pytest.fixture
def folder(mailbox):
    return mailbox("user/alice")


def put(folder, part, name, content=b"x"):
    (folder.path / part / name).write_bytes(content)


def contents(scan, wanted):
    found = {}
    for each, opened in scan.opened(wanted):
        if isinstance(opened, int):
            with os.fdopen(opened, "rb") as file:
                found[each.unique] = (each.name, file.read())
        else:
            found[each.unique] = opened
    return found


def test_messages_are_found_in_both_directories(folder):
    put(folder, "new", "1.a")
    put(folder, "cur", "2.b:2,SF")
    put(folder, "cur", ".hidden")
    put(folder, "tmp", "3.c")
    with Scan(folder) as scan:
        assert {one.unique: scan.flags(one) for one in scan.found.values()} == {
            "1.a": (),
            "2.b": ("\\Seen", "\\Flagged"),
        }


def test_a_message_that_is_renamed_while_directories_are_read_is_found(folder, monkeypatch):
    for number in range(4):
        put(folder, "new", f"{number}.a")
    real, done = os.scandir, []

    def scandir(fd):
        if not done:  # a reader moves one from where it has not been seen to where nobody looks any more
            done.append(1)
            (folder.path / "new" / "2.a").rename(folder.path / "cur" / "2.a:2,S")
            entries = real(fd)
            (folder.path / "cur" / "2.a:2,S").rename(folder.path / "cur" / "2.a:2,FS")
            return entries
        return real(fd)

    monkeypatch.setattr(scanning.os, "scandir", scandir)
    with Scan(folder) as scan:
        assert sorted(scan.found) == ["0.a", "1.a", "2.a", "3.a"]


def test_what_was_renamed_since_is_read_under_its_new_name(folder):
    put(folder, "new", "1.a", b"one")
    put(folder, "cur", "2.b:2,", b"two")
    with Scan(folder) as scan:
        wanted = list(scan.found.values())
        (folder.path / "new/1.a").rename(folder.path / "cur/1.a:2,S")
        (folder.path / "cur/2.b:2,").rename(folder.path / "cur/2.b:2,T")
        assert contents(scan, wanted) == {"1.a": ("1.a:2,S", b"one"), "2.b": ("2.b:2,T", b"two")}


def test_what_was_removed_since_is_told(folder):
    put(folder, "new", "1.a")
    with Scan(folder) as scan:
        wanted = list(scan.found.values())
        (folder.path / "new/1.a").unlink()
        assert contents(scan, wanted) == {"1.a": None}


@pytest.mark.parametrize("part", ["cur", "new"])
def test_a_link_in_the_place_of_a_directory_is_not_followed(folder, mailbox, part):
    other = mailbox("user/bob")
    put(other, part, "1.secret")
    (folder.path / part).rmdir()
    (folder.path / part).symlink_to(other.path / part)
    with pytest.raises(OSError, match=r"symbolic|directory"), Scan(folder):
        pass


def test_a_link_in_the_place_of_a_message_is_none(folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    (folder.path / "cur" / "1.a:2,").symlink_to(secret)
    os.mkfifo(folder.path / "new" / "2.b")
    with Scan(folder) as scan:
        assert scan.found == {}


def test_without_its_directories_a_folder_is_empty(folder):
    Path(folder.path / "new").rmdir()
    with Scan(folder) as scan:
        assert scan.found == {}
