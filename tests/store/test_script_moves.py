"""Scripts that are changed while their home goes to another file system."""

import threading
from contextlib import ExitStack

import pytest

from sievemda.errors import SievemdaError, TemporaryTrouble
from sievemda.store import crossing, journey, script_moves, scripts
from sievemda.store.names import MailboxName
from sievemda.store.scripts import ScriptStore

ALICE = MailboxName("alice")


@pytest.fixture
def home(store, mailbox):
    mailbox("user/alice")
    own = ScriptStore(store.home("alice"))
    own.put("main", b"keep;")
    own.activate("main")
    return store.home("alice")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(scripts, "LOCK_PATIENCE", 0.1)


def move(store, monkeypatch, before_it_is_seen):
    """To partition `two` by copying; what is done before the copy is in place."""
    put_in_place = crossing._put_in_place

    def put(*arguments):
        before_it_is_seen()
        put_in_place(*arguments)

    monkeypatch.setattr(journey, "transfer", crossing.copy)
    monkeypatch.setattr(crossing, "_put_in_place", put)
    store.rename(ALICE, ALICE, partition="two")


def test_what_changes_after_the_copy_is_in_it_before_anybody_sees_it(store, home, monkeypatch, tmp_path):
    copy_directory = crossing.copy_directory

    def copied(source, target):
        copy_directory(source, target)
        own = ScriptStore(home)
        own.put("other", b"stop;")
        own.rename("main", "renamed")
        own.activate("other")

    monkeypatch.setattr(crossing, "copy_directory", copied)
    seen = []
    monkeypatch.setattr(crossing.leftovers, "leave", lambda *_, **__: seen.append(ScriptStore(there).everything()))
    there = tmp_path / "two" / "user" / "alice"
    monkeypatch.setattr(journey, "transfer", crossing.copy)
    store.rename(ALICE, ALICE, partition="two")
    assert seen == [({"other": b"stop;", "renamed": b"keep;"}, ("other",))]


def test_nobody_changes_them_between_that_and_the_end(store, home, monkeypatch, impatient):
    """Neither where they were nor where they will be; who has waited is told to come again."""
    said = []

    def change():
        with pytest.raises(TemporaryTrouble) as caught:
            ScriptStore(home).put("main", b"discard;")
        said.append(str(caught.value))

    move(store, monkeypatch, change)
    assert "locked" in said[0]
    own = ScriptStore(store.home("alice"))
    assert own.everything() == ({"main": b"keep;"}, ("main",))
    own.put("main", b"stop;")
    assert own.get("main") == b"stop;"


def test_who_has_waited_until_they_were_gone_changes_nothing(store, home, monkeypatch):
    waiting, failed = threading.Event(), []
    locked_within = scripts.locked_within

    def wait(*arguments):
        waiting.set()
        return locked_within(*arguments)

    def change():
        try:
            ScriptStore(home).put("main", b"discard;")
        except SievemdaError as error:
            failed.append(error)

    def begin():
        monkeypatch.setattr(scripts, "locked_within", wait)
        thread.start()
        assert waiting.wait(60)

    thread = threading.Thread(target=change)
    move(store, monkeypatch, begin)
    thread.join(60)
    assert len(failed) == 1
    assert ScriptStore(store.home("alice")).everything() == ({"main": b"keep;"}, ("main",))


def test_a_home_without_scripts_is_brought_as_it_is(store, mailbox, tmp_path):
    mailbox("user/alice")
    with ExitStack() as held:
        script_moves.bring(store.home("alice"), tmp_path / "nowhere", held)
    assert not (tmp_path / "nowhere").exists()
