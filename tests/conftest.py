"""Settings of the tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Exact arithmetic and the first call of a compiled kernel take as long as they take.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
