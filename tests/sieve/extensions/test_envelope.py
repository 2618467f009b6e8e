import pytest

from tests.sieve.trying import holds, outcome, problems


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('envelope "from" "coyote@desert.example.org"', True),
        ('envelope :all :is "FROM" "COYOTE@desert.example.org"', True),
        ('envelope :domain "from" "desert.example.org"', True),
        ('envelope :localpart "to" "roadrunner"', True),
        ('envelope ["from", "to"] "roadrunner@acme.example.com"', True),
        ('envelope "to" "coyote@desert.example.org"', False),
        ('envelope :contains "to" ""', True),
    ],
)
def test_envelope_compares_the_addresses_of_the_transaction(test, expected):
    assert holds(test, require="envelope") is expected


@pytest.mark.parametrize("part", [":all", ":localpart", ":domain", ":user", ":detail"])
def test_the_null_reverse_path_is_the_empty_string_for_every_part(part):
    assert holds(f'envelope {part} "from" ""', require="envelope subaddress", sender="")
    assert not holds(f'envelope {part} :matches "from" "?*"', require="envelope subaddress", sender="")


@pytest.mark.parametrize(("sender", "count"), [("", "0"), ("a@b", "1")])
def test_the_null_reverse_path_counts_as_none(sender, count):
    test = f'envelope :count "eq" :comparator "i;ascii-numeric" "from" "{count}"'
    assert holds(test, require="envelope relational comparator-i;ascii-numeric", sender=sender)


def test_the_posting_identity():
    assert holds('envelope "auth" "wile"', require="envelope", auth="wile")
    assert not holds('envelope :contains "auth" ""', require="envelope")


def test_an_unknown_part_is_an_error():
    assert problems('require "envelope"; if envelope "cc" "x" {}') == [
        "1:33: error: unknown envelope part 'cc': known are auth, from, to"
    ]
    script = 'require ["envelope", "variables"]; set "p" "cc";\nif envelope "${p}" "x" {}'
    assert str(outcome(script).failure) == "2:1: error: unknown envelope part 'cc'"
