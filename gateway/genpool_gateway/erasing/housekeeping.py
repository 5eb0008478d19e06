"""The thread in which contents of tasks go when their time has come, and others that look now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from genpool_core import timing

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    """Something that is done every so many seconds, first after that time."""

    name: str
    seconds: float
    act: Callable[[], None]


class Housekeeping:
    """Does one look after the other; each ends early once ``stopping`` is set."""

    def __init__(
        self,
        looks: Sequence[Look],
        stopping: threading.Event,
        *,
        every: float = timing.HOUSEKEEPING_SECONDS,
        name: str = "housekeeping",
    ) -> None:
        """``every``: seconds after which it is looked what is due. ``name``: of the thread."""
        self._looks = looks
        self._every = every
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End after what is in hand, at most so long."""
        self._stopping.set()
        self._thread.join(seconds)

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._stopping.is_set()
        return None if alive else f"the thread {self._thread.name} has ended: see the log."

    def _run(self) -> None:
        due = [time.monotonic() + look.seconds for look in self._looks]
        while not self._stopping.wait(self._every):
            for number, look in enumerate(self._looks):
                if time.monotonic() < due[number]:
                    continue
                try:
                    look.act()
                except Exception:  # noqa: BLE001 - logged with its traceback; the next look may go well
                    _log.exception("housekeeping_failed", look=look.name)
                due[number] = time.monotonic() + look.seconds
