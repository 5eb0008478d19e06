"""The port of the API's figures."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class ApiMetrics(Protocol):
    """The figures of the API."""

    def answered(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """A request was answered. ``seconds``: until the answer began; None where it waited for a task's end."""

    def accepted(self, pool: str) -> None:
        """A task that is new is in the queue of its pool, ``namespace/name``."""

    def refused(self, reason: str) -> None:
        """A task was not accepted."""

    def streaming(self) -> AbstractContextManager[object]:
        """For as long as a stream of events is open."""
