"""processcalendar in delivery: where objects lie, and what happens when they cannot be written."""

import pytest

from sievemda.errors import DataError
from sievemda.mail.result import Result
from sievemda.store.calendars import Calendars
from tests.delivery.world import message

SCRIPT = 'require "processcalendar"; processcalendar;'
EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
METHOD:{method}
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T00000{sequence}Z
SEQUENCE:{sequence}
DTSTART:20260301T100000Z
ORGANIZER:mailto:bob@example.net
ATTENDEE:mailto:alice@mx.example.org
SUMMARY:{summary}
END:VEVENT
END:VCALENDAR
"""


def mail(id_="<1@example.net>", method="REQUEST", uid="1@x", sequence=0, summary="Meeting"):
    body = EVENT.format(method=method, uid=uid, sequence=sequence, summary=summary)
    return message(id_, extra="MIME-Version: 1.0\nContent-Type: text/calendar\n", body=body)


@pytest.fixture
def calendar(make_world):
    """A world with alice and her script, and what lies in her default calendar."""

    def make(script=SCRIPT, **settings):
        world = make_world(**settings)
        world.user("alice", script=script)
        return world, lambda: sorted((world.store.home("alice") / "calendars" / "default").glob("*"))

    return make


def deliver(world, data):
    assert world.deliver("alice@mx.example.org", data) == [Result.DELIVERED]


def test_an_invitation_lies_in_the_default_calendar_and_the_mail_in_the_inbox(calendar):
    world, objects = calendar()
    deliver(world, mail())
    (file,) = objects()
    assert b"SUMMARY:Meeting" in file.read_bytes()
    assert b"METHOD" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(world.files("user/alice")) == 1


def test_an_update_and_a_cancellation_change_the_same_file(calendar):
    world, objects = calendar('require "processcalendar"; processcalendar :deletecancelled;')
    deliver(world, mail())
    deliver(world, mail("<2@example.net>", sequence=1, summary="Moved"))
    (file,) = objects()
    assert b"SUMMARY:Moved" in file.read_bytes()
    deliver(world, mail("<3@example.net>", "CANCEL", sequence=2))
    assert objects() == []


def test_an_object_of_another_program_is_found_by_its_uid(calendar):
    world, objects = calendar('require "processcalendar"; processcalendar :updatesonly;')
    folder = world.store.home("alice") / "calendars" / "Work"
    folder.mkdir(parents=True)
    text = EVENT.format(method="X", uid="a\\,b\n c", sequence=0, summary="Old").replace("METHOD:X\n", "")
    (folder / "from-the-phone.ics").write_text(text)
    deliver(world, mail(uid="a\\,bc", sequence=1, summary="New"))
    assert "SUMMARY:New" in (folder / "from-the-phone.ics").read_text()
    assert objects() == []


def test_calendarid_names_a_folder_that_is_there(calendar):
    world, objects = calendar('require "processcalendar"; processcalendar :calendarid "Work";')
    deliver(world, mail())
    folder = world.store.home("alice") / "calendars" / "Work"
    assert not folder.exists()
    folder.mkdir(parents=True)
    deliver(world, mail("<2@example.net>"))
    assert len(list(folder.iterdir())) == 1
    assert objects() == []


def test_without_calendars_nothing_is_added(calendar):
    world, _ = calendar(sieve_calendars="")
    deliver(world, mail())
    assert [path.name for path in world.store.home("alice").iterdir() if "cal" in path.name] == []
    (entry,) = world.journal.find("<1@example.net>")
    assert entry["not_done"][0]["why"] == "there is no calendar ''"


def test_a_calendar_that_cannot_be_written_loses_nothing(calendar):
    world, _ = calendar()
    (world.store.home("alice") / "calendars").write_text("no folder")
    deliver(world, mail())
    assert len(world.files("user/alice")) == 1
    (entry,) = world.journal.find("<1@example.net>")
    assert "the calendar cannot be written" in entry["not_done"][0]["why"]


def test_why_tells_what_became_of_it(calendar):
    world, objects = calendar()
    deliver(world, mail())
    (entry,) = world.journal.find("<1@example.net>")
    told = {"action": "processcalendar", "line": 1, "outcome": "added", "uid": "1@x", "file": str(objects()[0])}
    assert told in entry["done"]


# -- the folders -------------------------------------------------------------------------------------------------


@pytest.fixture
def calendars(tmp_path):
    (tmp_path / "home").mkdir(exist_ok=True)
    return Calendars(tmp_path / "home", "calendars", 0o600, 0o700)


@pytest.mark.parametrize("uid", ["../../etc/passwd", "a/b", "x" * 5000, "", "\0", "é\udcff"])
def test_no_uid_names_a_file_outside(calendars, tmp_path, uid):
    path = calendars.put(uid, b"BEGIN:VCALENDAR\r\n", "")
    assert path.parent == tmp_path / "home" / "calendars" / "default"


@pytest.mark.parametrize("identifier", ["..", ".hidden", "a/b", "x" * 300, "a\nb"])
def test_no_identifier_leads_out_of_the_folder(calendars, identifier):
    assert not calendars.exists(identifier)
    with pytest.raises(DataError):
        calendars.put("1", b"x", identifier)


def test_a_calendar_that_is_a_link_out_of_the_home_is_not_written(calendars, tmp_path):
    calendars.put("1", b"BEGIN:VCALENDAR\r\nUID:1\r\n", "")
    (tmp_path / "outside").mkdir()
    (tmp_path / "home" / "calendars" / "away").symlink_to(tmp_path / "outside")
    (tmp_path / "outside" / "x.ics").write_text("UID:2\n")
    with pytest.raises(OSError):
        calendars.put("3", b"x", "away")
    assert calendars.get("2") is None


def test_an_object_is_written_whole_or_not_at_all(calendars):
    first = calendars.put("1", b"UID:1\r\nold\r\n", "")
    assert calendars.put("1", b"UID:1\r\nnew\r\n", "") == first
    assert calendars.get("1") == b"UID:1\r\nnew\r\n"
    assert [path.name for path in first.parent.iterdir()] == [first.name]


def test_what_is_not_there_cannot_be_removed(calendars):
    assert not calendars.remove("1")
    assert calendars.get("1") is None


def test_a_home_that_has_moved_is_not_made_again(tmp_path):
    with pytest.raises(FileNotFoundError):
        Calendars(tmp_path / "moved", "calendars", 0o600, 0o700).put("u", b"UID:u\r\n", "")
    assert not (tmp_path / "moved").exists()
