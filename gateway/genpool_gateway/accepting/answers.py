"""What the store's answer to a task means to its sender. Pure."""

from __future__ import annotations

from genpool_gateway.accepting.refusals import (
    Erased,
    NotAccepted,
    OtherOptions,
    OtherRequest,
    QueueFull,
    over_cap,
)
from genpool_gateway.tasks.options import differing
from genpool_gateway.tasks.ports import Acceptance, Accepted, NewTask
from genpool_gateway.tasks.record import TaskRecord


def standing(
    task: NewTask, answer: Accepted, *, cap: int | None, full: QueueFull | None
) -> TaskRecord | NotAccepted:
    """The task that stands for this one, accepted now or before; or why there is none.

    ``cap``: the most unfinished tasks of its owner. ``full``: the refusal where its queue has no room.
    """
    record = answer.record
    if answer.acceptance is Acceptance.NO_ROOM and full is not None:
        return full
    if record is None or answer.acceptance is Acceptance.OVER_CAP:
        return over_cap(cap)
    if answer.acceptance is Acceptance.ERASED and record.erased_at is not None:
        return Erased(task=record.id, at=record.erased_at)
    if answer.acceptance is Acceptance.OTHER_OPTIONS:
        return OtherOptions(task=record.id, differing=differing(task.given, task.record, record))
    if answer.acceptance is Acceptance.OTHER_REQUEST:
        return OtherRequest(
            f"the Idempotency-Key was used for another request, of task {record.id}: send a new key with a new request."
        )
    return record
