"""The journal on a real SQLite file."""

import logging

import pytest

from sievemda.state.journal import Journal


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "state" / "journal.db")
    yield journal
    journal.close()


def entry(id_="j1", message_id="<1@x>", time=1000.5, **more):
    return {"id": id_, "message_id": message_id, "time": time} | more


@pytest.mark.parametrize("wanted", ["<1@x>", "1@x", "j1"])
def test_an_entry_is_found_by_message_id_with_or_without_brackets_and_by_its_own_id(journal, wanted):
    journal.record(entry(text="ä ☃"))
    assert journal.find(wanted) == [entry(text="ä ☃")]


def test_entries_come_in_the_order_of_time(journal):
    journal.record(entry("b", time=2000), entry("a", time=3000))
    journal.record(entry("c", time=1000))
    assert [e["id"] for e in journal.find("1@x")] == ["c", "b", "a"]


def test_a_stranger_is_not_found(journal):
    journal.record(entry())
    assert journal.find("<2@x>") == []


@pytest.mark.parametrize("wanted", ["\udcff", "", "'; DROP TABLE journal; --", "x" * 100_000])
def test_any_text_can_be_asked_for(journal, wanted):
    journal.record(entry())
    assert journal.find(wanted) == []


def test_pruning_goes_by_age(journal):
    journal.record(entry("old", time=10), entry("new", time=20))
    assert journal.prune(10) == 1
    assert [e["id"] for e in journal.find("1@x")] == ["new"]


def test_text_that_is_not_unicode_does_no_harm(journal):
    journal.record(entry(text="\udcff"))
    assert journal.find("1@x")[0]["text"] == "\udcff"


def test_a_failing_journal_says_so_once_and_raises_nothing(tmp_path, caplog):
    path = tmp_path / "journal.db"
    path.write_bytes(b"rubbish" * 1000)
    journal = Journal(path)
    with caplog.at_level(logging.ERROR):
        for number in range(5):
            journal.record(entry(str(number)))
    journal.close()
    assert len(caplog.records) == 1
    assert path.read_bytes() == b"rubbish" * 1000
