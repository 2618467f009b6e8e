import errno
import mmap
import os
import time
from pathlib import Path

import pytest

from sievemda.policy.quota import Limits
from sievemda.store.maildir import contents

MESSAGE = b"Subject: x\n\nbody\n"


def stage_files(store, partition="default"):
    return sorted(path.name for path in store.layout.stage(partition).iterdir())


def messages(box):
    return sorted(f"{path.parent.name}/{path.name}" for part in ("new", "cur") for path in (box.path / part).iterdir())


def test_sizes_are_those_of_the_file_and_of_the_message_with_crlf(store):
    staged = store.stage("default", [MESSAGE[:5], memoryview(MESSAGE)[5:9], bytearray(MESSAGE[9:])])
    assert staged.path.read_bytes() == MESSAGE
    assert (staged.size, staged.vsize) == (17, 20)


def test_a_large_message_in_blocks_is_staged_whole(store, tmp_path):
    content = (b"x" * 99 + b"\n") * 50_000
    (tmp_path / "large").write_bytes(content)
    with (tmp_path / "large").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        staged = store.stage("default", [mapped])
    assert staged.path.read_bytes() == content
    assert staged.vsize == len(content) + 50_000


def test_a_message_without_flags_goes_to_new_with_its_sizes_in_its_name(store, mailbox):
    path = store.stage("default", [MESSAGE]).deliver(mailbox("user/alice"), last=True)
    assert path.parent == mailbox("user/alice").path / "new"
    assert path.name.endswith(",S=17,W=20")
    assert path.read_bytes() == MESSAGE
    assert stage_files(store) == []


def test_a_message_with_flags_goes_to_cur_with_its_letters_sorted(store, mailbox):
    path = store.stage("default", [MESSAGE]).deliver(mailbox("user/alice"), ("$Work", "\\Seen", "\\Flagged"), last=True)
    assert path.parent.name == "cur"
    assert path.name.endswith(",S=17,W=20:2,FSa")
    assert path.exists()


def test_flags_that_are_none_leave_the_message_new(store, mailbox):
    path = store.stage("default", [MESSAGE]).deliver(mailbox("user/alice"), ("\\Recent", "a b"), last=True)
    assert path.parent.name == "new"


def test_recipients_on_one_partition_share_one_file(store, mailbox):
    staged = store.stage("default", [MESSAGE])
    first = staged.deliver(mailbox("user/alice"))
    second = staged.deliver(mailbox("user/bob"))
    third = staged.deliver(mailbox("board"), last=True)
    assert first.stat().st_ino == second.stat().st_ino == third.stat().st_ino
    assert first.stat().st_nlink == 3
    assert stage_files(store) == []


def test_one_message_may_go_twice_into_one_folder(store, mailbox):
    staged = store.stage("default", [MESSAGE])
    assert staged.deliver(mailbox("user/alice")) != staged.deliver(mailbox("user/alice"), last=True)
    assert len(messages(mailbox("user/alice"))) == 2


def test_without_single_instances_every_recipient_has_his_own_file(site):
    store = site(store={"singleinstancestore": False})
    boxes = [store.create(store.namespace.parse_admin(name)) for name in ("user/alice", "user/bob")]
    staged = store.stage("default", [MESSAGE])
    paths = [staged.deliver(boxes[0]), staged.deliver(boxes[1], last=True)]
    assert [path.stat().st_nlink for path in paths] == [1, 1]
    assert [path.read_bytes() for path in paths] == [MESSAGE, MESSAGE]
    assert not any(path for box in boxes for path in (box.path / "tmp").iterdir())


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EMLINK])
@pytest.mark.parametrize("last", [False, True])
def test_where_a_link_is_impossible_the_message_is_copied(store, mailbox, monkeypatch, code, last):
    staged, box = store.stage("default", [MESSAGE]), mailbox("user/alice")
    real = os.rename

    def fail(source, target, **more):
        if "stage." in str(source):
            raise OSError(code, os.strerror(code))
        real(source, target, **more)

    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(os, "rename", fail)
    path = staged.deliver(box, last=last)
    assert path.read_bytes() == MESSAGE
    assert list((box.path / "tmp").iterdir()) == []
    staged.discard()
    assert stage_files(store) == []


def test_what_a_client_has_removed_of_a_folder_is_made_again(store, mailbox):
    box = mailbox("user/alice/Lists")
    (box.path / "new").rmdir()
    (box.path / "tmp").rmdir()
    assert store.stage("default", [MESSAGE]).deliver(box, last=True).exists()


def test_a_folder_that_has_gone_is_an_error_and_the_message_stays_staged(store, mailbox):
    box = mailbox("user/alice/Lists")
    store.delete(box.name)
    staged = store.stage("default", [MESSAGE])
    with pytest.raises(FileNotFoundError):
        staged.deliver(box, last=True)
    assert staged.path.read_bytes() == MESSAGE


