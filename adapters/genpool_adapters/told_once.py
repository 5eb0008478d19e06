"""Troubles of what is done again and again: each is told once, until it is another or has gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from genpool_core.errors import GenPoolError

_log = structlog.get_logger(__name__)


class ToldOnce:
    """For one thread. ``event``: the name in the log."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._told: dict[str, str] = {}

    @contextmanager
    def of(self, subject: str) -> Iterator[None]:
        """Tell what fails inside, unless it was told before, and go on after it."""
        try:
            yield
        except GenPoolError as error:
            if self._told.get(subject) != error.message:
                _log.warning(self._event, subject=subject, reason=error.reason, message=error.message)
            self._told[subject] = error.message
        else:
            self._told.pop(subject, None)
