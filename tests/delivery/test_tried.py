"""Tests of a script as the journal keeps them."""

import json

import pytest

from sievemda.delivery.tried import MAX_TESTS, pack, unpack
from sievemda.sieve.limits import Limits
from sievemda.sieve.trail import parts_of
from tests.sieve.trying import outcome


def test_packing_and_unpacking_through_json_keeps_what_was_compared():
    tests = [(3, "header", True, [(("a form",), ("form", "bill"))]), (4, "exists", False, [])]
    assert unpack(json.loads(json.dumps(pack(tests)))) == [
        {"line": 3, "test": "header", "result": True, "compared": [{"values": ["a form"], "keys": ["form", "bill"]}]},
        {"line": 4, "test": "exists", "result": False, "compared": []},
    ]


@pytest.mark.parametrize(
    "tests",
    [
        [(1, "header", True, [(("x" * 1_000_000,), ("k",))])],
        [(1, "header", True, [(tuple("abc" * 10_000), ("k",))])],
        [(1, "header", True, [(("v",), ("k",))] * 10_000)],
        [(1, "header", True, [])] * (MAX_TESTS * 10),
    ],
)
def test_nothing_makes_an_entry_large(tests):
    assert len(json.dumps(pack(tests))) < 50_000


def test_what_is_cut_says_so():
    ((_, _, _, [(values, keys)]),) = pack([(1, "header", True, [(("x" * 300,), tuple("abcdefghij"))])])
    assert values[0].endswith("... (300 characters)")
    assert keys[-1] == "... and 2 more"


def skipping_script(number):
    """Rules of which one in the middle is for a message about twelve."""
    rules = (
        f'if anyof(header :is "subject" "s{n}", address :is "from" ["a{n}@b", "c@d{n}"]) {{ keep; }}'
        for n in range(number)
    )
    return "\n".join(rules)


@pytest.mark.parametrize("number", [20, 400])
def test_skipped_tests_are_unpacked_as_those_that_were_tried(number):
    found = outcome(skipping_script(number), b"Subject: s12\nFrom: caf\xc3\xa9@example.org\n\n")
    assert len(parts_of(found.tests)) == 4
    whole = json.loads(json.dumps(unpack(pack(tuple(found.tests)))))
    for _ in range(2):  # the second time from what was kept
        assert unpack(json.loads(json.dumps(pack(found.tests)))) == whole
    assert len(whole) == min(MAX_TESTS, len(found.tests))
    assert whole[2] == {"line": 1, "test": "anyof", "result": False, "compared": []}
    assert whole[1]["compared"] == [{"values": ["café@example.org"], "keys": ["a0@b", "c@d0"]}]


def test_what_a_trace_had_no_room_for_is_not_packed():
    found = outcome(skipping_script(20), b"Subject: x\n\n", limits=Limits(trace=7))
    assert len(unpack(pack(found.tests))) == len(found.tests) == 7


def test_skipped_tests_of_another_script_say_so():
    found = outcome(skipping_script(20), b"Subject: x\n\n")
    (part,) = parts_of(found.tests)
    part.script = "shared"
    assert {test["script"] for test in unpack(pack(found.tests))} == {"shared"}


def test_skipped_tests_of_a_large_script_do_not_make_an_entry_large():
    found = outcome(skipping_script(2000), b"Subject: " + b"x" * 10_000 + b"\n\n")
    assert len(json.dumps(pack(found.tests))) < 50_000
