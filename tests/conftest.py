"""For all tests: no assertion by a clock. A loaded machine is slow, and what a program costs is bounded by its budget.

Properties are tried with the same examples each time, so that a change is what makes a test fail. `pytest
--hypothesis-profile=search` tries others, and twenty times as many.
"""

from hypothesis import HealthCheck, settings

ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", ANY_MACHINE, derandomize=True)
settings.register_profile("search", ANY_MACHINE, max_examples=2000)
settings.load_profile("any machine")
