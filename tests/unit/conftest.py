"""For all tests without I/O: settings of the property tests, handlers of signals."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from genpool_adapters.signals import END_SIGNALS

# A machine that is busy with other things is slow, which is no fault of the code.
settings.register_profile("genpool", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("genpool")


@pytest.fixture
def handlers() -> Iterator[None]:
    """Of the signals that end a program, as before afterwards."""
    before = {number: signal.getsignal(number) for number in END_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
