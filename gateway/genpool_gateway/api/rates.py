"""How many requests a caller may send: a bucket of tokens for each, in memory of this gateway."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from genpool_core import timing

_REMEMBERED = 10_000


class Rates:
    """Used in the event loop only. ``per_second`` 0: no limit."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = max(1.0, per_second * timing.REQUEST_BURST_SECONDS)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> int | None:
        """Count a request; the whole seconds after which it may be sent, where it may not be now."""
        if self._per_second <= 0:
            return None
        now = self._clock()
        at, tokens = self._buckets.pop(caller, (now, self._burst))
        tokens = min(self._burst, tokens + (now - at) * self._per_second)
        granted = tokens >= 1
        self._buckets[caller] = (now, tokens - 1 if granted else tokens)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return None if granted else max(1, math.ceil((1 - tokens) / self._per_second))
