"""When what is done on a schedule is due."""

import time
from datetime import datetime

import pytest

from sievemda.policy.schedule import parse_schedule


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text):
    return datetime.fromisoformat(text).timestamp()  # of a time that comes twice the first


@pytest.mark.parametrize(
    ("schedule", "last", "now", "due"),
    [
        ("every 6h", "2026-11-22 00:00", "2026-11-22 05:59", False),
        ("every 6h", "2026-11-22 00:00", "2026-11-22 06:00", True),
        ("every 1h30m", "2026-11-22 00:00", "2026-11-22 01:30", True),
        ("daily 04:00", "2026-11-22 03:00", "2026-11-22 03:59", False),
        ("daily 04:00", "2026-11-22 03:00", "2026-11-22 04:00", True),
        ("daily 4:00", "2026-11-22 04:00", "2026-11-23 03:59", False),
        ("daily 04:00", "2026-11-10 04:00", "2026-11-23 03:59", True),  # it was missed
        ("daily 04:00 16:00", "2026-11-22 04:00", "2026-11-22 16:00", True),
        ("daily 04:00", "2026-11-22 12:00", "2026-11-22 11:00", False),  # the clock was set back
        ("daily 02:30", "2026-03-28 02:30", "2026-03-29 03:31", True),  # a time that never came
        ("daily 02:30", "2026-10-25 02:31", "2026-10-25 23:00", False),  # one that came twice
        ("sun 04:00", "2026-11-15 04:00", "2026-11-22 03:00", False),
        ("sun 04:00", "2026-11-15 04:00", "2026-11-22 04:00", True),
        ("monday,thu 02:30", "2026-11-19 02:30", "2026-11-22 23:00", False),
        ("mon,thu 02:30", "2026-11-19 02:30", "2026-11-23 02:30", True),
        ("monthly 31 03:00", "2026-01-31 03:00", "2026-02-28 02:59", False),
        ("monthly 31 03:00", "2026-01-31 03:00", "2026-02-28 03:00", True),
    ],
)
def test_it_is_due_when_its_time_has_come_since_it_was_done_last(schedule, last, now, due):
    assert parse_schedule(schedule).is_due(at(last), at(now)) == due


@pytest.mark.parametrize("text", ["off", "OFF", "never"])
def test_off_is_no_schedule(text):
    assert parse_schedule(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "every", "every day", "every 0s", "every 6", "every 9999999d", "every -1h", "daily", "daily 24:00", "04:00",
        "daily 4", "daily 04:00,05:00", "noon 04:00", "mon", "monthly 0 04:00", "monthly 32 04:00", "30 2 * * 1",
        "off 04:00",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"no schedule|between a second and a year"):
        parse_schedule(text)
