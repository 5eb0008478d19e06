"""The one thread that asks a broker's management API. Others wait for it for a short time only, and never for a hang.

So a broker that takes requests and answers none holds its own thread, and each caller once for
``timing.MANAGEMENT_WAIT_SECONDS``; until something else is heard of it, later callers do not wait at all.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

from genpool_adapters.management.api import UNREACHABLE
from genpool_core import timing
from genpool_core.errors import BrokerError

T = TypeVar("T")


class ManagementThread:
    """Does jobs one after the other, in the order in which they came. ``url``: the API's, for sentences."""

    def __init__(self, name: str, url: str, *, wait_seconds: float = timing.MANAGEMENT_WAIT_SECONDS) -> None:
        self._url = url
        self._wait_seconds = wait_seconds
        self._jobs: SimpleQueue[Callable[[], bool] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._pending = 0
        self._hung = False
        self._began: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"management {name}", daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Let the thread do a job; returns at once.

        Raises
        ------
        BrokerError
            A request hangs: nothing is put behind it.
        """
        future: Future[T] = Future()

        def run() -> bool:
            """Whether it succeeded."""
            if not future.set_running_or_notify_cancel():
                return True
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - the caller's
                future.set_exception(error)
                return False
            future.set_result(result)
            return True

        with self._lock:
            if self._pending and self._hangs():
                raise self._silent()
            self._pending += 1
        self._jobs.put(run)
        return future

    def wait(self, future: Future[T]) -> T:
        """The job's result.

        Raises
        ------
        BrokerError
            It did not end in time, and goes on.
        Exception
            The job's own.
        """
        with self._lock:
            patience = 0.0 if self._hangs() else self._wait_seconds
        try:
            return future.result(patience)
        except TimeoutError:
            if future.done() and not future.cancelled():
                return future.result()
            raise self._silent() from None

    def do(self, job: Callable[[], T]) -> T:
        """Do a job that nobody else waits for. Raises as :meth:`wait`; one that had not begun by then is not done."""
        future = self.submit(job)
        try:
            return self.wait(future)
        finally:
            future.cancel()

    def close(self, seconds: float) -> None:
        """End the thread; a request in hand may take ``seconds``."""
        self._jobs.put(None)
        self._thread.join(seconds)

    def _hangs(self) -> bool:
        """Whether a request waits for too long, or did when the last one failed."""
        since = self._began
        return self._hung or (since is not None and time.monotonic() - since >= self._wait_seconds)

    def _silent(self) -> BrokerError:
        return BrokerError(
            f"The management API at {self._url} has not answered for {self._wait_seconds:.0f} s: check that RabbitMQ "
            "is not overloaded or in alarm. It goes on by itself once it answers.",
            reason=UNREACHABLE,
        )

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            began = time.monotonic()
            with self._lock:
                self._began = began
            succeeded = job()
            with self._lock:
                self._began = None
                self._pending -= 1
                self._hung = not succeeded and time.monotonic() - began >= self._wait_seconds
