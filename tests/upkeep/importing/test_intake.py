"""Messages with numbers come once, in however many runs."""

import errno
import json

import pytest

from sievemda.config import Settings
from sievemda.errors import StoreTrouble
from sievemda.mail.carried import Carried, of_octets
from sievemda.store.mailstore import MailStore
from sievemda.upkeep import filling
from sievemda.upkeep.filling import Filling
from sievemda.upkeep.importing import intake as module
from sievemda.upkeep.importing.intake import BATCH, FILE_NAME, Intake, come_from

SOURCE = "imap://alice@old/INBOX"


@pytest.fixture
def inbox(tmp_path):
    store = MailStore(Settings(data=tmp_path))
    return store.create(store.namespace.parse_admin("user/alice"))


def carried(text="x"):
    return Carried(of_octets(f"Subject: {text}\n\n{text}\n".encode()))


def files(mailbox):
    return [path for part in ("new", "cur") for path in (mailbox.path / part).iterdir()]


def notes(mailbox):
    return json.loads((mailbox.path / FILE_NAME).read_text())


def test_what_has_come_is_known_in_the_next_run(inbox):
    with Intake(inbox, SOURCE, "1") as intake:
        assert intake.is_first
        for number in (1, 2, 5):
            intake.add(number, carried())
    with Intake(inbox, SOURCE, "1") as intake:
        assert [number for number in range(1, 7) if intake.has(number)] == [1, 2, 5]
        assert not intake.is_first
    assert str(come_from(inbox, SOURCE, "1")) == "1:2,5"


def test_equal_messages_are_as_many_as_they_were(inbox):
    for number in (1, 2, 3):
        with Intake(inbox, SOURCE, "1") as intake:
            intake.add(number, carried())
    assert len(files(inbox)) == 3


def test_another_validity_makes_the_numbers_mean_nothing(inbox):
    for validity in ("1", "2"):
        with Intake(inbox, SOURCE, validity) as intake:
            assert not intake.has(1)
            intake.add(1, carried())
    assert len(files(inbox)) == 1  # its content was compared
    assert notes(inbox)[SOURCE]["validity"] == "2"


def test_what_was_deleted_here_does_not_come_back(inbox):
    with Intake(inbox, SOURCE, "1") as intake:
        intake.add(1, carried())
    files(inbox)[0].unlink()
    with Intake(inbox, SOURCE, "1") as intake:
        assert intake.has(1)


class Killed(BaseException):
    pass


def kill(intake, monkeypatch, where):
    """Have it die before or after a batch is put in place, with nothing done at the end."""
    filling = intake._filling
    flush = filling.flush

    def die():
        if where == "after":
            flush()
        raise Killed

    monkeypatch.setattr(filling, "flush", die)
    with pytest.raises(Killed):
        intake.flush()
    filling._close()


@pytest.mark.parametrize("where", ["before", "after"])
def test_who_is_killed_around_a_batch_neither_loses_nor_doubles_it(inbox, monkeypatch, where):
    intake = Intake(inbox, SOURCE, "1").__enter__()
    for number in (1, 2):
        intake.add(number, carried())
    kill(intake, monkeypatch, where)
    monkeypatch.undo()
    with Intake(inbox, SOURCE, "1") as again:
        assert again.has(1) == (where == "after")
        for number in (1, 2):
            if not again.has(number):
                again.add(number, carried())
    assert len(files(inbox)) == 2
    assert notes(inbox) == {SOURCE: {"validity": "1", "done": "1:2", "fresh": True}}


def test_what_a_reader_has_marked_in_between_has_come_all_the_same(inbox, monkeypatch):
    intake = Intake(inbox, SOURCE, "1").__enter__()
    intake.add(1, carried())
    kill(intake, monkeypatch, "after")
    (file,) = files(inbox)
    file.rename(inbox.path / "cur" / f"{file.name.partition(':')[0]}:2,S")
    with Intake(inbox, SOURCE, "1") as again:
        assert again.has(1)


def test_a_long_run_is_noted_in_between(inbox):
    with Intake(inbox, SOURCE, "1") as intake:
        for number in range(1, BATCH + 2):
            intake.add(number, carried())
        assert notes(inbox)[SOURCE]["done"] == f"1:{BATCH}"


def test_what_somebody_else_has_put_in_while_it_waited_is_compared(inbox):
    waiting = Intake(inbox, SOURCE, "1")
    with Filling(inbox) as other:
        other.add(carried())
    with waiting as intake:
        intake.add(1, carried())
    assert len(files(inbox)) == 1


def test_sources_are_kept_apart(inbox):
    for source in (SOURCE, "another"):
        with Intake(inbox, source, "1") as intake:
            intake.add(1, carried(source))
    assert set(notes(inbox)) == {SOURCE, "another"}
    assert len(files(inbox)) == 2


@pytest.mark.parametrize(
    "content", ["", "x", "[]", "{}", '{"imap://alice@old/INBOX": 1}', "[" * 5000, '{"a": {"validity": 1}}']
)
def test_damaged_notes_double_nothing(inbox, content):
    with Intake(inbox, SOURCE, "1") as intake:
        intake.add(1, carried())
    (inbox.path / FILE_NAME).write_text(content)
    with Intake(inbox, SOURCE, "1") as intake:
        intake.add(1, carried())
        assert intake.skipped == 1
    assert len(files(inbox)) == 1


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_cannot_be_noted_is_not_put_in_place_and_comes_once_when_there_is_room(inbox, monkeypatch):
    monkeypatch.setattr(filling, "BATCH", 2)  # it puts in place by itself
    with (
        monkeypatch.context() as disk,
        pytest.raises(StoreTrouble, match="No space left"),
        Intake(inbox, SOURCE, "1") as intake,
    ):
        disk.setattr(module, "write_atomically", full)
        for number in (1, 2, 3):
            intake.add(number, carried())
    assert files(inbox) == []
    with Intake(inbox, SOURCE, "1") as intake:
        for number in (1, 2, 3):
            assert not intake.has(number)
            intake.add(number, carried())
    assert len(files(inbox)) == 3


def test_a_message_that_fills_a_batch_is_noted_with_it(inbox, monkeypatch):
    monkeypatch.setattr(filling, "BATCH", 2)
    noted = []
    monkeypatch.setattr(filling, "sync_file_system", lambda _: noted.append(notes(inbox)[SOURCE]["pending"]))
    with Intake(inbox, SOURCE, "1") as intake:
        for number in (1, 2):
            intake.add(number, carried())
        assert [*noted[0]] == ["1", "2"]


def test_what_is_passed_over_is_not_asked_for_again(inbox):
    with Intake(inbox, SOURCE, "1") as intake:
        intake.pass_over(3)
        assert intake.has(3)
    with Intake(inbox, SOURCE, "1") as intake:
        assert intake.has(3)
