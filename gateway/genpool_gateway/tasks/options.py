"""What a sender may say of a task beside its contents, and whether a repeat says the same. Pure.

These options are no part of a task's identity: a repeat with other ones is the same task, which keeps its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from genpool_core.canonical import canonical_json
from genpool_gateway.tasks.record import Submission, TaskRecord


def start_within_seconds(record: TaskRecord) -> int | None:
    """After so long it expires when no attempt has begun; None: never, or it is a replay."""
    return None if record.submission is None else _within(record, record.submission.start_by)


def end_within_seconds(record: TaskRecord) -> int | None:
    """After so long it expires when it has not ended; None: never, or it is a replay."""
    return None if record.submission is None else _within(record, record.submission.end_by)


def differing(given: Collection[str], sent: TaskRecord, standing: TaskRecord) -> tuple[str, ...]:
    """Options of a repeat that the task which stands has otherwise. ``given``: those that the repeat's sender named.

    None where it is not known what the first sender said: the task is a plain producer's, or was read from a ledger.
    """
    mine, theirs = sent.submission, standing.submission
    if mine is None or theirs is None:
        return ()
    names = [name for name in OPTIONS if name in given]
    if standing.position.run > 1:
        # A replay has no limits of time, whatever was said of the first run.
        names = [name for name in names if name not in _LIMITS]
    return tuple(name for name in names if OPTIONS[name](sent, mine) != OPTIONS[name](standing, theirs))


def _within(record: TaskRecord, by: datetime | None) -> int | None:
    return None if by is None else round((by - record.created_at).total_seconds())


#: By the names that requests have for them, in a form that compares.
OPTIONS: Mapping[str, Callable[[TaskRecord, Submission], object]] = {
    "metadata": lambda _record, submission: canonical_json(submission.metadata),
    "priority": lambda record, _submission: record.priority,
    "start_within_seconds": lambda record, _submission: start_within_seconds(record),
    "end_within_seconds": lambda record, _submission: end_within_seconds(record),
    "callback_url": lambda record, _submission: record.callback_url,
    "callback_events": lambda _record, submission: frozenset(submission.callback_events),
}
_LIMITS = frozenset({"start_within_seconds", "end_within_seconds"})
