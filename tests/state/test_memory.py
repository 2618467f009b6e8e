"""The delivery memory on a real SQLite file."""

import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from sievemda.errors import TemporaryTrouble
from sievemda.state.memory import Key, Memory, Record

NOW = 1_800_000_000
KEY = Key("delivered", "<1@x>", "box", "Sat, 21 Nov 2026 10:00:00 +0000")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "deliver.db"


@pytest.fixture
def memory(path):
    memory = Memory(path)
    yield memory
    memory.close()


def test_what_was_never_done_is_not_seen(memory):
    assert not memory.seen(KEY, NOW)


def test_what_is_remembered_is_seen(memory):
    memory.remember([Record(KEY, NOW + 10)], NOW)
    assert memory.seen(KEY, NOW)


@pytest.mark.parametrize(
    "other",
    [
        Key("delivered", "<2@x>", KEY.place, KEY.date),
        Key("delivered", KEY.id, "other box", KEY.date),
        Key("delivered", KEY.id, KEY.place, "another date"),
        Key("redirect", KEY.id, KEY.place, KEY.date),
        Key("delivered", KEY.id + " ", KEY.place, KEY.date),
        Key("delivered", "<1@X>", KEY.place, KEY.date),
    ],
)
def test_every_part_of_the_key_counts(memory, other):
    memory.remember([Record(KEY, NOW + 10)], NOW)
    assert not memory.seen(other, NOW)


def test_a_record_ends_at_its_instant(memory):
    memory.remember([Record(KEY, NOW + 10)], NOW)
    assert memory.seen(KEY, NOW + 9)
    assert not memory.seen(KEY, NOW + 10)


def test_remembering_again_prolongs(memory):
    memory.remember([Record(KEY, NOW + 10)], NOW)
    memory.remember([Record(KEY, NOW + 100)], NOW + 5)
    assert memory.seen(KEY, NOW + 50)


def test_forgetting_undoes(memory):
    memory.remember([Record(KEY, NOW + 10)], NOW)
    memory.forget(KEY)
    assert not memory.seen(KEY, NOW)


def test_pruning_drops_only_what_has_expired(memory):
    memory.remember([Record(KEY, NOW + 10), Record(Key("vacation", "k", "alice"), NOW + 1000)], NOW)
    assert memory.prune(NOW + 10) == 1
    assert memory.seen(Key("vacation", "k", "alice"), NOW + 10)


def test_pruning_takes_everything_however_far_apart(memory):
    memory.remember([Record(Key("delivered", str(n), ""), NOW + n * 10_000) for n in range(50)], NOW)
    assert memory.prune(NOW + 39 * 10_000) == 40
    assert memory.prune(NOW + 39 * 10_000) == 0


def test_many_records_are_remembered_or_none(memory):
    bad = Record(Key("delivered", "x", "y", None), NOW)
    with pytest.raises((TemporaryTrouble, AttributeError)):
        memory.remember([Record(KEY, NOW + 10), bad], NOW)
    assert not memory.seen(KEY, NOW)


@pytest.mark.parametrize("text", ["x" * 100_000, "\udcff\udc80", "a\nb", "", "ä" * 600, "'; DROP TABLE memory; --"])
def test_any_text_can_be_a_key(memory, text):
    key = Key("delivered", text, text, text)
    memory.remember([Record(key, NOW + 10)], NOW)
    assert memory.seen(key, NOW)


def test_long_texts_that_differ_at_the_end_are_different(memory):
    memory.remember([Record(Key("delivered", "x" * 1000 + "a", ""), NOW + 10)], NOW)
    assert not memory.seen(Key("delivered", "x" * 1000 + "b", ""), NOW)


def test_another_process_sees_it(memory, path):
    memory.remember([Record(KEY, NOW + 10)], NOW)
    code = f"""
from pathlib import Path
from sievemda.state.memory import Key, Memory
memory = Memory(Path({str(path)!r}))
print(memory.seen({KEY!r}, {NOW}))
memory.close()
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True).stdout == "True\n"


def test_a_child_of_a_fork_gets_a_connection_of_its_own(memory):
    memory.remember([Record(KEY, NOW + 10)], NOW)
    pid = os.fork()
    if pid == 0:
        try:
            memory.remember([Record(Key("delivered", "child", ""), NOW + 10)], NOW)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert memory.seen(Key("delivered", "child", ""), NOW)
    assert memory.seen(KEY, NOW)


def test_the_file_is_for_its_owner_alone(memory, path):
    memory.seen(KEY, NOW)
    assert path.stat().st_mode & 0o777 == 0o600


# --- trouble ---


def test_a_damaged_file_is_trouble_and_stays_as_it_is(path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 1000)
    memory = Memory(path)
    with pytest.raises(TemporaryTrouble):
        memory.seen(KEY, NOW)
    with pytest.raises(TemporaryTrouble):
        memory.remember([Record(KEY, NOW)], NOW)
    memory.close()
    assert path.read_bytes() == b"this is no database" * 1000


def test_a_repaired_file_is_used_again_without_a_restart(path):
    path.parent.mkdir()
    path.write_bytes(b"this is no database" * 1000)
    memory = Memory(path)
    with pytest.raises(TemporaryTrouble):
        memory.seen(KEY, NOW)
    path.unlink()
    memory.remember([Record(KEY, NOW + 10)], NOW)
    assert memory.seen(KEY, NOW)
    memory.close()


def test_a_directory_in_its_place_is_trouble(path):
    path.mkdir(parents=True)
    memory = Memory(path)
    with pytest.raises(TemporaryTrouble):
        memory.seen(KEY, NOW)
    memory.close()


def test_a_file_that_somebody_else_keeps_locked_is_trouble_in_bounded_time(memory, path, monkeypatch):
    monkeypatch.setattr("sievemda.state.sqlite._BUSY", 0.1)
    memory.seen(KEY, NOW)
    memory.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TemporaryTrouble, match="locked"):
        memory.remember([Record(KEY, NOW)], NOW)
    other.execute("ROLLBACK")
    other.close()
    memory.remember([Record(KEY, NOW + 10)], NOW)
    assert memory.seen(KEY, NOW)


@pytest.mark.parametrize("suffixes", [("",), ("", "-wal", "-shm")])
def test_a_removed_file_is_noticed_while_running(memory, path, suffixes):
    memory.remember([Record(KEY, NOW + 10)], NOW)
    for suffix in suffixes:
        path.with_name(path.name + suffix).unlink()
    assert not memory.seen(KEY, NOW)
    memory.remember([Record(KEY, NOW + 10)], NOW)
    assert path.exists()
    assert memory.seen(KEY, NOW)


def test_a_replaced_file_is_noticed_while_running(memory, path, tmp_path):
    other = Memory(tmp_path / "other.db")
    other.remember([Record(KEY, NOW + 10)], NOW)
    other.close()
    assert not memory.seen(KEY, NOW)
    for suffix in ("-wal", "-shm"):  # they belong to the old file
        path.with_name(path.name + suffix).unlink()
    (tmp_path / "other.db").replace(path)
    assert memory.seen(KEY, NOW)


def test_threads_share_it(memory):
    def work(number):
        for i in range(50):
            memory.remember([Record(Key("delivered", f"{number}.{i}", ""), NOW + 10)], NOW)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(memory.seen(Key("delivered", f"{n}.{i}", ""), NOW) for n in range(4) for i in range(50))
