"""Refused for now, or for good."""

import pytest

from sievemda.policy.grace import ends, is_for_good, since_when_full

NOW = 1_000_000


@pytest.mark.parametrize(
    ("permanent", "grace", "full_since", "for_good"),
    [
        (False, 0, 0, False),
        (False, 0, NOW - 10**5, False),
        (True, 0, 0, True),
        (True, 0, NOW, True),
        (False, 100, 0, False),
        (False, 100, NOW - 99, False),
        (False, 100, NOW - 100, True),
        (True, 100, NOW - 99, False),
        (True, 100, NOW - 100, True),
        (False, 100, NOW + 10**6, False),  # the clock was wrong
    ],
)
def test_a_refusal_is_for_good_when_the_table_says_so(permanent, grace, full_since, for_good):
    assert is_for_good(permanent=permanent, grace=grace, full_since=full_since, now=NOW) is for_good


@pytest.mark.parametrize(("full_since", "end"), [(0, NOW + 50), (NOW - 10, NOW + 40), (NOW + 99, NOW + 50)])
def test_the_grace_period_ends_so_long_after_its_beginning(full_since, end):
    assert ends(50, full_since, NOW) == end


@pytest.mark.parametrize(
    ("before", "occasion", "over", "near", "since"),
    [
        (0, "refused", True, False, NOW),
        (5, "refused", True, False, 5),
        (5, "refused", False, True, 5),
        (NOW + 7, "refused", True, False, NOW),
        (0, "room", False, False, 0),
        (0, "room", True, False, NOW),
        (5, "room", True, False, NOW),  # there was room just now
        (5, "room", False, True, 0),
        (0, "unasked", True, False, NOW),
        (5, "unasked", True, False, 5),
        (5, "look", True, False, 5),
        (5, "look", False, False, 0),
        (0, "look", False, True, 0),  # nothing was refused yet
        (5, "look", False, True, 5),
        (NOW + 7, "look", True, False, NOW),
    ],
)
def test_a_root_is_full_from_the_first_refusal_to_the_next_room(before, occasion, over, near, since):
    assert since_when_full(before, occasion, over=over, near=near, now=NOW) == since
