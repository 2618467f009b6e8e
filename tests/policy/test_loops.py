"""RFC 5321 §6.3."""

import pytest

from sievemda.policy.loops import is_loop


@pytest.mark.parametrize(("hops", "looping"), [(0, False), (100, False), (101, True), (10_000, True)])
def test_more_hops_than_the_maximum_are_a_loop(hops, looping):
    assert is_loop(hops, 100) is looping
