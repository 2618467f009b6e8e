"""A database file that several processes begin to use at once."""

import sqlite3
import threading
from contextlib import closing

import pytest

from sievemda.errors import TemporaryTrouble
from sievemda.state import sqlite
from sievemda.state.sqlite import Database

SCHEMA = ("CREATE TABLE IF NOT EXISTS t (a)",)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


@pytest.fixture
def maker(path):
    """Somebody who is just making the file: SQLite refuses to turn it to WAL beside him, and does not wait."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE theirs (a)")
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_who_comes_while_another_makes_the_file_waits_for_him(path, maker, monkeypatch):
    monkeypatch.setattr(sqlite, "_BUSY", 60.0)
    tried = threading.Event()
    monkeypatch.setattr(sqlite.time, "sleep", lambda _seconds: tried.set())

    def finish():
        assert tried.wait(60)
        maker.execute("COMMIT")

    other = threading.Thread(target=finish)
    other.start()
    database = Database(path, SCHEMA)
    database.write("INSERT INTO t VALUES (:a)", [{"a": 1}])
    other.join()
    assert database.read("SELECT a FROM t", {}) == [(1,)]
    database.close()


def test_who_waits_in_vain_is_told_of_temporary_trouble(path, maker, monkeypatch):
    monkeypatch.setattr(sqlite, "_BUSY", 0.1)
    with pytest.raises(TemporaryTrouble, match="locked"):
        Database(path, SCHEMA).read("SELECT a FROM t", {})


def use(database):
    database.write("INSERT INTO t VALUES (:a)", [{"a": 1}])
    return len(database.read("SELECT a FROM t", {}))


def test_one_that_is_gone_is_not_made_anew_where_a_mark_says_that_it_was_there(tmp_path):
    path, mark = tmp_path / "state" / "file", tmp_path / "mark"
    database = Database(path, SCHEMA, mark=mark)
    assert use(database) == 1
    mark.touch()
    path.parent.rename(tmp_path / "away")
    for each in (database, Database(path, SCHEMA, mark=mark)):
        with pytest.raises(TemporaryTrouble, match="is gone"):
            use(each)
    assert not path.parent.exists()
    (tmp_path / "away").rename(path.parent)
    assert use(database) == 2
    database.close()


def test_one_that_we_had_is_not_made_anew_where_the_mark_has_gone_with_it(tmp_path):
    data = tmp_path / "data"
    database = Database(data / "state" / "file", SCHEMA, mark=data / "mark")
    assert use(database) == 1
    data.rename(tmp_path / "away")
    for mount_point in (False, True):
        if mount_point:
            data.mkdir()
        with pytest.raises(TemporaryTrouble, match="is gone"):
            use(database)
    assert list(data.iterdir()) == []
    data.rmdir()
    (tmp_path / "away").rename(data)
    assert use(database) == 2
    database.close()


def test_who_takes_the_mark_away_gets_a_new_one(tmp_path):
    path, mark = tmp_path / "state" / "file", tmp_path / "mark"
    database = Database(path, SCHEMA, mark=mark)
    use(database)
    for name in path.parent.iterdir():
        name.unlink()
    assert use(database) == 1
    database.close()
