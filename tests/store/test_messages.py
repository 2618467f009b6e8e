import shutil
import tempfile
from pathlib import Path

import pytest

from sievemda.store import messages


@pytest.fixture
def lists(store, mailbox):
    return mailbox("user/alice/Lists")


def put(mailbox, name, part="cur"):
    file = mailbox.path / part / name
    file.write_bytes(b"Subject: x\n\nbody\n")
    return file


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("new", "1.M1P1.host,S=17,W=20"),
        ("cur", "1.M1P1.host,S=17,W=20:2,"),
        ("cur", "1.M1P1.host:2,S"),
        ("cur", "1.M1P1.host"),
    ],
)
def test_a_message_is_found_whatever_its_name_says_beside(lists, part, name):
    put(lists, "1.M1P1.host2,S=17:2,S")
    file = put(lists, name, part)
    assert messages.unique_part(name) == "1.M1P1.host"
    assert messages.locate(lists, "1.M1P1.host") == file


def test_one_that_is_not_there_is_not_found(lists):
    put(lists, "1.M1P1.host2:2,")
    assert messages.locate(lists, "1.M1P1.host") is None


def test_flags_are_read_from_the_name(lists):
    (lists.path / "dovecot-keywords").write_text("0 $Work\n2 later\n")
    file = put(lists, "1.M1P1.host:2,FRSabc")
    assert messages.flags_of(lists, file) == ("\\Flagged", "\\Answered", "\\Seen", "$Work", "later")


def test_setting_flags_keeps_what_is_no_flag_of_ours(lists):
    file = put(lists, "1.M1P1.host,S=17:2,PS")
    new = messages.set_flags(lists, file, ("\\Deleted", "$New"))
    assert new.name == "1.M1P1.host,S=17:2,PTa"
    assert not file.exists()


def test_a_message_with_flags_is_no_new_one(lists):
    new = messages.set_flags(lists, put(lists, "1.M1P1.host,S=17", "new"), ("\\Seen",))
    assert new.parent.name == "cur"


def test_a_message_is_found_by_its_uid(lists):
    file = put(lists, "1.M1P1.host,S=17:2,S")
    uidlist = "3 V1795320137 N9 Ga10f2e244869026bcf68000083ecc375\n5 :0.M1P1.gone\n8 W20 :1.M1P1.host,S=17\n"
    (lists.path / "dovecot-uidlist").write_text(uidlist)
    assert messages.by_uid(lists, 8) == file
    assert messages.by_uid(lists, 5) is None
    assert messages.by_uid(lists, 3) is None


def test_a_move_keeps_size_time_and_content(store, mailbox, lists):
    file = put(lists, "1.M1P1.host,S=17,W=20:2,S")
    arrived = file.stat().st_mtime_ns
    target = mailbox("user/alice/Other")
    new = messages.move(store, lists, file, target, ("\\Flagged",))
    assert new.name.endswith(",S=17,W=20:2,F")
    assert new.stat().st_mtime_ns == arrived
    assert new.read_bytes() == b"Subject: x\n\nbody\n"
    assert messages.locate(lists, "1.M1P1.host") is None


def test_a_message_that_is_gone_cannot_be_moved(store, mailbox, lists):
    with pytest.raises(FileNotFoundError):
        messages.move(store, lists, lists.path / "cur" / "1.M1P1.host:2,S", mailbox("user/alice/Other"), ())


@pytest.fixture
def elsewhere():
    """A directory on another file system than that of temporary files."""
    path = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield path
    shutil.rmtree(path)


def test_to_another_file_system_it_is_copied(site, tmp_path, elsewhere):
    store = site(store={"partitions": {"default": tmp_path / "mail", "two": elsewhere}})
    parse = store.namespace.parse_admin
    store.create(parse("user/alice"))
    source, target = store.create(parse("user/alice/A")), store.create(parse("user/alice/B"), partition="two")
    file = put(source, "1.M1P1.host,S=17,W=20:2,S")
    arrived = file.stat().st_mtime_ns
    new = messages.move(store, source, file, target, ("\\Flagged", "$Work"))
    assert new.stat().st_dev != source.path.stat().st_dev
    assert new.read_bytes() == b"Subject: x\n\nbody\n"
    assert new.stat().st_mtime_ns == arrived
    assert messages.flags_of(target, new) == ("\\Flagged", "$Work")
    assert not file.exists()
    assert list((elsewhere / "stage.").iterdir()) == []
