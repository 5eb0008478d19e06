"""Futures of other threads, awaited in the event loop: one wake-up for all that ended since the last."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Bridge:
    """For one event loop. ``asyncio.wrap_future`` wakes the loop for each future, which under load is most of its work.

    A future that ends late, or whose waiter was cancelled, goes on by itself: nothing is cancelled.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: deque[Callable[[], None]] = deque()

    async def result(self, future: Future[T], seconds: float) -> T:
        """What a future brings; raises what it raises, or TimeoutError after so long."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()

        def ended(done: Future[T]) -> None:
            self._tell(loop, lambda: _pass_on(done, waiter))

        future.add_done_callback(ended)
        limit = loop.call_later(seconds, _give_up, waiter)
        try:
            return await waiter
        finally:
            limit.cancel()

    def _tell(self, loop: asyncio.AbstractEventLoop, pass_on: Callable[[], None]) -> None:
        """From any thread."""
        with self._lock:
            self._ended.append(pass_on)
            first = len(self._ended) == 1
        if first:
            # A loop that is closed waits for nothing any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._lock:
            ended, self._ended = self._ended, deque()
        for pass_on in ended:
            pass_on()


def _pass_on(done: Future[T], waiter: asyncio.Future[T]) -> None:
    if waiter.done():
        return
    error = done.exception()
    if error is None:
        waiter.set_result(done.result())
    else:
        waiter.set_exception(error)


def _give_up(waiter: asyncio.Future[Any]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
