"""Which receivers may be tried now, so that one that hangs does not hold the others. No I/O; ``now`` is an argument.

A receiver that was slow may have only a few attempts in flight until one of them is quick; further callbacks to it
step aside for a moment. All others go on at once.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from genpool_core import timing


@dataclass
class _Receiver:
    in_flight: int = 0
    slow_until: float = 0.0


class SlowReceivers:
    """Counts attempts in flight by receiver (host and port). Safe for threads; times are monotonic seconds."""

    def __init__(
        self, *, slow_limit: int = 2, slow_seconds: float = timing.CALLBACK_SLOW_WINDOW_SECONDS
    ) -> None:
        self._slow_limit = slow_limit
        self._slow_seconds = slow_seconds
        self._lock = threading.Lock()
        self._receivers: dict[str, _Receiver] = {}

    def enter(self, receiver: str, now: float) -> bool:
        """Whether an attempt may begin; it is then in flight until :meth:`leave`."""
        with self._lock:
            known = self._receivers.setdefault(receiver, _Receiver())
            if known.slow_until > now and known.in_flight >= self._slow_limit:
                return False
            known.in_flight += 1
            return True

    def leave(self, receiver: str, now: float, *, slow: bool) -> None:
        """An attempt has ended."""
        with self._lock:
            known = self._receivers[receiver]
            known.in_flight -= 1
            known.slow_until = now + self._slow_seconds if slow else 0.0
            for name in [name for name, item in self._receivers.items() if _idle(item, now)]:
                del self._receivers[name]


def _idle(receiver: _Receiver, now: float) -> bool:
    return receiver.in_flight == 0 and receiver.slow_until <= now
