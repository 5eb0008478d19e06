"""A queue of pools to look at: each at most once in it for each kind of look, and never with two threads at a time."""

from __future__ import annotations

import heapq
import threading
import time
from dataclasses import dataclass

Key = tuple[str, str]


@dataclass(frozen=True)
class Item:
    """A look at a pool: ``full``, or only at its queue, workers and pods."""

    key: Key
    full: bool


class WorkQueue:
    """Items become due at a time; ``get`` waits for the next one whose pool nobody else has in hand."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[Item, float] = {}
        self._heap: list[tuple[float, int, Item]] = []
        self._number = 0
        self._in_hand: set[Key] = set()
        self._parked: dict[Key, list[Item]] = {}
        self._closed = False

    def add(self, item: Item, *, delay: float = 0.0) -> None:
        """Look after ``delay`` seconds. Where the same look is due already, the earlier time counts."""
        due = time.monotonic() + delay
        with self._changed:
            known = self._due.get(item)
            if known is not None and known <= due:
                return
            self._due[item] = due
            self._push(due, item)
            self._changed.notify()

    def postpone(self, item: Item, delay: float) -> None:
        """Look not before ``delay`` seconds have passed, whatever was asked for before."""
        due = time.monotonic() + delay
        with self._changed:
            self._due[item] = due
            self._push(due, item)
            self._changed.notify()

    def get(self) -> Item | None:
        """The next item; its pool is the caller's until ``done``. None when the queue was closed."""
        with self._changed:
            while not self._closed:
                wait = self._skim()
                if wait is not None and wait <= 0:
                    item = heapq.heappop(self._heap)[2]
                    del self._due[item]
                    self._in_hand.add(item.key)
                    return item
                self._changed.wait(wait)
            return None

    def done(self, key: Key) -> None:
        """Give a pool back."""
        with self._changed:
            self._in_hand.discard(key)
            for item in self._parked.pop(key, ()):
                if item in self._due:
                    self._push(self._due[item], item)
            self._changed.notify()

    def close(self) -> None:
        """Let every ``get`` return None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _push(self, due: float, item: Item) -> None:
        self._number += 1
        heapq.heappush(self._heap, (due, self._number, item))

    def _skim(self) -> float | None:
        """Put what cannot be handed out aside; seconds until the first item is due, or None when there is none."""
        while self._heap:
            due, _, item = self._heap[0]
            if self._due.get(item) != due:
                heapq.heappop(self._heap)
            elif item.key in self._in_hand:
                heapq.heappop(self._heap)
                self._parked.setdefault(item.key, []).append(item)
            else:
                return due - time.monotonic()
        return None
