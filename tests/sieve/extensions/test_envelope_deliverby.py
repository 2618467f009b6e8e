"""RFC 6009 §5 with its examples."""

from datetime import UTC, datetime, timedelta

import pytest

from sievemda.mail.envelope import DeliverBy
from tests.sieve.trying import NOW, actions, failure, filed, holds, problems

NEEDS = "envelope envelope-deliverby relational comparator-i;ascii-numeric variables"


def by(seconds=600, **options):
    return DeliverBy(until=NOW + timedelta(seconds=seconds), **options)


@pytest.mark.parametrize(
    ("test", "given", "result"),
    [
        ('envelope "bytimerelative" "600"', by(), True),
        ('envelope "bytimerelative" "-40"', by(-40), True),
        ('envelope "bytimeabsolute" "2026-03-01T12:10:00Z"', by(), True),
        ('envelope :zone "+0130" "bytimeabsolute" "2026-03-01T13:40:00+01:30"', by(), True),
        ('envelope :zone "-0500" "BYTIMEABSOLUTE" "2026-03-01T07:10:00-05:00"', by(), True),
        ('envelope :zone "+0000" "bytimeabsolute" "2026-03-01T12:10:00Z"', by(), True),
        ('envelope :zone "+0100" "bytimerelative" "600"', by(), True),
        ('envelope "bymode" "notify"', by(), True),
        ('envelope "bymode" "return"', by(mode="R"), True),
        ('envelope "bytrace" "trace"', by(trace=True), True),
        ('envelope "bytrace" ""', by(), True),
        ('envelope "bytrace" ""', by(trace=True), False),
        ('envelope :count "eq" "bytrace" "1"', by(), True),
        ('envelope :count "eq" "bymode" "1"', by(), True),
    ],
)
def test_the_parts(test, given, result):
    assert holds(test, require=NEEDS, by=given) is result


@pytest.mark.parametrize("part", ["bytimeabsolute", "bytimerelative", "bymode", "bytrace"])
def test_what_was_not_given_matches_nothing(part):
    assert not holds(f'envelope :matches "{part}" "*"', require=NEEDS)
    assert holds(f'envelope :count "eq" "{part}" "0"', require=NEEDS)


LATE = """
anyof (envelope :contains "bytimerelative" "-",
       envelope :value "eq" :comparator "i;ascii-numeric" "bytimerelative" "0")
"""


@pytest.mark.parametrize(("seconds", "late"), [(600, False), (0, True), (-5, True)])
def test_the_example_of_a_message_that_is_late(seconds, late):
    assert holds(LATE, require=NEEDS, by=by(seconds)) is late


def test_the_example_that_files_by_the_hour():
    script = """
    require ["envelope", "envelope-deliverby", "relational", "date", "variables", "fileinto"];
    if envelope :matches :zone "+0000" "bytimeabsolute" "*T*:*:*" {
        set "bdate" "${0}";
        set "bhour" "${2}";
        if currentdate :zone "+0000" :value "gt" "iso8601" "${bdate}" { fileinto "missed-${bhour}"; }
    }
    """
    late = DeliverBy(until=datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    assert actions(script, by=late) == [filed("missed-09")]


@pytest.mark.parametrize("zone", ["UTC", "+1", "+01:00", "0100", "+2400", "+0160", ""])
def test_a_zone_that_is_none(zone):
    (problem,) = problems(f'require ["envelope", "envelope-deliverby"]; if envelope :zone "{zone}" "bymode" "x" {{}}')
    assert "invalid time zone" in problem
    assert "invalid time zone" in failure(
        f'require ["envelope", "envelope-deliverby", "variables"]; if envelope :zone "{zone}${{x}}" "bytimeabsolute" "" {{}}'
    )


def test_no_address_part_can_be_asked_for():
    (problem,) = problems('require ["envelope", "envelope-deliverby"]; if envelope :domain "bymode" "x" {}')
    assert "is no address" in problem


def test_the_zone_needs_the_extension():
    (problem,) = problems('require "envelope"; if envelope :zone "+0000" "from" "x" {}')
    assert "unknown tagged argument ':zone'" in problem
