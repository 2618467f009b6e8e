"""Test files that all pass: what they say is the specification of the runner, in its own language."""

from pathlib import Path

import pytest

from sievemda.delivery.scratch import ScratchWorld
from sievemda.sieve.testing.runner import Order, run_file

FILES = sorted((Path(__file__).parents[2] / "svtest").glob("*.svtest"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_test_of_the_file_passes(path):
    said = []
    result = run_file(path, Order(say=said.append, make_world=ScratchWorld))
    assert [(case.name, case.message, case.line) for case in result.cases if case.status != "passed"] == []
    assert (result.error, result.problems) == (None, ())
    assert result.cases
