"""RFC 6009 §7 with its examples."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sievemda.mail.envelope import DeliverBy
from sievemda.sieve.effects import Redirect
from tests.sieve.trying import NOW, failure, outcome, problems

R = 'require ["redirect-deliverby", "copy", "variables", "date", "relational", "comparator-i;ascii-numeric"];\n'
TIME = ':bytimeabsolute "2026-03-01T20:00:00+01:00"'
UNTIL = datetime(2026, 3, 1, 19, 0, tzinfo=UTC)


def redirect(script, **options):
    found = outcome(R + script, **options)
    assert found.failure is None, found.failure
    (effect,) = (effect for effect in found.effects if isinstance(effect, Redirect))
    return effect


def by(tags):
    return redirect(f'redirect {tags} "cellphone@example.com";').by


def test_the_example_of_ten_minutes():
    script = """
    if address "from" "coyote@desert.example.org" {
        redirect :copy :bytimerelative 600 "cellphone@example.com";
    }
    """
    assert redirect(script).by == DeliverBy(until=NOW + timedelta(seconds=600), mode="R")


def test_the_example_of_ten_in_the_evening():
    script = """
    if currentdate :value "lt" :comparator "i;ascii-numeric" "hour" "22" {
        if currentdate :matches "date" "*" {set "date" "${0}";}
        if currentdate :matches "zone" "*" {set "zone" "${0}";}
        redirect :copy :bytimeabsolute "${date}T20:00:00${zone}" :bymode "return" "cellphone@example.com";
    }
    """
    assert redirect(script).by == DeliverBy(until=datetime(2026, 3, 1, 20, 0, tzinfo=UTC), mode="R")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (TIME, DeliverBy(until=UNTIL, mode="R")),
        (f'{TIME} :bymode "notify"', DeliverBy(until=UNTIL, mode="N")),
        (f'{TIME} :bymode "RETURN" :bytrace', DeliverBy(until=UNTIL, mode="R", trace=True)),
        (f':bytrace :bymode "notify" {TIME}', DeliverBy(until=UNTIL, mode="N", trace=True)),
        (':bytimeabsolute "2026-03-01T19:00:00Z"', DeliverBy(until=UNTIL, mode="R")),
        (':bytimeabsolute "2026-03-01T19:00:00.25Z"', DeliverBy(until=UNTIL, mode="R")),
        (':bytimeabsolute "2016-12-31T23:59:60Z"', DeliverBy(until=datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC), mode="R")),
    ],
)  # fmt: skip
def test_limits_of_time(tags, expected):
    assert by(tags) == expected


def test_the_zone_is_kept():
    assert by(TIME).until.tzinfo == timezone(timedelta(hours=1))


def test_the_notices_come_to_the_owner():
    """§7.1."""
    assert redirect('redirect :bytimerelative 1 "a@b.example";').return_path == "roadrunner@acme.example.com"
    assert redirect('redirect :bytimerelative 1 "a@b.example";', sender=None).return_path == ""


@pytest.mark.parametrize(
    ("tags", "fault"),
    [
        (":bytrace", "':bytrace' is possible only together with"),
        (':bymode "notify"', "':bymode' is possible only together with"),
        (":bytimerelative 0", "possible only with ':bymode"),
        (':bytimerelative 0 :bymode "Return"', "possible only with ':bymode"),
        (":bytimerelative 1000000000", "out of range"),
        (':bytimerelative "600"', "expects a number, but a string"),
        (f":bytimerelative 600 {TIME}", "duplicate by-time"),
        (':bytimeabsolute "tomorrow"', "invalid time"),
        (':bytimeabsolute "2026-03-01T20:00:00"', "invalid time"),
        (':bytimeabsolute "2026-02-30T20:00:00Z"', "invalid time"),
        (':bytimeabsolute "2026-03-01T24:00:00Z"', "invalid time"),
        (':bytimeabsolute "2026-03-01T20:60:00Z"', "invalid time"),
        (':bytimeabsolute "2026-03-01T20:00:61Z"', "invalid time"),
        (f'{TIME} :bymode "bounce"', "invalid value of ':bymode'"),
        (f"{TIME} :bytrace :bytrace", "duplicate ':bytrace'"),
    ],
)
def test_faults(tags, fault):
    (problem,) = problems(R + f'redirect {tags} "a@b.example";')
    assert fault in problem


@pytest.mark.parametrize(
    ("tags", "fault"),
    [(':bytimeabsolute "${x}soon"', "invalid time"), (f'{TIME} :bymode "${{x}}"', "invalid value of ':bymode'")],
)
def test_faults_that_show_when_it_runs(tags, fault):
    assert fault in failure(R + f'redirect {tags} "a@b.example";')


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01t20:00:00z",
        "2026-03-01T20:00:00.123456789012Z",
        "2026-03-01T20:00:00-00:00",
        "2026-03-01T20:00:00+0000",
    ],
)
def test_ways_to_write_one_time(text):
    found = redirect(f'redirect :bytimeabsolute "{text}" "a@b.example";').by.until
    assert found == datetime(2026, 3, 1, 20, tzinfo=UTC)


def test_a_leap_second_is_the_one_before_it():
    found = redirect('redirect :bytimeabsolute "2026-06-30T23:59:60Z" "a@b.example";').by.until
    assert found == datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)


def test_who_only_wants_to_be_told_needs_no_time():
    assert redirect('redirect :bytimerelative 0 :bymode "NOTIFY" "a@b.example";').by.mode == "N"
