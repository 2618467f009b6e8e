import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sievemda.mail.dates import LocalZone, moment, read_date, without_comments


@pytest.mark.parametrize(
    ("text", "std11"),
    [
        ("Tue, 1 Apr 1997 09:06:31 -0800 (PST)", "Tue, 01 Apr 1997 09:06:31 -0800"),
        ("1 Apr 1997 09:06 +0530", "Tue, 01 Apr 1997 09:06:00 +0530"),
        ("(early) Tue (x), 1 (y (z)) Apr 1997 09 : 06 : 31 +0100", "Tue, 01 Apr 1997 09:06:31 +0100"),
        ("1 April 1997 9:06:31 +0100", "Tue, 01 Apr 1997 09:06:31 +0100"),
        ("Di, 01 Apr 1997 09:06:31 +0100", "Tue, 01 Apr 1997 09:06:31 +0100"),
        ("Wed, 1 Apr 1997 09:06:31 +0100", "Tue, 01 Apr 1997 09:06:31 +0100"),
        ("29 Feb 2024 00:00:00 +0000", "Thu, 29 Feb 2024 00:00:00 +0000"),
        ("31 Dec 2016 23:59:60 +0000", "Sat, 31 Dec 2016 23:59:60 +0000"),
        ("1 Apr 1997 09:06:31 +0100 and more", "Tue, 01 Apr 1997 09:06:31 +0100"),
        ("1 Apr 1997 09:06:31 +01:00", "Tue, 01 Apr 1997 09:06:31 +0100"),
        ("1 Apr 1997 09:06:31 +9959", "Tue, 01 Apr 1997 09:06:31 +9959"),
    ],
)
def test_a_date_is_read(text, std11):
    assert read_date(text).std11 == std11


@pytest.mark.parametrize(
    ("year", "meant"), [("49", 2049), ("00", 2000), ("50", 1950), ("97", 1997), ("097", 1997), ("126", 2026)]
)
def test_a_year_of_two_or_three_digits_is_of_the_century_that_rfc_5322_says(year, meant):
    assert read_date(f"1 Apr {year} 09:06:31 +0000").shown.year == meant


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("EST", "-0500"), ("EDT", "-0400"), ("CST", "-0600"), ("CDT", "-0500"), ("MST", "-0700"), ("MDT", "-0600"),
        ("PST", "-0800"), ("pdt", "-0700"), ("GMT", "+0000"), ("UT", "+0000"), ("UTC", "+0000"), ("-0000", "+0000"),
        ("Z", "+0000"), ("A", "+0000"), ("M", "+0000"), ("N", "+0000"), ("CEST", "+0000"), ("XYZZY", "+0000"),
        ("", "+0000"),
    ],
)  # fmt: skip
def test_a_zone_has_the_offset_of_rfc_5322(zone, shown):
    assert read_date(f"1 Apr 1997 09:06:31 {zone}").zone == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "tomorrow", "31 Feb 1997 09:06:31 +0000", "29 Feb 2025 09:06:31 +0000", "32 Jan 1997 09:06:31 +0000",
        "0 Jan 1997 09:06:31 +0000", "1 Apr 1997 24:00:00 +0000", "1 Apr 1997 09:60:00 +0000",
        "1 Apr 1997 09:06:61 +0000", "1 Foo 1997 09:06:31 +0000", "1 Apr 1850 09:06:31 +0000",
        "1 Apr 12345 09:06:31 +0000", "1 Apr 1997", "1997-04-01T09:06:31Z", "1 Apr 1997 09:06:31 +0160",
        "1 Apr 1997 09:06:31.5 +0100", "1 Apr 1997 09:06:311 +0100", "Apr 1 1997 09:06:31 +0000",
        "1 Apr 1997 0906 +0000", "(1 Apr 1997 09:06:31 +0000)", "1 Apr 1997 ٠٩:06:31 +0000", "\udcff", "x" * 30_000,
    ],
)  # fmt: skip
def test_what_is_no_date_has_none(text):
    assert read_date(text) is None


def test_the_date_stands_behind_the_last_semicolon():
    assert read_date("from a; by b; 1 Apr 1997 09:06:31 +0100 (not; this)").shown.day == 1


def test_a_moment_can_be_seen_on_another_clock():
    when = read_date("31 Dec 1999 23:30:00 -0500").at(60)
    assert (when.std11, when.zone) == ("Sat, 01 Jan 2000 05:30:00 +0100", "+0100")


def test_what_the_calendar_does_not_reach_is_no_moment():
    last = read_date("31 Dec 9999 23:00:00 +0000")
    assert last.at(120) is None
    assert last.within(ZoneInfo("Asia/Tokyo")) is None
    assert read_date("31 Dec 9999 23:00:00 -0200").within(UTC) is None


def test_a_zone_with_summer_time_has_the_offset_of_that_day():
    zone = ZoneInfo("Europe/Amsterdam")
    assert read_date("1 Jul 2026 12:00:00 +0000").within(zone).zone == "+0200"
    assert read_date("1 Jan 2026 12:00:00 +0000").within(zone).zone == "+0100"


@pytest.fixture
def new_york(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_local_zone_knows_summer_and_winter(new_york):
    assert read_date("1 Jul 2026 12:00:00 +0000").within(LocalZone()).zone == "-0400"
    assert read_date("1 Jan 2026 12:00:00 +0000").within(LocalZone()).zone == "-0500"


def test_a_time_in_the_local_zone_has_its_offset(new_york):
    when = datetime(2026, 7, 1, 12, tzinfo=UTC).astimezone(LocalZone())
    assert when.utcoffset() == timedelta(hours=-4)
    assert moment(when).std11 == "Wed, 01 Jul 2026 08:00:00 -0400"
    assert when.tzname() == "local"
    assert when.dst() is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a (b) c", "a   c"), ("a (b (c) d) e", "a   e"), (r"a (b\) c) d", "a   d"), ("a (b", "a (b"), ("a) b", "a) b"),
        (r"a \( b", r"a \( b"), ("(a)(b)", "  "), ("a (b) (c", "a   (c"),
    ],
)  # fmt: skip
def test_comments_are_passed_over(text, plain):
    assert without_comments(text) == plain
