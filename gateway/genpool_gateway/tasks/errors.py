"""What is refused because of where a task stands."""

from __future__ import annotations

from genpool_core.errors import GenPoolError


class NotEnded(GenPoolError):  # noqa: N818 - the state of the task
    """The task has not ended."""

    reason = "NotEnded"
