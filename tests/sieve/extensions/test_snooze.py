from datetime import UTC, datetime, time
from time import tzset
from zoneinfo import ZoneInfo

import pytest

from sievemda.mail.dates import LocalZone
from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.effects import Store
from sievemda.sieve.extensions.snooze import awakening
from sievemda.sieve.rehearsal import Imagined, message_of
from tests.sieve.trying import COYOTE, actions, envelope, failure, outcome, problems, warnings

MELBOURNE = """require "snooze";
   snooze :weekdays ["1", "3", "5", "2", "4"]
          :tzid "Australia/Melbourne" ["12:00:00",
                                       "08:00:00", "16:00:00"];"""
NEW_YORK = 'require "snooze"; snooze :tzid "America/New_York" "{}";'


def awakens(script, arrival):
    facts = Imagined(datetime.fromisoformat(arrival))
    found = run(compile_script(script, Limits()), message_of(COYOTE), envelope(), facts, Limits())
    assert found.failure is None
    (store,) = found.effects
    assert isinstance(store, Store)
    return store.snooze.awakens.isoformat()


@pytest.mark.parametrize(
    ("script", "arrival", "awakening"),
    [
        (MELBOURNE, "2020-07-30T00:00:00Z", "2020-07-30T12:00:00+10:00"),
        (MELBOURNE, "2020-07-30T04:00:00Z", "2020-07-30T16:00:00+10:00"),
        (MELBOURNE, "2020-07-30T08:00:00Z", "2020-07-31T08:00:00+10:00"),
        (MELBOURNE, "2020-07-31T12:00:00Z", "2020-08-03T08:00:00+10:00"),
        (MELBOURNE, "2020-08-01T16:00:00Z", "2020-08-03T08:00:00+10:00"),
        (NEW_YORK.format("01:30:00"), "2020-11-01T05:00:00Z", "2020-11-01T01:30:00-04:00"),
        (NEW_YORK.format("01:30:00"), "2020-11-01T06:00:00Z", "2020-11-02T01:30:00-05:00"),
        (NEW_YORK.format("01:30:00"), "2020-11-01T07:00:00Z", "2020-11-02T01:30:00-05:00"),
        (NEW_YORK.format("02:30:00"), "2021-03-13T06:30:00Z", "2021-03-13T02:30:00-05:00"),
        (NEW_YORK.format("02:30:00"), "2021-03-14T06:30:00Z", "2021-03-14T03:30:00-04:00"),
        (NEW_YORK.format("02:30:00"), "2021-03-14T07:30:00Z", "2021-03-15T02:30:00-04:00"),
    ],
)
def test_it_awakens_at_the_next_time_of_the_list(script, arrival, awakening):
    """Draft §4.3.1, tables 1 to 3."""
    assert awakens(script, arrival) == awakening


def test_a_time_that_is_now_is_no_future_time():
    assert awakens('require "snooze"; snooze "12:00:00";', "2026-03-01T12:00:00+00:00") == "2026-03-02T12:00:00+00:00"


def test_without_a_zone_it_is_that_of_the_delivery():
    assert awakens('require "snooze"; snooze "09:00:00";', "2026-03-01T12:00:00+05:00") == "2026-03-02T09:00:00+05:00"


def test_a_week_from_now_is_found():
    found = awakens('require "snooze"; snooze :weekdays "0" "11:00:00";', "2026-03-01T12:00:00+00:00")
    assert found == "2026-03-08T11:00:00+00:00"


def test_a_day_that_a_zone_has_swallowed_is_no_trouble():
    apia = ZoneInfo("Pacific/Apia")  # there was no Friday, 30 December 2011
    found = awakening(datetime(2011, 12, 30, 9, 0, tzinfo=UTC), frozenset({5}), [time(12)], apia)
    assert found > datetime(2011, 12, 30, 9, 0, tzinfo=UTC)


def test_it_cancels_the_implicit_keep():
    (action,) = actions('require "snooze"; snooze "13:00:00";')
    assert action == {"action": "snooze", "flags": [], "awakens": "2026-03-01T13:00:00+00:00", "mailbox": "INBOX"}


def test_everything_about_the_return_is_said():
    script = """require ["snooze", "imap4flags", "mailbox", "special-use"]; setflag "\\\\Flagged";
    snooze :mailbox "Later" :create :specialuse "\\\\Archive" :addflags ["$Back", "\\\\seen"] :removeflags "\\\\Flagged"
           "13:00:00";"""
    assert actions(script) == [
        {
            "action": "snooze", "flags": ["\\Flagged"], "awakens": "2026-03-01T13:00:00+00:00", "mailbox": "Later",
            "create": True, "specialuse": "\\Archive", "addflags": ["$Back", "\\Seen"], "removeflags": ["\\Flagged"],
        }
    ]  # fmt: skip


def test_the_mailbox_it_comes_back_to_may_be_an_identifier():
    (action,) = actions('require ["snooze", "mailboxid"]; snooze :mailboxid "F1" "13:00:00";')
    assert action["mailboxid"] == "F1"


def test_the_example_with_flags_is_right_once_its_slips_are_mended():
    """Draft §4.4.1.1, which has a full stop for a comma, "American", a comma before the time, and no seconds."""
    script = """require ["snooze", "imap4flags", "date", "relational"];
   if anyof(header :is "from" "boss@example.com",
            currentdate :is "weekday" "0",
            currentdate :is "weekday" "6",
            currentdate :value "ge" "hour" "17") {
       setflag "\\\\Important";
       snooze :removeflags "\\\\Seen"
              :weekdays ["1", "2", "3", "4", "5"]
              :tzid "America/New_York" "09:00";
   }"""
    assert problems(script) == []


