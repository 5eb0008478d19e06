"""Changes of tasks: what an event means for a record. Pure, and right in any order, however often an event comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import TaskClaimed, TaskEnded, TaskEvent, TaskOutput, TaskRetried
from genpool_gateway.tasks.record import Position, TaskRecord, TaskState

#: Order of what happens within one attempt.
_RANKS: Mapping[str, int] = {"accepted": 0, "claimed": 1, "output": 2, "retried": 3, "ended": 4}
ENDED_RANK = _RANKS["ended"]
#: Where a task stands after a change.
_STATES: Mapping[str, TaskState] = {
    "accepted": TaskState.QUEUED,
    "claimed": TaskState.RUNNING,
    "output": TaskState.RUNNING,
    "retried": TaskState.QUEUED,
    "ended": TaskState.ENDED,
}
#: What is told of a run; the other fields that have sources are told of the task.
_OF_A_RUN = frozenset({"worker", "started_at"})
#: Before every change.
_NOWHERE = Position(0, ended=False, attempt=0, rank=0)
#: In the end record of an erased task, in place of what might quote its contents.
ERASED_MESSAGE = "The contents of this task were deleted."
_KEPT_DATA = frozenset({"run", "attempt", "worker", "outcome", "reason", "delay_seconds"})


@dataclass(frozen=True)
class Change:
    """What one event says about a task."""

    id: str
    """The event's id: a change is applied once."""
    type: str
    task: str
    """The task's key."""
    task_id: str
    pool: PoolRef
    run: int
    attempt: int
    time: datetime
    data: JsonObject
    """For watchers."""
    worker: str | None = None
    workflow: str | None = None
    end: EndRecord | None = None

    @property
    def position(self) -> Position:
        """Where the task stands after it."""
        return Position(self.run, self.type == "ended", self.attempt, _RANKS[self.type])


def change_of(event: TaskEvent) -> Change | None:
    """The change that an event of a worker brings; None for what is not kept, such as progress."""
    data: JsonObject
    workflow, end = None, None
    match event:
        case TaskClaimed():
            kind, data, workflow = "claimed", {"worker": event.worker}, event.workflow
        case TaskOutput():
            kind, data = "output", event.output.model_dump(mode="json")
        case TaskRetried():
            kind = "retried"
            data = {"reason": event.reason, "message": event.message, "delay_seconds": event.delay_seconds}
        case TaskEnded():
            kind, end = "ended", event.record or _bare_end(event)
            data = {"outcome": event.outcome, "reason": event.reason, "message": event.message}
        case _:
            return None
    return Change(
        id=event.id,
        type=kind,
        task=event.task_key,
        task_id=event.task_id,
        pool=event.pool,
        run=event.run,
        attempt=event.attempt,
        time=event.time,
        data={"run": event.run, "attempt": event.attempt, **data},
        worker=event.worker or None,
        workflow=workflow if end is None else end.workflow,
        end=end,
    )


def _bare_end(event: TaskEnded) -> EndRecord:
    """What a worker of an older release tells of an end. Without a nonce: no ledger has it."""
    return EndRecord(
        task_key=event.task_key,
        task_id=event.task_id,
        run=event.run,
        attempt=event.attempt,
        nonce="",
        outcome=event.outcome,
        reason=event.reason,
        message=event.message,
        worker=event.worker,
        outputs=event.outputs,
        ended_at=event.time,
    )


def may_tell(record: TaskRecord, change: Change) -> bool:
    """Whether who announced a change may speak of a task: workers do for their own pool's tasks only."""
    return change.pool.uid in {record.pool.uid, record.former_pool}


def heard_of(change: Change) -> TaskRecord:
    """The record of a task that the gateway did not accept, before the first change that it hears of."""
    return TaskRecord(
        id=change.task,
        pool=change.pool,
        task_id=change.task_id,
        created_at=change.time,
        state=TaskState.QUEUED,
        position=Position(change.run, ended=False, attempt=0, rank=0),
    )


