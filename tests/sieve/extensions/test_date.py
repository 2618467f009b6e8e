import time
from datetime import datetime

import pytest

from sievemda.mail.dates import LocalZone
from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.rehearsal import Imagined, message_of
from tests.sieve.trying import actions, envelope, filed, holds, outcome, problems, warnings

LATE = b"Date: Tue, 1 Apr 1997 23:30:05 -0800 (PST)\nFrom: a@example.com\n\nx\n"
ALL = "date relational comparator-i;ascii-numeric variables index fileinto"


def part(name, zone=":originalzone", message=LATE, header="date"):
    """The value of one part of a date."""
    script = f'require ["date", "variables", "fileinto"]; if date :matches {zone} "{header}" "{name}" "*" {{ fileinto "-${{1}}"; }}'
    (found,) = actions(script, message)
    return found["mailbox"][1:] if found["action"] == "fileinto" else None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("year", "1997"), ("month", "04"), ("day", "01"), ("date", "1997-04-01"), ("julian", "50539"), ("hour", "23"),
        ("minute", "30"), ("second", "05"), ("time", "23:30:05"), ("iso8601", "1997-04-01T23:30:05-08:00"),
        ("std11", "Tue, 01 Apr 1997 23:30:05 -0800"), ("zone", "-0800"), ("weekday", "2"), ("WEEKDAY", "2"),
    ],
)  # fmt: skip
def test_a_date_has_the_parts_of_rfc_5260(name, value):
    assert part(name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("day", "02"), ("date", "1997-04-02"), ("julian", "50540"), ("hour", "08"), ("weekday", "3"),
        ("iso8601", "1997-04-02T08:30:05+01:00"), ("zone", "+0100"), ("std11", "Wed, 02 Apr 1997 08:30:05 +0100"),
    ],
)  # fmt: skip
def test_a_date_is_shifted_to_the_zone_that_is_asked_for(name, value):
    assert part(name, ':zone "+0100"') == value


def test_an_offset_of_zero_is_z_and_has_a_positive_sign():
    assert part("iso8601", ':zone "-0000"') == "1997-04-02T07:30:05Z"
    assert part("zone", ':zone "-0000"') == "+0000"


def test_without_a_zone_the_local_one_counts():
    assert part("iso8601", "") == "1997-04-02T07:30:05Z"


@pytest.mark.parametrize(("zone", "hour"), [("America/New_York", "02"), ("Europe/Amsterdam", "09"), ("UTC", "07")])
def test_a_zone_may_be_named_as_iana_does(zone, hour):
    assert part("hour", f':zone "{zone}"') == hour


@pytest.mark.parametrize(
    "zone", ["bad", "+020", "0200", "Z +0", "../etc/passwd", "/etc/passwd", "Europe", "tzdata.zi", "A\0B", ""]
)
def test_a_zone_that_does_not_exist_is_warned_of_and_the_local_one_counts(zone):
    script = f'require "date"; if date :zone "{zone}" "date" "zone" "+0000" {{ discard; }}'.replace("\0", "\x01")
    assert "no time zone" in warnings(script)[0]
    assert actions(script, LATE) == [{"action": "discard"}]


def test_the_local_zone_has_summer_time_at_the_date_in_question(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Amsterdam")
    time.tzset()
    try:
        script = compile_script('require "date"; if date "date" "zone" "+0200" { discard; }', Limits())
        facts = Imagined(datetime(2026, 1, 1, tzinfo=LocalZone()))
        mail = message_of(b"Date: 1 Jul 2025 10:00:00 GMT\n\n")
        assert not run(script, mail, envelope(), facts, Limits()).implicit_keep
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_zone_in_a_variable_counts_when_the_test_is_tried():
    script = """require ["date", "variables"]; set "z" "+0900";
        if date :zone "${z}" "date" "hour" "16" { discard; }"""
    assert actions(script, LATE) == [{"action": "discard"}]


@pytest.mark.parametrize("value", ["tomorrow", "31 Feb 1997 09:06:31 +0000", "", "29 Feb 2025 10:00:00 +0000"])
@pytest.mark.parametrize("test", ['date :contains "date" "year" ""', 'not date :count "eq" "date" "year" "0"'])
def test_what_is_no_date_has_no_value_and_counts_nothing(value, test):
    assert not holds(test, f"Date: {value}\n\n".encode(), ALL)


def test_a_field_that_is_missing_counts_nothing():
    assert holds('date :count "eq" "date" "year" "0"', b"From: a@b\n\n", ALL)
    assert not holds('date :contains "date" "year" ""', b"From: a@b\n\n", ALL)


def test_a_valid_date_counts_one():
    assert holds('date :count "eq" :comparator "i;ascii-numeric" "date" "year" "1"', LATE, ALL)


def test_the_date_of_a_received_field_stands_at_its_end():
    mail = b"Received: from a (b; c) by d;\n\tTue, 1 Apr 1997 10:00:00 +0000\n\n"
    assert holds('date "received" "hour" "10"', mail, "date")


TWICE = b"X-When: 1 Apr 1997 10:00:00 +0000\nX-When: 1 Apr 1997 11:00:00 +0000\nX-When: rubbish\n\n"


def test_only_the_first_field_counts():
    assert holds('date "x-when" "hour" "10"', TWICE, "date")
    assert not holds('date "x-when" "hour" "11"', TWICE, "date")
    assert not holds('date "x-when" "hour" "11"', b"X-When: rubbish\n" + TWICE, "date")


@pytest.mark.parametrize(("index", "hour"), [("1", "10"), ("2", "11"), ("2 :last", "11"), ("3 :last", "10")])
def test_index_chooses_another_field(index, hour):
    assert holds(f'date :index {index} "x-when" "hour" "{hour}"', TWICE, ALL)


@pytest.mark.parametrize("index", ["3", "4", "1 :last", "4 :last"])
def test_index_may_choose_a_field_without_a_date_or_none(index):
    assert holds(f'date :index {index} :count "eq" "x-when" "hour" "0"', TWICE, ALL)


def test_an_unknown_part_is_warned_of_and_matches_nothing():
    assert "unknown date part 'era'" in warnings('require "date"; if date "date" "era" "AD" { stop; }')[0]
    assert "unknown date part 'era'" in warnings('require "date"; if currentdate "era" "AD" { stop; }')[0]
    assert not holds('date :contains "date" "era" ""', LATE, "date")
    assert not holds('currentdate :contains "era" ""', LATE, "date")


def test_a_name_that_no_field_can_have_is_warned_of():
    assert "no header field" in warnings('require "date"; if date "da te" "year" "1" { stop; }')[0]


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ('date :zone "+0000" :originalzone "date" "year" ""', "not both"),
        ('date :zone "+0000" :zone "+0100" "date" "year" ""', "duplicate"),
        ('date :zone 100 "date" "year" ""', "expects a string"),
        ('currentdate :originalzone "year" ""', "unknown tagged argument ':originalzone' for the currentdate test"),
        ('date ["date"] "year" ""', "expects a string for argument 1 (header name), but a string list"),
        ('date "date" ["year"] ""', "expects a string for argument 2 (date part)"),
        ('date "date" "year"', "requires 3 positional arguments"),
        ('currentdate "date" "year" "x"', "requires 2 positional arguments"),
        ('date :index 1 "date" "year" "x"', "unknown tagged argument ':index'"),
    ],
)
def test_wrong_use_is_refused(test, problem):
    (found,) = problems(f'require "date"; if {test} {{ stop; }}')
    assert problem in found


