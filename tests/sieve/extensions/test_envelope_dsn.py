"""RFC 6009 §4 with its examples."""

import pytest

from tests.sieve.trying import failure, holds, problems

ALL = {
    "notify": ("SUCCESS", "DELAY"),
    "orcpt_type": "rfc822",
    "orcpt": "info@example.com",
    "ret": "HDRS",
    "envid": "Q 1",
}
NEEDS = "envelope envelope-dsn relational comparator-i;ascii-numeric subaddress"


@pytest.mark.parametrize(
    ("test", "result"),
    [
        ('envelope "notify" "SUCCESS"', True),
        ('envelope "NOTIFY" "success"', True),
        ('envelope "notify" "FAILURE"', False),
        ('envelope :comparator "i;octet" "notify" "success"', False),
        ('envelope :matches "orcpt" "rfc822;*@example.com"', True),
        ('envelope "orcpt" "info@example.com"', False),
        ('envelope "ret" "hdrs"', True),
        ('envelope "ret" "FULL"', False),
        ('envelope "envid" "Q 1"', True),
        ('envelope ["from", "envid"] "Q 1"', True),
        ('envelope :count "eq" :comparator "i;ascii-numeric" "notify" "2"', True),
        ('envelope :count "eq" :comparator "i;ascii-numeric" ["orcpt", "ret", "envid"] "3"', True),
    ],
)
def test_the_parameters_of_the_transaction(test, result):
    assert holds(test, require=NEEDS, **ALL) is result


@pytest.mark.parametrize("part", ["notify", "orcpt", "ret", "envid"])
def test_what_was_not_given_matches_nothing_and_counts_as_none(part):
    assert not holds(f'envelope :contains "{part}" ""', require=NEEDS)
    assert not holds(f'envelope :matches "{part}" "*"', require=NEEDS)
    assert holds(f'envelope :count "eq" :comparator "i;ascii-numeric" "{part}" "0"', require=NEEDS)


@pytest.mark.parametrize(("notify", "only"), [(("FAILURE",), True), (("FAILURE", "DELAY"), False), (("NEVER",), False)])
def test_the_example_of_one_condition_alone(notify, only):
    test = 'allof (envelope "notify" "FAILURE", envelope :comparator "i;ascii-numeric" :count "eq" "notify" "1")'
    assert holds(test, require=NEEDS, notify=notify) is only


@pytest.mark.parametrize("tag", [":all", ":localpart", ":domain", ":user", ":detail"])
@pytest.mark.parametrize("parts", ['"notify"', '["from", "orcpt"]'])
def test_no_address_part_can_be_asked_for(tag, parts):
    (problem,) = problems(f'require ["envelope", "envelope-dsn", "subaddress"]; if envelope {tag} {parts} "x" {{}}')
    assert f"is no address: '{tag}' cannot be asked of it" in problem


def test_nor_by_a_variable():
    script = 'require ["envelope", "envelope-dsn", "variables"]; set "p" "ret"; if envelope :all "${p}" "x" {}'
    assert "the envelope part 'ret' is no address" in failure(script)


def test_the_parts_need_the_extension():
    (problem,) = problems('require "envelope"; if envelope "notify" "NEVER" {}')
    assert "unknown envelope part 'notify': known are auth, from, to" in problem
