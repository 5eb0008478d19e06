"""Why a task was not accepted. Each has its reason; what it means in HTTP is the API's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from genpool_core.errors import GenPoolError


class NotAccepted(GenPoolError):  # noqa: N818 - named for what the sender sees
    """Root of the refusals. Nothing is kept of the task."""

    reason = "NotAccepted"


class OtherRequest(NotAccepted):
    """The idempotency key was used for another request within a day."""

    reason = "IdempotencyKeyReused"


class OtherOptions(NotAccepted):
    """The task was accepted before, with other options. ``task``: its id; ``differing``: their names."""

    reason = "TaskIdReused"

    def __init__(self, *, task: str, differing: Sequence[str]) -> None:
        names = ", ".join(differing)
        super().__init__(
            f"task {task} has this task_id and the same contents, and was sent with another {names} before: it keeps "
            f"what was sent first. Leave out {names} to be answered with that task, or send another task_id."
        )
        self.task = task
        self.differing = tuple(differing)


class Erased(NotAccepted):
    """The task was done before, and its contents were deleted. ``task``: its id."""

    reason = "TaskErased"

    def __init__(self, *, task: str, at: datetime) -> None:
        when = at.isoformat(timespec="seconds")
        super().__init__(
            f"task {task} is this one: it has ended, and its contents were deleted at {when}, so it is not done again. "
            "To have it done once more, send it with another task_id, and under another Idempotency-Key if it has one."
        )
        self.task = task


class OverCap(NotAccepted):
    """The sender's key has as many unfinished tasks as it may have."""

    reason = "TooManyTasks"


def over_cap(cap: int | None) -> OverCap:
    """The refusal for a key with so many unfinished tasks."""
    return OverCap(f"this key has {cap} unfinished tasks, which is its limit: wait until some have ended.")


class QueueFull(NotAccepted):
    """As many tasks of the pool wait as may. ``retry_after``: seconds, where that can be told."""

    reason = "QueueFull"

    def __init__(self, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooLarge(NotAccepted):
    """No queue takes its message, and what makes it so large cannot go elsewhere."""

    reason = "RequestTooLarge"


class NotPublished(NotAccepted):
    """The broker does not have the task, for certain."""

    reason = "BrokerUnavailable"


class Overloaded(NotAccepted):
    """More tasks wait for their confirmation than the gateway holds."""

    reason = "GatewayOverloaded"


class Unconfirmed(GenPoolError):  # noqa: N818 - what is known of the task
    """The task is stored, and it is not known whether the broker has it. It is settled later, under the same id."""

    reason = "NotConfirmed"

    def __init__(self, message: str, *, task: str) -> None:
        super().__init__(message)
        self.task = task
        """Its id."""
