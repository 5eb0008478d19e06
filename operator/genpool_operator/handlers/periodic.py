"""A thread that does one thing again and again, and at once where something has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from genpool_core import timing
from genpool_core.errors import GenPoolError

_log = structlog.get_logger(__name__)


class PeriodicThread:
    """Calls ``step`` at once and every ``seconds``. A call that fails is logged, and the next one comes.

    ``events``: names of the log events of a failed call and of one that crashed.
    """

    def __init__(
        self, name: str, step: Callable[[], None], seconds: float, *, events: tuple[str, str]
    ) -> None:
        self._step = step
        self._seconds = seconds
        self._failed, self._crashed = events
        self._stopped = threading.Event()
        self._due = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def hurry(self) -> None:
        """Call now; where a call is in hand, once more after it. Returns at once."""
        self._due.set()

    def stop(self) -> None:
        """Let the call in hand end, then stop."""
        self._stopped.set()
        self._due.set()
        self._thread.join(timing.RESYNC_STOP_SECONDS)

    def unhealthy(self) -> str | None:
        """That the thread has ended; None while it runs."""
        return None if self._thread.is_alive() else f"thread {self._thread.name} has ended"

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._due.clear()
            try:
                self._step()
            except GenPoolError as error:
                _log.warning(self._failed, reason=error.reason, message=error.message)
            except Exception:  # noqa: BLE001 - the next call may work
                _log.exception(self._crashed)
            if not self._stopped.is_set():
                self._due.wait(self._seconds)
