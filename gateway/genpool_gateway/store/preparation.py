"""The task store at the start of a gateway: a database that is away is waited for, and stops nothing but its tasks."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import structlog

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import SettingsError, TaskStoreError

_log = structlog.get_logger(__name__)
_RETRY = Backoff(timing.STORE_OPEN_RETRY_SECONDS, timing.STORE_OPEN_RETRY_MOST_SECONDS)


class Preparation:
    """A thread that prepares the store, again and again until that worked, then begins what needs it.

    Tables of a newer release are waited for too: callbacks go on, and the sentence stands in ``/readyz`` and in each
    answer of the API.
    """

    def __init__(self, prepare: Callable[[], None], begin: Callable[[], None]) -> None:
        self._prepare = prepare
        self._begin = begin
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._begun = False
        self._trouble: str | None = "the task store is not open yet."
        self._thread = threading.Thread(target=self._run, name="task-store-preparation", daemon=True)

    @property
    def begun(self) -> bool:
        """Whether what needs the store was begun."""
        return self._begun

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Try no more, and wait for the try in hand, at most so long. After this nothing is begun."""
        with self._lock:
            self._stopping.set()
        self._thread.join(seconds)

    def trouble(self) -> str | None:
        """Why the store cannot be used yet; None when it can."""
        return self._trouble

    def check(self) -> None:
        """Raise TaskStoreError while the store cannot be used yet."""
        trouble = self._trouble
        if trouble is not None:
            raise TaskStoreError(trouble)

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        works = self._begun or self._thread.is_alive() or self._stopping.is_set()
        return None if works else "the thread that opens the task store has ended: see the log."

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._prepare()
            except (TaskStoreError, SettingsError) as error:
                failures += 1
                self._trouble = error.message
                _log.warning("task_store_not_open", reason=error.reason, message=error.message)
                self._stopping.wait(_RETRY.seconds(failures, random.random()))  # noqa: S311 - spreads tries
            else:
                self._begin_once()
                return

    def _begin_once(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            self._begin()
            self._begun = True
            self._trouble = None
        _log.info("task_store_open")