def test_the_current_date_is_that_of_the_facts():
    assert holds('currentdate "iso8601" "2026-03-01T12:00:00Z"', require="date")
    assert holds('currentdate :zone "+0200" "time" "14:00:00"', require="date")
    assert holds('currentdate :zone "Asia/Tokyo" "hour" "21"', require="date")
    assert holds('currentdate "weekday" "0"', require="date")


def test_the_current_date_counts_one():
    assert holds('currentdate :count "eq" "date" "1"', require=ALL)


def test_numbers_compare_as_numbers():
    assert holds('date :value "gt" :comparator "i;ascii-numeric" :originalzone "date" "julian" "0050538"', LATE, ALL)


def test_a_huge_field_is_looked_at_once_and_has_no_date():
    assert not holds('date :contains "date" "year" ""', b"Date: " + b"(" * 1_000_000 + b"\n\n", "date")


# -- the examples of RFC 5260 ------------------------------------------------------------------------------------

URGENT = """require ["date", "relational", "fileinto"];
if allof(header :is "from" "boss@example.com",
         date :value "ge" :originalzone "date" "hour" "09",
         date :value "lt" :originalzone "date" "hour" "17")
{ fileinto "urgent"; }"""


@pytest.mark.parametrize(("hour", "urgent"), [("08", False), ("09", True), ("16", True), ("17", False)])
def test_example_of_section_4_4_office_hours(hour, urgent):
    mail = f"From: boss@example.com\nDate: Tue, 1 Apr 1997 {hour}:59:59 -0800\n\n".encode()
    assert (actions(URGENT, mail) == [filed("urgent")]) is urgent


@pytest.mark.parametrize(("day", "weekend"), [(4, False), (5, True), (6, True), (7, False)])
def test_example_of_section_4_4_weekend(day, weekend):
    script = """require ["date", "relational", "fileinto"];
        if anyof(date :is "received" "weekday" "0",
                 date :is "received" "weekday" "6")
        { fileinto "weekend"; }"""
    mail = f"Received: by x; {day} Apr 1997 12:00:00 +0000\n\n".encode()
    assert (actions(script, mail) == [filed("weekend")]) is weekend


def test_example_of_section_5_1_pager():
    script = """require ["date", "relational"];
        if anyof(currentdate :is "weekday" "0",
                 currentdate :is "weekday" "6",
                 currentdate :value "lt" "hour" "09",
                 currentdate :value "ge" "hour" "17")
        { redirect "pager@example.com"; }"""
    assert actions(script)[0]["address"] == "pager@example.com"  # a Sunday


def test_example_of_section_5_1_vacation_in_advance():
    script = """require ["date", "relational", "vacation"];
        if allof(currentdate :value "ge" "date" "2007-06-30",
                 currentdate :value "le" "date" "2007-07-07")
        { vacation :days 7  "I'm away during the first week in July."; }"""
    assert outcome(script).effects[0].implicit


def test_example_of_section_5_1_folder_of_the_month():
    script = """require ["date", "variables", "fileinto"];
        if currentdate :matches "month" "*" { set "month" "${1}"; }
        if currentdate :matches "year"  "*" { set "year"  "${1}"; }
        fileinto "${month}-${year}";"""
    assert actions(script) == [filed("03-2026")]


def test_example_of_section_6_1_cutoff():
    script = """require ["date", "relational", "index"];
        if date :value "gt" :index 2 :zone "-0500" "received"
                "iso8601" "2007-02-26T09:00:00-05:00"
        { redirect "aftercutoff@example.org"; }"""
    for time_of_day, late in (("13:59:59", False), ("14:00:01", True)):
        mail = f"Received: a; 27 Feb 2007 00:00:00 +0000\nReceived: b; 26 Feb 2007 {time_of_day} +0000\n\n".encode()
        assert (actions(script, mail)[0]["action"] == "redirect") is late
