import sys

import pytest


@pytest.fixture
def count_steps():
    """How many lines of Python a call runs: a measure of its work that does not depend on the machine."""

    def count(call):
        steps = 0

        def trace(frame, event, argument):
            nonlocal steps
            steps += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            call()
        finally:
            sys.settrace(before)
        return steps

    return count
