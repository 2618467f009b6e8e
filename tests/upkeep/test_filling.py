"""Putting many messages into one folder."""

import errno
import os
import signal

import pytest

from sievemda.errors import StoreTrouble, TemporaryTrouble
from sievemda.mail.carried import Carried, of_octets, with_lf
from sievemda.policy.quota import Limits, OverQuota
from sievemda.store.message_list import stored
from sievemda.upkeep import filling
from sievemda.upkeep.filling import Filling


def one(text, **more):
    return Carried(of_octets(text.encode() if isinstance(text, str) else text), **more)


def texts(box):
    return sorted(each.file.read_text() for each in stored(box))


@pytest.fixture
def box(mailbox):
    return mailbox("user/alice/In")


def fill(box, *messages, **options):
    with Filling(box, **options) as work:
        return [work.add(message) for message in messages]


# -- what arrives ------------------------------------------------------------------------------------------------------


def test_a_message_has_its_flags_its_date_and_lf_line_ends(box):
    [file] = fill(box, one("A: b\r\n\r\nc\r\n", flags=("\\Seen", "work"), arrived=86400.5))
    assert file.parent.name == "cur"
    assert file.name.endswith(",S=8,W=11:2,Sa")
    assert (file.read_bytes(), file.stat().st_mtime) == (b"A: b\n\nc\n", 86400.5)


@pytest.mark.parametrize(
    ("new", "flags", "part", "info"),
    [
        (True, (), "new", ""),
        (False, (), "cur", ":2,"),
        (True, ("\\Flagged",), "cur", ":2,F"),
    ],
)
def test_only_what_nobody_has_seen_is_new(box, new, flags, part, info):
    [file] = fill(box, one("x", new=new, flags=flags))
    assert (file.parent.name, file.name.partition(":")[1] + file.name.partition(":")[2]) == (part, info)


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([b"a\r", b"\nb"], b"a\nb"),
        ([b"a\r", b"\rb\r"], b"a\r\rb\r"),
        ([b"a\r\n", b"\r\n"], b"a\n\n"),
        ([b"", b"\r", b"", b"\n"], b"\n"),
    ],
)
def test_line_ends_are_found_across_pieces(pieces, whole):
    assert b"".join(with_lf(pieces)) == whole


def test_a_message_larger_than_what_is_kept_in_memory_arrives_whole(box):
    pieces = [b"x" * 999 + b"\r\n"] * 2000
    [file] = fill(box, Carried(lambda: iter(pieces)))
    assert file.read_bytes() == b"".join(pieces).replace(b"\r\n", b"\n")


def test_messages_keep_their_order(box):
    files = fill(box, *(one(f"{n}") for n in range(50)))
    assert sorted(files, key=lambda file: file.name) == files


def test_messages_have_the_order_of_their_places_whenever_they_come(box):
    with Filling(box) as work:
        files = {place: work.add(one(f"{place}\n\n"), place) for place in (2, 0, 70_000, 1)}
        files[70_001] = work.add(one("last\n\n"))
    assert len({file.name for file in files.values()}) == 5
    by_name = sorted((0, 1, 2, 70_000), key=lambda place: files[place].name)
    assert by_name == [0, 1, 2, 70_000]


def test_keywords_without_room_are_counted(box):
    words = [f"k{n}" for n in range(28)]
    with Filling(box) as work:
        for text in ("a", "b"):
            work.add(one(text, flags=tuple(words)))
    assert work.lost == {"k26": 2, "k27": 2}
    assert [each.flags for each in stored(box)] == [tuple(words[:26])] * 2


# -- what is there already ---------------------------------------------------------------------------------------------


def test_what_was_put_in_is_not_put_in_again(box):
    messages = [one("same"), one("same"), one("also"), one("other one")]
    fill(box, *messages)
    assert fill(box, *messages) == [None] * 4
    assert texts(box) == ["also", "other one", "same", "same"]


def test_what_is_missing_of_equal_messages_is_put_in(box):
    fill(box, one("same"))
    assert fill(box, one("same"), one("same"))[0] is None
    assert texts(box) == ["same", "same"]


