"""Settings of the property tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A machine that is busy with other things is slow, which is no fault of the code.
settings.register_profile("genpool", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("genpool")
