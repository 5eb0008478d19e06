"""The thread that works on tasks, and what it says when it ends before its time."""

from __future__ import annotations

import threading

import structlog

from genpool_core.errors import GenPoolError
from genpool_worker.consumer import TaskConsumer
from genpool_worker.drain import Drain

_log = structlog.get_logger(__name__)


class ConsumerThread:
    """Runs the consumer until the drain begins and the delivery in hand has ended."""

    def __init__(self, consumer: TaskConsumer, drain: Drain) -> None:
        self._consumer = consumer
        self._drain = drain
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)
        self._failed = threading.Event()

    @property
    def failed(self) -> bool:
        """Whether the work ended for good: what it needs is not safe to use, or there is a defect."""
        return self._failed.is_set()

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for its end, at most so long."""
        self._thread.join(seconds)

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works, and in a drain."""
        alive = self._thread.is_alive() or self._drain.active
        return None if alive else "the thread that works on tasks has ended: see the log."

    def _run(self) -> None:
        try:
            self._consumer.run()
        except GenPoolError as error:
            self._failed.set()
            _log.error("worker_refuses", reason=error.reason, message=error.message)
        except BaseException:
            self._failed.set()
            _log.exception("worker_failed")
            raise
