"""Tests of a script as the journal keeps them."""

import json

import pytest

from sievemda.delivery.tried import MAX_TESTS, pack, unpack


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
