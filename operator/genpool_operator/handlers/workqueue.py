"""A queue of requests for passes: a pool is in it at most once for each kind, and with one thread at a time."""

from __future__ import annotations

import heapq
import threading
import time
from dataclasses import dataclass

from genpool_operator.ports import PoolKey


@dataclass(frozen=True)
class Request:
    """A pass for a pool. ``full``: over its objects and topology too; else only over its queue, workers and pods."""

    key: PoolKey
    full: bool


class WorkQueue:
    """Requests become due at a time; ``get`` waits for the next one whose pool no other thread has in hand.

    Full and quick passes are given out apart: whatever holds up full ones holds up no scaling.
    """

    def __init__(self) -> None:
        lock = threading.Lock()
        self._lock = lock
        self._changed = {True: threading.Condition(lock), False: threading.Condition(lock)}
        self._due: dict[Request, float] = {}
        self._heaps: dict[bool, list[tuple[float, int, Request]]] = {True: [], False: []}
        self._number = 0
        self._in_hand: set[PoolKey] = set()
        self._parked: dict[PoolKey, list[Request]] = {}
        self._closed = False

    def request(self, key: PoolKey, full: bool) -> None:  # noqa: FBT001 - a callback of watches and monitors
        """Request a pass for a pool now."""
        self.add(Request(key, full))

    def add(self, request: Request, *, delay: float = 0.0) -> None:
        """Add a request, due after ``delay`` seconds. Where the same one is queued already, the earlier time counts."""
        due = time.monotonic() + delay
        with self._lock:
            known = self._due.get(request)
            if known is not None and known <= due:
                return
            self._due[request] = due
            self._push(due, request)

    def postpone(self, request: Request, delay: float) -> None:
        """Add a request, due not before ``delay`` seconds have passed, whatever was queued before."""
        due = time.monotonic() + delay
        with self._lock:
            self._due[request] = due
            self._push(due, request)

    def get(self, *, full: bool) -> Request | None:
        """The next request of a kind; its pool is the caller's until ``done``. None when the queue was closed."""
        with self._changed[full]:
            while not self._closed:
                wait = self._skim(self._heaps[full])
                if wait is not None and wait <= 0:
                    request = heapq.heappop(self._heaps[full])[2]
                    del self._due[request]
                    self._in_hand.add(request.key)
                    return request
                self._changed[full].wait(wait)
            return None

    def done(self, key: PoolKey) -> None:
        """The pass is over: other requests for the pool may be handed out."""
        with self._lock:
            self._in_hand.discard(key)
            for request in self._parked.pop(key, ()):
                if request in self._due:
                    self._push(self._due[request], request)

    def close(self) -> None:
        """Let every ``get`` return None."""
        with self._lock:
            self._closed = True
            for changed in self._changed.values():
                changed.notify_all()

    def _push(self, due: float, request: Request) -> None:
        """Put a request into its heap, and wake a thread that may wait for it. The lock is held."""
        self._number += 1
        heapq.heappush(self._heaps[request.full], (due, self._number, request))
        self._changed[request.full].notify()

    def _skim(self, heap: list[tuple[float, int, Request]]) -> float | None:
        """Put aside what cannot be handed out now; seconds until the first request is due, None when there is none."""
        while heap:
            due, _, request = heap[0]
            if self._due.get(request) != due:
                heapq.heappop(heap)
            elif request.key in self._in_hand:
                heapq.heappop(heap)
                self._parked.setdefault(request.key, []).append(request)
            else:
                return due - time.monotonic()
        return None