def test_a_message_that_lies_there_with_crlf_is_known(box):
    (box.path / "cur" / "1.x,S=6,W=6:2,S").write_bytes(b"a\r\nb\r\n")
    assert fill(box, one("a\nb\n")) == [None]


def test_a_message_that_a_reader_moves_meanwhile_is_known(box):
    [file] = fill(box, one("x", new=True))
    with Filling(box) as work:
        file.rename(box.path / "cur" / f"{file.name}:2,S")
        assert work.add(one("x")) is None


def test_again_puts_in_what_is_there(box):
    fill(box, one("x"))
    fill(box, one("x"), again=True)
    assert texts(box) == ["x", "x"]


# -- stopped -----------------------------------------------------------------------------------------------------------


def test_what_came_before_an_error_is_in_the_folder(box):
    def broken():
        yield b"half"
        raise OSError(errno.EIO, "bad disk")

    with pytest.raises(OSError, match="bad disk"):
        fill(box, one("whole"), Carried(broken))
    assert texts(box) == ["whole"]
    assert not list((box.path / "tmp").iterdir())


def test_one_who_is_killed_leaves_nothing_half_and_the_next_goes_on(box, monkeypatch):
    monkeypatch.setattr(filling, "BATCH", 2)
    child = os.fork()
    if not child:
        work = Filling(box).__enter__()
        for n in range(3):
            work.add(one(f"message {n}"))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert texts(box) == ["message 0", "message 1"]
    assert len(list((box.path / "tmp").iterdir())) == 1
    fill(box, *(one(f"message {n}") for n in range(4)))
    assert texts(box) == [f"message {n}" for n in range(4)]
    assert not list((box.path / "tmp").iterdir())


def test_on_a_full_disk_what_is_whole_is_kept(box, monkeypatch):
    real = os.write

    def full(fd, data):
        if bytes(data) == b"too much":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreTrouble, match=r"file 2: .*No space left on device; 1 messages are in place: make room"):
        fill(box, one("fits"), one("too much", where="file 2"))
    assert texts(box) == ["fits"]
    assert not list((box.path / "tmp").iterdir())


def test_two_do_not_fill_one_folder_at_once(box):
    with Filling(box), pytest.raises(TemporaryTrouble, match="somebody else is putting"), Filling(box, patience=0):
        pass


def test_a_folder_that_has_gone_is_told_and_followed(store, box):
    told = []

    def move_while_filled():
        with Filling(box, missed=told.append) as work:
            work.add(one("x"))
            box.path.rename(box.path.with_name(".Elsewhere"))

    with pytest.raises(TemporaryTrouble, match="moved or deleted meanwhile"):
        move_while_filled()
    assert told == [box.name]
    assert texts(store.find(box.name.parent.child("Elsewhere"))) == ["x"]


# -- quota -------------------------------------------------------------------------------------------------------------


def test_a_batch_is_counted_once(store, box):
    root = store.make_root(store.find(box.name.parent))
    root.set_limits(Limits(storage=1000))
    before = (root.path / "maildirsize").read_text()
    fill(box, one("12345"), one("1234"))
    assert (root.path / "maildirsize").read_text() == f"{before}9 2\n"


def test_a_quota_is_not_filled_beyond_its_limit(store, box):
    root = store.make_root(store.find(box.name.parent))
    root.set_limits(Limits(storage=10))
    with pytest.raises(OverQuota, match=r"m3: .* has no room for it by its quota; 2 messages are in place"):
        fill(box, one("12345"), one("1234"), one("12", where="m3"))
    assert texts(box) == ["1234", "12345"]
    assert root.usage(fresh=True).storage == 9


def test_whoever_says_so_goes_beyond_the_quota_and_is_counted(store, box):
    root = store.make_root(store.find(box.name.parent))
    root.set_limits(Limits(messages=1))
    fill(box, one("a"), one("b"), ignore_quota=True)
    assert root.usage().messages == 2
