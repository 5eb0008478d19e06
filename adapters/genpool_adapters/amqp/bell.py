"""Something has changed that connections may wait for, as a vhost that was made: they try at once."""

from __future__ import annotations

import threading
from typing import Protocol
from weakref import WeakSet


class Waiter(Protocol):
    """What waits before it tries again."""

    def try_now(self) -> None:
        """Try at once, if it waits; returns at once."""


class RetryBell:
    """Connections whose parameters have it listen to it, for as long as they live. Used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: WeakSet[Waiter] = WeakSet()

    def add(self, listener: Waiter) -> None:
        """One more."""
        with self._lock:
            self._listeners.add(listener)

    def ring(self) -> None:
        """Have all of them try at once; nothing happens to those that are connected."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.try_now()
