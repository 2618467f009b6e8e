"""Histories that were carried somewhere, and what comes of them there."""

from dataclasses import replace

import pytest

from sievemda.state.past import Past, joined
from sievemda.state.versions import Bounds, Known, Version, Versions, digest_of

A, B = b"keep;\n", b"discard;\n"


def put(number, text=A, instant=None, **more):
    return Version(
        number, instant or 1000 + number, "done", "put", "main", size=len(text), digest=digest_of(text), **more
    )


@pytest.mark.parametrize(
    ("kept", "given", "numbers"),
    [
        ([], [put(1), put(2)], [1, 2]),
        ([put(1), put(2)], [put(1), put(2)], None),
        ([put(1)], [put(1), put(2)], [1, 2]),
        ([put(3)], [put(1), put(3)], [1, 3]),  # older ones that are not kept any more
        ([put(1, instant=2000)], [put(1), put(2), put(3)], [1, 2, 3, 4]),  # begun anew there
        ([put(1, instant=1000), put(2, instant=3000)], [put(1, instant=2000)], [1, 2, 3]),
    ],
)
def test_what_is_the_same_is_there_once_and_numbers_stay_where_they_can(kept, given, numbers):
    found = joined(kept, given)
    assert (found and [version.number for version in found]) == numbers
    assert found is None or [v.instant for v in found] == sorted(v.instant for v in found)


def test_two_equal_changes_of_one_second_stay_two():
    twice = [put(1, instant=5), put(2, instant=5)]
    assert [v.number for v in joined([], twice)] == [1, 2]
    assert joined(twice, twice) is None
    assert len(joined(twice[:1], twice)) == 2


def test_numbers_of_what_was_undone_follow():
    kept = [put(1, instant=2000), put(2, B, instant=2001, undoes=1)]
    given = [put(1), put(2, B, undoes=1)]
    assert [(v.number, v.undoes) for v in joined(kept, given)] == [(1, 0), (2, 1), (3, 0), (4, 3)]


@pytest.fixture
def versions(tmp_path):
    found = Versions(tmp_path / "versions.db", Bounds(number=4))
    yield found
    found.close()


TEXTS = {digest_of(text): text for text in (A, B)}


def test_who_was_never_looked_at_is_known_as_he_was(versions):
    past = Past((put(1), put(2, B)), ("main",), {"main": digest_of(B)})
    for _ in range(2):
        versions.join("k", past, TEXTS.get)
        assert versions.past("k") == past
    assert versions.known("k") == Known(2, ("main",), {"main": (digest_of(B), "")}, (), met=True)
    assert versions.text(digest_of(A)) == A


def test_afresh_nothing_is_known_to_be_there(versions):
    versions.join("k", Past((put(1),), ("main",), {"main": digest_of(A)}), TEXTS.get)
    versions.join("k", Past(), TEXTS.get, "none")
    assert versions.known("k") == Known(1, met=True)
    assert versions.text(digest_of(A)) == A  # a version has it


def test_what_comes_has_no_more_room_than_what_is_made_here(versions):
    versions.join("k", Past(tuple(map(put, range(1, 10)))), TEXTS.get)
    assert [version.number for version in versions.of("k")] == [6, 7, 8, 9]


def test_what_is_under_way_does_not_travel(versions):
    versions.begin("k", put(1), A)
    assert versions.past("k").versions == ()
    versions.settle("k", 1, "failed", Known(), Known(1, met=True))
    assert versions.past("k").versions == (replace(put(1), status="failed"),)
