"""For all tests: no assertion by a clock. A loaded machine is slow, and what a program costs is bounded by its budget.

Properties are tried with the same examples each time, so that a change is what makes a test fail. `pytest
--hypothesis-profile=search` tries others, and twenty times as many.

Ctrl-C is heeded by what the tests start, also where they themselves are started to ignore it, as in the background.
"""

import signal

from hypothesis import HealthCheck, settings

ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", ANY_MACHINE, derandomize=True)
settings.register_profile("search", ANY_MACHINE, max_examples=2000)
settings.load_profile("any machine")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
