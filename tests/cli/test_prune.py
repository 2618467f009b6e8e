"""`sievemda prune`: everything that is over goes, by kind, and nothing else."""

import json
import os
import re
import time

import pytest

from sievemda.state.journal import Journal
from sievemda.state.memory import Key, Memory, Record
from sievemda.state.versions import Bounds, Version, Versions, digest_of

DAY = 86400


@pytest.fixture
def site(call, tmp_path):
    """A site with something of every kind that is over, and something that is not."""
    data = tmp_path / "d"
    for name in ("user/alice", "user/alice/Old", "user/alice/Newer"):
        assert call("mailbox", "create", name)[0] == 0
    now = time.time()
    memory = Memory(data / "state" / "deliver.db")
    for kind, expires in (("delivered", -1), ("vacation", -1), ("vacation", DAY), ("redirect", DAY)):
        memory.remember([Record(Key(kind, f"<{kind}{expires}>", "box"), int(now + expires))], now - 10)
    memory.remember([Record(Key("delivered", "<5>", "box"), int(now + DAY))], now - 2 * DAY)
    memory.remember([Record(Key("delivered", "<annotated>", "box"), int(now + 90 * DAY))], now - 2 * DAY)
    memory.remember([Record(Key("vacation", "päckchen", "box"), int(now + 90 * DAY))], now - 2 * DAY)
    memory.close()
    journal = Journal(data / "state" / "journal.db")
    journal.record(
        {"id": "1", "time": now - 31 * DAY, "message_id": "<1>"}, {"id": "2", "time": now, "message_id": "2"}
    )
    journal.close()
    versions = Versions(data / "state" / "versions.db", Bounds())
    for number, instant in ((1, now - 91 * DAY), (2, now)):
        versions.begin(
            "alice",
            Version(number, int(instant), "begun", "put", "main", digest=digest_of(b"%d" % number)),
            b"%d" % number,
        )
    versions.close()
    stage = data / "mail" / "stage."
    outgoing = data / "spool" / "outbox" / "tmp"
    outgoing.mkdir(parents=True)
    for path in (stage / "left", outgoing / "left"):
        path.write_text("x")
        os.utime(path, (now - 3 * DAY, now - 3 * DAY))
    for path in (stage / "fresh", outgoing / "fresh"):
        path.write_text("x")
    call("mailbox", "delete", "--yes", "user/alice/Old")
    call("mailbox", "delete", "--yes", "user/alice/Newer")
    for entry in (data / "mail" / "deleted.").glob("*/entry"):
        content = json.loads(entry.read_text())
        if content["name"] == "user/alice/Old":
            entry.write_text(json.dumps(content | {"deleted": now - 8 * DAY}))
    return data


EXPECTED = {"delivered": 1, "vacation": 1, "journal": 1, "versions": 1, "deleted": 1, "stage": 1, "outbox": 1}


def snapshot(data):
    return {path: path.lstat().st_mtime_ns for path in data.rglob("*")}


def counts(out):
    return {kind: number for kind, number in json.loads(out)["removed"].items() if number}


def test_what_is_over_goes_and_a_second_run_finds_nothing(site, call):
    assert counts(call("prune", "--json")[1]) == EXPECTED
    assert call("prune")[:2] == (0, "nothing to remove\n")
    assert sorted(path.name for path in (site / "mail" / "stage.").iterdir()) == ["fresh"]
    assert sorted(path.name for path in (site / "spool" / "outbox" / "tmp").iterdir()) == ["fresh"]
    assert "user/alice/Newer" in call("mailbox", "deleted")[1]


def test_a_dry_run_changes_nothing_and_counts_the_same(site, call):
    before = snapshot(site)
    assert counts(call("prune", "--dry-run", "--json")[1]) == EXPECTED
    assert "1 deleted mailboxes would be removed" in call("prune", "-n")[1]
    assert snapshot(site) == before


def test_deliveries_are_forgotten_earlier_but_not_where_a_mailbox_says_how_long(site, call):
    assert counts(call("prune", "-E", "1", "--json")[1]) == EXPECTED | {"delivered": 2}
    left = call("prune", "--dump")[1]
    assert "<5>" not in left
    assert "<annotated>" in left
    assert "<redirect86400>" in left


@pytest.mark.usefixtures("site")
def test_the_memory_is_shown_as_ctl_deliver_shows_it(call, tmp_path):
    code, out, _ = call("prune", "--dump")
    first, *lines, last = out.splitlines()
    assert code == 0
    assert re.fullmatch(r"it is NOW: \d{10}", first)
    assert last == "got 7 entries"
    assert re.fullmatch(r"id: <5> {37}\tto: box {17}\tat: \d{10}\tuid: 0", next(row for row in lines if "<5>" in row))
    assert any(row.startswith("id: 70C3A4636B6368656E ") for row in lines)
    file = tmp_path / "dump"
    assert call("prune", "--dump", str(file))[:2] == (0, "")
    assert file.read_text().splitlines()[1:] == [*lines, last]


def test_another_database_is_shown(call, tmp_path):
    memory = Memory(tmp_path / "other.db")
    memory.remember([Record(Key("delivered", f"<{n}>", "box"), 5) for n in range(2500)], 1)
    memory.close()
    assert call("prune", "--dump", "-f", str(tmp_path / "other.db"))[1].count("\tat: 1\t") == 2500
    assert call("prune", "--dump", "-f", str(tmp_path / "no" / "other.db"))[0] == 67


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["-E", "soon"], "-E: 'soon' is not a time"),
        (["-E", "-1"], "is not a time"),
        (["-f", "x"], "-f goes with --dump"),
        (["--dump", "-", "--json"], "--dump only shows"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, error, call):
    code, out, err = call("prune", *arguments)
    assert (code, out) == (64, "")
    assert error in err


def test_what_cannot_be_used_does_not_keep_the_rest(site, call):
    (site / "state" / "journal.db").write_bytes(b"rubbish" * 1000)
    code, out, err = call("prune", "--json")
    assert code == 75
    assert "journal.db" in err
    assert counts(out) == {kind: number for kind, number in EXPECTED.items() if kind != "journal"}


def test_an_empty_site_has_nothing_to_prune_and_gets_no_database(call, tmp_path):
    assert call("prune")[:2] == (0, "nothing to remove\n")
    assert not (tmp_path / "d" / "state").exists()
