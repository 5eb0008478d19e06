"""Figures of an ended task, as usage sums them."""

from __future__ import annotations

from genpool_gateway.tasks.record import TaskRecord


def wait_seconds(record: TaskRecord) -> float | None:
    """How long a task waited for its first attempt; None where its start or its begin is not known.

    It waits from when its message came into the broker or, in the first run of a task that the gateway accepted, from
    then on. A plain producer's message that carries no time is not guessed at.
    """
    end = record.end
    if end is None:
        return None
    accepted = record.created_at if record.submission is not None and end.run == 1 else None
    began = end.times.enqueued or accepted
    first = min((each.claimed_at for each in end.attempts), default=end.times.claimed or record.started_at)
    return None if began is None or first is None else max(0.0, (first - began).total_seconds())
