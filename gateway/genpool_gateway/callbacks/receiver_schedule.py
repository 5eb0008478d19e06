"""Which callback is tried next, so that a receiver that is away holds no other. No I/O; ``now`` is an argument.

======================  =============================================================================================
a receiver              gets
======================  =============================================================================================
any                     half of the attempts at a time, and its turn among the others
in trouble              two at a time, with growing pauses; all such receivers together half of the attempts
======================  =============================================================================================

A receiver is in trouble after a slow attempt or several failures in a row, until an attempt is quick and good. What
waits for it is held here for a while, unanswered to the broker, so that it is tried the moment that the receiver is
back. What was held for long is set aside into a delay step, at a bounded rate; at any rate when so much is held that
other receivers' callbacks would not be delivered to us any more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from genpool_core import timing
from genpool_core.backoff import Backoff

T = TypeVar("T")
#: Attempts at a time.
SLOTS = 16
#: Callbacks that the broker may have delivered to us and that wait or are tried.
WINDOW = 12_000
#: Callbacks set aside in a second, as long as there is room.
ASIDE_PER_SECOND = 10
_HALF = SLOTS // 2
_IN_TROUBLE = 2
_FAILURES = 3
_PRESSED = WINDOW - 1000
_PRESSED_BYTES = 64 * 1024 * 1024
_PAUSES = Backoff(timing.RECEIVER_PAUSE_SECONDS, timing.RECEIVER_PAUSE_MOST_SECONDS, spread=0.0)


@dataclass(frozen=True)
class Job(Generic[T]):
    """What a thread is to do with a callback: one attempt, or set it ``aside``."""

    item: T
    receiver: str
    aside: bool = False


@dataclass
class _Receiver(Generic[T]):
    waiting: deque[tuple[float, int, T]] = field(default_factory=deque)
    """Since when, size, item; the oldest first."""
    in_flight: int = 0
    failures: int = 0
    troubled: bool = False
    next_try: float = 0.0
    ended_at: float = 0.0


class ReceiverSchedule(Generic[T]):
    """Callbacks that wait, by receiver (host and port). Not safe for threads. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._receivers: dict[str, _Receiver[T]] = {}
        self._turns: deque[str] = deque()
        self._held = self._held_bytes = 0
        self._tried = self._tried_in_trouble = 0
        self._next_aside = 0.0

    def add(self, item: T, receiver: str, size: int, now: float) -> None:
        """A callback came. ``size``: bytes of its message."""
        known = self._receivers.setdefault(receiver, _Receiver())
        if not known.waiting:
            self._turns.append(receiver)
        known.waiting.append((now, size, item))
        self._held += 1
        self._held_bytes += size

    def next(self, now: float) -> Job[T] | float:
        """What to do now, or the seconds after which something may be due."""
        for _ in range(len(self._turns)):
            name = self._turns[0]
            self._turns.rotate(-1)
            known = self._receivers[name]
            if self._may_try(known, now):
                known.in_flight += 1
                self._tried += 1
                self._tried_in_trouble += known.troubled
                return Job(self._take(name), name)
        return self._aside(now)

    def ended(self, receiver: str, now: float, *, good: bool, slow: bool) -> None:
        """An attempt has ended. ``good``: the receiver answered, and its answer asks for no other attempt."""
        known = self._receivers[receiver]
        known.in_flight -= 1
        self._tried -= 1
        self._tried_in_trouble -= known.troubled
        was = known.troubled
        known.failures = 0 if good else known.failures + 1
        known.troubled = slow or known.failures >= _FAILURES or (was and not good)
        # What is in flight counts as its receiver does now.
        self._tried_in_trouble += known.in_flight * (known.troubled - was)
        known.next_try = now + (_PAUSES.seconds(known.failures) if known.troubled and not good else 0.0)
        known.ended_at = now
        self._forget_idle(now)

    def clear(self) -> None:
        """The connection is lost: the broker delivers again what waited."""
        for name in self._turns:
            self._receivers[name].waiting.clear()
        self._turns.clear()
        self._held = self._held_bytes = 0

    def _may_try(self, known: _Receiver[T], now: float) -> bool:
        if self._tried >= SLOTS:
            return False
        if not known.troubled:
            return known.in_flight < _HALF
        return known.in_flight < _IN_TROUBLE and self._tried_in_trouble < _HALF and now >= known.next_try

    def _take(self, name: str) -> T:
        known = self._receivers[name]
        _, size, item = known.waiting.popleft()
        self._held -= 1
        self._held_bytes -= size
        if not known.waiting:
            self._turns.remove(name)
        return item

    def _aside(self, now: float) -> Job[T] | float:
        """Set aside what waited longest for a receiver in trouble, where it is time to."""
        troubled = [
            (known.waiting[0][0], name) for name in self._turns if (known := self._receivers[name]).troubled
        ]
        if not troubled:
            return timing.RECEIVER_PAUSE_SECONDS
        since, name = min(troubled)
        pressed = self._held > _PRESSED or self._held_bytes > _PRESSED_BYTES
        due = max(since + timing.CALLBACK_HOLD_SECONDS, self._next_aside)
        if not pressed and now < due:
            return min(due - now, timing.RECEIVER_PAUSE_SECONDS)
        self._next_aside = now + 1 / ASIDE_PER_SECOND
        return Job(self._take(name), name, aside=True)

    def _forget_idle(self, now: float) -> None:
        """Forget receivers that have nothing here and were not tried for a while; of a good one nothing is known."""
        for name, known in list(self._receivers.items()):
            idle = not known.waiting and not known.in_flight
            fresh = known.failures or known.troubled
            if idle and not (fresh and now - known.ended_at < timing.CALLBACK_SLOW_WINDOW_SECONDS):
                del self._receivers[name]