def test_a_link_in_place_of_new_is_not_followed(store, mailbox, tmp_path):
    box = mailbox("user/alice/Lists")
    (tmp_path / "outside").mkdir()
    (box.path / "new").rmdir()
    (box.path / "new").symlink_to(tmp_path / "outside")
    staged = store.stage("default", [MESSAGE])
    with pytest.raises(OSError):
        staged.deliver(box, last=True)
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_leaves_no_half_message(store, monkeypatch, code):
    def fail(_fd, _block):
        raise OSError(code, os.strerror(code))

    store.stage("default", [MESSAGE]).discard()
    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(OSError) as caught:
        store.stage("default", [MESSAGE])
    assert caught.value.errno == code
    assert stage_files(store) == []


def test_a_write_that_is_cut_short_is_continued(store, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, block: real(fd, bytes(block)[:3]))
    assert store.stage("default", [MESSAGE]).path.read_bytes() == MESSAGE


def test_message_and_folder_are_synced_before_the_delivery_counts(store, mailbox, monkeypatch):
    synced = []
    real_data, real_sync = os.fdatasync, os.fsync

    def note(fd, real):
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        real(fd)

    box = mailbox("user/alice")
    store.spool_path("default")
    monkeypatch.setattr(os, "fdatasync", lambda fd: note(fd, real_data))
    monkeypatch.setattr(os, "fsync", lambda fd: note(fd, real_sync))
    staged = store.stage("default", [MESSAGE])
    assert synced == [str(staged.path)]
    staged.deliver(box, last=True)
    assert synced[1:] == [str(box.path / "new")]


def test_a_finished_spool_file_is_adopted(store, mailbox):
    path = store.spool_path("default")
    path.write_bytes(MESSAGE)
    staged = store.adopt("default", path)
    assert (staged.size, staged.vsize) == (17, 20)
    assert store.adopt("default", path, vsize=20).size == 17
    assert staged.deliver(mailbox("user/alice"), last=True).read_bytes() == MESSAGE


def test_modes_are_those_of_the_settings(site):
    store = site(store={"message_mode": 0o640, "folder_mode": 0o750})
    box = store.create(store.namespace.parse_admin("user/alice"))
    path = store.stage("default", [MESSAGE]).deliver(box, last=True)
    assert path.stat().st_mode & 0o777 == 0o640
    assert box.path.stat().st_mode & 0o777 == 0o750
    assert (box.path / "new").stat().st_mode & 0o777 == 0o750
    assert (box.path / "dovecot-acl").stat().st_mode & 0o777 == 0o640


def test_what_crashed_deliveries_left_is_removed_when_it_is_old(store):
    old, fresh = store.stage("default", [MESSAGE]), store.stage("two", [MESSAGE])
    os.utime(old.path, (time.time() - 7200, time.time() - 7200))
    assert store.clean_stage(3600) == 1
    assert not old.path.exists()
    assert fresh.path.exists()


def test_cleaning_a_partition_that_was_never_used_is_nothing(store):
    assert store.clean_stage(0) == 0


def test_a_delivery_into_another_partition_is_seen_there(store, mailbox):
    mailbox("user/alice")
    box = store.create(store.namespace.parse_admin("user/alice/Far"), partition="two")
    assert box.partition == "two"
    path = store.stage("two", [MESSAGE]).deliver(box, last=True)
    assert path.is_relative_to(store.layout.partitions["two"])
    assert (store.find(store.namespace.parse_admin("user/alice")).path / ".Far" / "new" / path.name).exists()


def test_a_delivery_adds_its_line_to_maildirsize(store, mailbox):
    inbox = mailbox("user/alice")
    lists = mailbox("user/alice/Lists")
    store.make_root(inbox).set_limits(Limits(messages=10))
    staged = store.stage("default", [MESSAGE])
    staged.deliver(inbox)
    staged.deliver(lists, ("\\Seen",), last=True)
    assert (inbox.path / "maildirsize").read_text() == "10C\n0 0\n17 1\n17 1\n"


def test_a_folder_that_was_on_its_way_is_never_removed_and_a_copy_only_when_nobody_is_at_it(store, monkeypatch):
    stage = store.stage("default", [MESSAGE]).path.parent
    for name in ("moved.1", "new.1"):
        (stage / name / "cur").mkdir(parents=True)
        os.utime(stage / name, (0, 0))
    store.clean_stage(0)
    assert (stage / "new.1").exists()
    later = time.time() + 30 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    store.clean_stage(0)
    assert [path.name for path in stage.iterdir()] == ["moved.1"]


def test_a_directory_where_messages_are_counts_as_none(mailbox):
    box = mailbox("user/alice")
    (box.path / "cur" / "1700000000.M1P1.h,S=99:2,S").mkdir()
    assert contents(box.path) == (0, 0)
