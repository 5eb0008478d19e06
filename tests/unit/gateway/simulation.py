"""A broker, slots and receivers in virtual time, around the gateway's own decisions."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from genpool_gateway.callbacks.disposition import (
    Acknowledge,
    Answered,
    Away,
    RetryLater,
    decide_aside,
    decide_disposition,
)
from genpool_gateway.callbacks.receiver_schedule import WINDOW, Job, ReceiverSchedule


@dataclass(frozen=True)
class Callback:
    """A callback message and what its headers say."""

    receiver: str
    published: float
    attempts: int = 0
    asides: int = 0
    since: float | None = None


@dataclass
class Simulation:
    """``takes``: seconds of an attempt and whether the receiver takes the callback, by receiver and time."""

    takes: Callable[[str, float], tuple[float, bool]]
    now: float = 0.0
    republished: list[float] = field(default_factory=list)
    delivered: list[tuple[Callback, float]] = field(default_factory=list)
    given_up: list[tuple[Callback, float]] = field(default_factory=list)
    tried: dict[str, int] = field(default_factory=dict)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _queue: deque[Callback] = field(default_factory=deque)
    _unanswered: int = 0
    _schedule: ReceiverSchedule[Callback] = field(default_factory=ReceiverSchedule)
    _looks_at: float = float("inf")

    def publish(self, callback: Callback) -> None:
        self.at(callback.published, lambda: self._queue.append(callback))

    def at(self, time: float, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (time, self._number, act))

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, act = heapq.heappop(self._events)
            act()
            # Everything of one moment first: the broker has it before a thread looks.
            if not self._events or self._events[0][0] > self.now:
                self._look()

    def _deliver(self) -> None:
        while self._queue and self._unanswered < WINDOW:
            callback = self._queue.popleft()
            self._unanswered += 1
            self._schedule.add(callback, callback.receiver, 2000, self.now)

    def _look(self) -> None:
        self._deliver()
        while isinstance(job := self._schedule.next(self.now), Job):
            if job.aside:
                self._put_aside(job.item)
            else:
                self._begin(job.item)
            self._deliver()
        if not self._looks_at > self.now or self.now + job < self._looks_at:
            self._looks_at = self.now + job
            if self._unanswered:
                self.at(self._looks_at, lambda: None)

    def _begin(self, callback: Callback) -> None:
        seconds, taken = self.takes(callback.receiver, self.now)
        self.tried[callback.receiver] = self.tried.get(callback.receiver, 0) + 1
        self.at(self.now + seconds, lambda: self._end(callback, seconds, taken))

    def _end(self, callback: Callback, seconds: float, taken: bool) -> None:  # noqa: FBT001 - a callback
        outcome = Answered(204) if taken else Away("it did not answer in time.")
        decided = decide_disposition(outcome, callback.attempts, self._put_off(callback))
        self._schedule.ended(callback.receiver, self.now, good=taken, slow=seconds >= 4)
        self._unanswered -= 1
        if isinstance(decided, Acknowledge):
            self.delivered.append((callback, self.now))
        elif isinstance(decided, RetryLater):
            self._delay(replace(callback, attempts=decided.attempts), decided)
        else:
            self.given_up.append((callback, self.now))

    def _put_aside(self, callback: Callback) -> None:
        decided = decide_aside(callback.asides, callback.attempts, self._put_off(callback))
        self._unanswered -= 1
        if isinstance(decided, RetryLater):
            self._delay(replace(callback, asides=callback.asides + 1), decided)
        else:
            self.given_up.append((callback, self.now))

    def _delay(self, callback: Callback, retry: RetryLater) -> None:
        self.republished.append(self.now)
        known = replace(callback, since=self.now if callback.since is None else callback.since)
        self.at(self.now + retry.delay_seconds, lambda: self._queue.append(known))

    def _put_off(self, callback: Callback) -> float:
        return 0.0 if callback.since is None else self.now - callback.since
