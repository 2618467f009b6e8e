import errno
import os
import time

import pytest

from sievemda.errors import TemporaryTrouble
from sievemda.store.files import Cached, Dotlock, read_control_file, unique_name, write_atomically


def test_unique_names_are_unique_and_sort_by_second():
    names = [unique_name() for _ in range(1000)]
    assert len(set(names)) == 1000
    assert all(abs(int(name.split(".")[0]) - time.time()) < 60 for name in names)
    assert not any("/" in name or ":" in name for name in names)


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    write_atomically(tmp_path / "f", b"one", 0o600)
    write_atomically(tmp_path / "f", b"two", 0o600)
    assert (tmp_path / "f").read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_a_failed_replacement_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "f").mkdir()
    with pytest.raises(OSError):
        write_atomically(tmp_path / "f", b"two", 0o600)
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_a_control_file_that_is_too_large_is_an_error(tmp_path):
    (tmp_path / "f").write_bytes(b"x" * (1024 * 1024 + 1))
    with pytest.raises(OSError):
        read_control_file(tmp_path / "f")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "f")
    with pytest.raises(OSError):
        read_control_file(tmp_path / "f")


def test_a_lock_that_is_held_is_waited_for_and_then_given_up(tmp_path):
    with Dotlock(tmp_path / "f", 0o600), pytest.raises(TemporaryTrouble):
        Dotlock(tmp_path / "f", 0o600, patience=0.05).__enter__()


def test_a_lock_that_was_forgotten_is_broken(tmp_path):
    lock = tmp_path / "f.lock"
    lock.write_bytes(b"")
    os.utime(lock, (time.time() - 600, time.time() - 600))
    with Dotlock(tmp_path / "f", 0o600, patience=1) as held:
        held.replace(b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert not lock.exists()


def test_an_error_under_the_lock_releases_it_and_keeps_the_file(tmp_path):
    (tmp_path / "f").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), Dotlock(tmp_path / "f", 0o600):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_a_cached_file_is_parsed_again_when_it_changes(tmp_path):
    parsed = []
    cache = Cached(lambda _path, content: parsed.append(content) or content)
    path = tmp_path / "f"
    assert cache.get(str(path)) is None
    path.write_bytes(b"one")
    assert cache.get(str(path)) == b"one"
    assert cache.get(str(path)) == b"one"
    (tmp_path / "g").write_bytes(b"two")
    (tmp_path / "g").rename(path)
    assert cache.get(str(path)) == b"two"
    path.unlink()
    assert cache.get(str(path)) is None
    assert parsed == [None, b"one", b"two", None]


def test_a_cache_does_not_grow_without_bound(tmp_path):
    cache = Cached(lambda _path, content: content, size=10)
    for number in range(100):
        cache.get(str(tmp_path / str(number)))
    assert len(cache._known) == 10


def process_that_is_gone():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    return pid


def test_a_lock_says_who_holds_it(tmp_path):
    with Dotlock(tmp_path / "f", 0o600) as held:
        assert (tmp_path / "f.lock").read_text() == f"{os.getpid()}:{os.uname().nodename}"
        held.replace(b"new")
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_lock_of_a_process_that_is_gone_is_broken_at_once(tmp_path):
    (tmp_path / "f.lock").write_text(f"{process_that_is_gone()}:{os.uname().nodename}")
    with Dotlock(tmp_path / "f", 0o600, patience=0.05) as held:
        held.replace(b"new")
    assert (tmp_path / "f").read_bytes() == b"new"


@pytest.mark.parametrize(
    "content", ["{gone}:another.host", "{gone}", "", "{gone}:", "x:{host}", "{me}:{host}", "1:{host}\n"]
)
def test_a_lock_that_somebody_may_hold_is_respected(tmp_path, content):
    text = content.format(gone=process_that_is_gone(), me=os.getpid(), host=os.uname().nodename)
    (tmp_path / "f.lock").write_text(text)
    with pytest.raises(TemporaryTrouble):
        Dotlock(tmp_path / "f", 0o600, patience=0.05).__enter__()
    assert (tmp_path / "f.lock").read_text() == text


def test_a_lock_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "f.lock")
    with pytest.raises(TemporaryTrouble):
        Dotlock(tmp_path / "f", 0o600, patience=0.05).__enter__()


def test_a_lock_that_finds_no_room_on_the_disk_is_not_left_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError):
        Dotlock(tmp_path / "f", 0o600).__enter__()
    assert list(tmp_path.iterdir()) == []
