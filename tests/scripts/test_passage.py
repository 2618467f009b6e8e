"""Histories of scripts as they are written for others, and what a hostile hand may make of that."""

import json

import pytest

from sievemda.errors import DataError
from sievemda.scripts import passage
from sievemda.state.past import Past
from sievemda.state.versions import Version, digest_of

VERSION = {"number": 1, "instant": 1, "status": "done", "action": "put", "script": "é", "digest": digest_of(b"a")}


def test_a_history_comes_back_as_it_was():
    versions = tuple(
        Version(n, n, "done", "rename", "é", "b", active=("é", "x"), owner="/global", actor="alice", address="::1")
        for n in range(1, 25_001)
    )
    past = Past(versions, ("é", "x"), {"é": digest_of(b"a")})
    pieces = [*passage.encode(past)]
    assert len(pieces) == 3
    assert sum((passage.decode(piece).versions for piece in pieces), ()) == versions
    assert passage.from_json(json.loads(json.dumps(passage.to_json(past)))) == past
    assert [passage.decode(piece) for piece in passage.encode(Past())] == [Past()]


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": 1 << 70},
        {"number": "1"},
        {"number": None},
        {"instant": -1},
        {"instant": 253_370_764_800},  # the year 10000, which nothing here can show
        {"instant": 1 << 61},
        {"status": "begun"},
        {"action": "drop"},
        {"script": "a\nb"},
        {"script": "\ud800"},
        {"script": ["a"]},
        {"script": "x" * 5000},
        {"digest": "../../etc/passwd"},
        {"before": "A" * 64},
        {"active": "main"},
        {"active": [""]},
        {"active_before": ["a\nb"]},
    ],
)
def test_what_is_no_version_is_refused(change):
    with pytest.raises(DataError):
        passage.from_json({"versions": [VERSION | change]})


@pytest.mark.parametrize(
    "piece", [b"", b"{", b"[]\n", b"1\n", b'{"versions": 1, "scripts": []}\n', b'{"active": [1]}\n', b"[" * 100_000]
)
def test_what_is_no_history_is_refused(piece):
    with pytest.raises(DataError):
        passage.decode(piece)