def moves(record: TaskRecord, change: Change) -> bool:
    """Whether a change is news to watchers. One that is behind its task, or comes after the end of its run, is not."""
    if change.run == record.position.run and record.position.ended:
        return False
    return change.position >= record.position


def apply_change(record: TaskRecord | None, change: Change) -> TaskRecord:
    """The record after a change.

    In any order, and however often, the same changes give the same record: a change that is behind its task adds only
    what no later one has told.

    ``record``: None when the gateway had not heard of the task, as of a plain producer's.
    """
    known = record or heard_of(change)
    if moves(known, change):
        known = _moved(known, change)
    if known.submission is None:
        known = replace(known, created_at=min(known.created_at, change.time))
    known = _told(known, change)
    erased_at = None if known.end is None else known.end.erased_at
    # A tombstone of the ledger, as a rebuild reads it.
    return known if erased_at is None or known.erased_at is not None else erase(known, erased_at)


def _moved(known: TaskRecord, change: Change) -> TaskRecord:
    if change.run > known.position.run:
        # A replay: what the run before left is its own.
        known = replace(
            known,
            end=None,
            started_at=None,
            ended_at=None,
            cancel_requested_at=None,
            discarded_at=None,
            worker=None,
            sources={name: source for name, source in known.sources.items() if name not in _OF_A_RUN},
            # The limits of time were those of the run before.
            submission=known.submission and replace(known.submission, start_by=None, end_by=None),
        )
    return replace(known, position=change.position, state=_STATES[change.type])


def _told(known: TaskRecord, change: Change) -> TaskRecord:
    """Fill in what a change tells and no later one has told."""
    told = dict(_of_the_task(known, change))
    if change.run == known.position.run:
        told |= _of_its_run(change)
    place = change.position
    news = {
        name: value
        for name, value in told.items()
        if value is not None and place >= known.sources.get(name, _NOWHERE)
    }
    sources = {**known.sources, **dict.fromkeys(news, place)}
    known = replace(known, **news, sources=sources)
    if change.type == "ended" and change.run == known.position.run and _is_better_end(known.end, change.end):
        end = change.end
        if known.erased_at is not None and end is not None:
            end = erased_end(end, known.erased_at)
        known = replace(known, end=end, ended_at=change.time)
    return known


def _of_the_task(known: TaskRecord, change: Change) -> Iterator[tuple[str, Any]]:
    yield "workflow", change.workflow
    if change.end is not None and known.erased_at is None:
        yield "parameters", change.end.parameters or None
        if known.submission is None:
            yield "callback_url", change.end.callback_url


def _of_its_run(change: Change) -> dict[str, Any]:
    started = {"claimed": change.time, "ended": change.end and change.end.started_at}
    return {"worker": change.worker, "started_at": started.get(change.type)}


def _is_better_end(known: EndRecord | None, new: EndRecord | None) -> bool:
    """An end absorbs; only what an older release told of it gives way to the record itself."""
    return known is None or (not known.nonce and new is not None and bool(new.nonce))


def erase(record: TaskRecord, at: datetime) -> TaskRecord:
    """An ended task without its contents: who, when and how it ended stay. Twice equals once."""
    submission = record.submission and replace(record.submission, body=b"", metadata={})
    return replace(
        record,
        parameters={},
        callback_url=None,
        submission=submission,
        end=record.end and erased_end(record.end, record.erased_at or at),
        erased_at=record.erased_at or at,
    )


def erased_end(end: EndRecord, at: datetime) -> EndRecord:
    """An end record without what the sender gave and the task made. ``at``: when that was deleted, if not before."""
    attempts = [each.model_copy(update={"message": None}) for each in end.attempts]
    contents: dict[str, Any] = {
        "parameters": {},
        "seed": None,
        "callback_url": None,
        "outputs": [],
        "log_lines": [],
        "message": ERASED_MESSAGE,
        "attempts": attempts,
        "erased_at": end.erased_at or at,
    }
    return end.model_copy(update=contents)


def erased_data(data: JsonObject) -> JsonObject:
    """What is left of an event's data after its task was erased."""
    return {name: value for name, value in data.items() if name in _KEPT_DATA}
