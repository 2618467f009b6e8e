"""For all tests: no assertion by a clock. A loaded machine is slow, and what a program costs is bounded by its budget."""

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