def test_a_time_without_seconds_is_warned_about():
    assert "should have seconds" in warnings('require "snooze"; snooze "09:00";')[0]
    assert awakens('require "snooze"; snooze "09:00";', "2026-03-01T12:00:00+00:00") == "2026-03-02T09:00:00+00:00"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('"25:00:00"', "invalid time"),
        ('"9:00:00"', "invalid time"),
        ('"09:60:00"', "invalid time"),
        ('"09:00:61"', "invalid time"),
        ('["09:00:00", "noon"]', "invalid time"),
        (':weekdays "7" "09:00:00"', "invalid weekday"),
        (':weekdays ["0", "mon"] "09:00:00"', "invalid weekday"),
        (':tzid "American/New_York" "09:00:00"', "unknown time zone"),
        (':tzid "../etc/passwd" "09:00:00"', "unknown time zone"),
        (':tzid "America" "09:00:00"', "unknown time zone"),
        (':tzid "" "09:00:00"', "unknown time zone"),
        (':create "09:00:00"', "':create' needs ':mailbox'"),
        (':mailboxid "F" :specialuse "\\\\Junk" "09:00:00"', "cannot be used together"),
        (':mailbox "a" :mailbox "b" "09:00:00"', "duplicate"),
        (':copy "09:00:00"', "unknown tagged argument"),
        ("", "requires 1 positional argument"),
        ("100", "expects a string list"),
    ],
)
def test_what_is_wrong_is_an_error_of_the_script(arguments, text):
    head = 'require ["snooze", "mailbox", "mailboxid", "special-use", "copy", "fileinto"];'
    (problem,) = problems(f"{head} snooze {arguments};")
    assert text in problem


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('"${x}"', "invalid time"),
        (':weekdays "${x}" "09:00:00"', "invalid weekday"),
        (':tzid "${x}" "09:00:00"', "unknown time zone"),
        (':mailbox "${none}" "09:00:00"', "invalid folder name"),
    ],
)
def test_what_a_variable_brings_is_checked_when_it_runs(arguments, text):
    assert text in failure(f'require ["snooze", "variables"]; set "x" "nonsense"; snooze {arguments};')


@pytest.mark.parametrize(
    "tag", [':addflags "x"', ':removeflags "x"', ":create", ':specialuse "\\\\A"', ':mailboxid "x"']
)
def test_tags_of_other_extensions_need_their_require(tag):
    assert "unknown tagged argument" in problems(f'require "snooze"; snooze {tag} "09:00:00";')[0]


@pytest.mark.parametrize("other", ["reject", "ereject"])
def test_it_goes_with_no_refusal(other):
    """Draft §8.2."""
    assert "cannot be combined" in failure(f'require ["snooze", "{other}"]; snooze "09:00:00"; {other} "no";')


def test_it_goes_with_fileinto_and_keep():
    found = actions('require ["snooze", "fileinto"]; snooze "13:00:00"; fileinto "Copy"; keep;')
    assert [action["action"] for action in found] == ["snooze", "fileinto", "keep"]


def test_of_two_snoozes_the_last_says_when_and_where_to():
    (action,) = actions('require "snooze"; snooze "13:00:00"; snooze :mailbox "B" "14:00:00";')
    assert (action["awakens"], action["mailbox"]) == ("2026-03-01T14:00:00+00:00", "B")


def test_a_long_list_of_times_is_charged():
    times = ",".join(f'"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}"' for n in range(0, 86400, 60))
    found = outcome(f'require "snooze"; snooze [{times}];', limits=Limits(instructions=1000))
    assert "too many instructions" in found.failure.text


@pytest.mark.parametrize("zone", [ZoneInfo("America/New_York"), LocalZone()], ids=["named", "local"])
@pytest.mark.parametrize(
    ("arrival", "at", "found"),
    [
        ("2020-11-01T05:00:00Z", "01:30:00", "2020-11-01T05:30:00+00:00"),
        ("2020-11-01T06:00:00Z", "01:30:00", "2020-11-02T06:30:00+00:00"),
        ("2021-03-14T06:30:00Z", "02:30:00", "2021-03-14T07:30:00+00:00"),
        ("2021-03-14T07:30:00Z", "02:30:00", "2021-03-15T06:30:00+00:00"),
    ],
)
def test_a_clock_of_the_same_zone_makes_no_difference(zone, arrival, at, found, monkeypatch):
    """Draft §4.3.1, tables 2 and 3: a delivery has its time in the zone of the place."""
    monkeypatch.setenv("TZ", "America/New_York")
    tzset()
    try:
        now = datetime.fromisoformat(arrival).astimezone(zone)
        assert awakening(now, frozenset(range(7)), [time.fromisoformat(at)], zone).astimezone(UTC).isoformat() == found
    finally:
        monkeypatch.undo()
        tzset()


@pytest.mark.parametrize("zone", ["", ':tzid "Pacific/Kiritimati"', ':tzid "Pacific/Pago_Pago"'])
@pytest.mark.parametrize("now", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"])
def test_the_ends_of_the_calendar_are_no_crash(now, zone):
    facts = Imagined(datetime.fromisoformat(now))
    program = compile_script(f'require "snooze"; snooze {zone} "00:00:00";', Limits())
    found = run(program, message_of(COYOTE), envelope(), facts, Limits())
    assert found.failure is None or "calendar" in found.failure.text
