import pytest

from tests.sieve.trying import holds, problems

R = "relational comparator-i;ascii-numeric"
MESSAGE = b"""\
Received: one
Received: two
Subject: example
To: foo@example.com, baz@example.com
Cc: Team: qux@example.com;, nobody
X-Priority: 3
X-Name: melon
"""
NUMERIC = ':comparator "i;ascii-numeric"'


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (f'address :count "ge" {NUMERIC} ["to", "cc"] ["3"]', True),
        (f'anyof (address :count "ge" {NUMERIC} ["to"] ["3"], address :count "ge" {NUMERIC} ["cc"] ["3"])', False),
        (f'header :count "ge" {NUMERIC} ["received"] ["3"]', False),
        (f'header :count "ge" {NUMERIC} ["received", "subject"] ["3"]', True),
        (f'header :count "ge" {NUMERIC} ["to", "cc"] ["3"]', False),
        (f'header :count "eq" {NUMERIC} "x-missing" "0"', True),
        (f'header :count "ne" {NUMERIC} "received" ["2", "3"]', True),
        (f'header :value "eq" {NUMERIC} "x-priority" "3"', True),
        (f'header :value "lt" {NUMERIC} "x-priority" "10"', True),
        ('header :value "lt" "x-priority" "10"', False),  # as strings
        (f'header :value "gt" {NUMERIC} "x-name" "5"', True),  # no number is infinite
        ('header :value "ge" "x-name" "A"', True),
        ('header :value "lt" "x-name" "N"', True),
        ('header :value "GE" "x-name" "m"', True),
        ('header :value "gt" "x-missing" ""', False),
        ('header :value "ne" "x-name" ["melon", "lemon"]', True),
        ('header :value "ne" "x-name" "MELON"', False),
        ('header :value :comparator "i;octet" "ne" "x-name" "MELON"', None),
    ],
)
def test_relations(test, expected):
    if expected is None:
        assert problems(f'require ["relational"]; if {test} {{}}')
    else:
        assert holds(test, MESSAGE, require=R) is expected


def test_an_unknown_relation_is_an_error():
    assert problems('require "relational"; if header :count "xx" "a" "1" {}') == [
        "1:33: error: ':count' must be followed by one of gt, ge, lt, le, eq, ne, not 'xx'"
    ]


def test_the_extended_example_of_the_rfc():
    script = """anyof (header :value "lt" :comparator "i;ascii-numeric" ["x-priority"] ["3"],
                       address :count "gt" :comparator "i;ascii-numeric" ["to", "cc"] ["5"])"""
    assert not holds(script, MESSAGE, require=R)
    assert holds(script, MESSAGE.replace(b"Priority: 3", b"Priority: 2"), require=R)
