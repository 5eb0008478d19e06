"""A task as the task store keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.base import PoolRef


class TaskState(StrEnum):
    """Where the current run of a task stands."""

    ACCEPTING = "accepting"
    """Stored, and not known to be in the broker."""
    QUEUED = "queued"
    """In the work queue, or in a delay step before its next attempt."""
    RUNNING = "running"
    """A worker has claimed an attempt."""
    ENDED = "ended"
    """It has its end record."""


@dataclass(frozen=True, order=True)
class Position:
    """How far a task has come; changes arrive in any order, and a task never moves back.

    ``rank`` orders what happens in one attempt (:mod:`genpool_gateway.tasks.change`). An end absorbs what arrives
    later in its run, whatever its attempt.
    """

    run: int
    ended: bool
    attempt: int
    rank: int


@dataclass(frozen=True)
class Submission:
    """What only the gateway knows, because it accepted the task. A plain producer's task has none of it."""

    owner: str
    """Id of the API key that sent it."""
    body: bytes = field(repr=False)
    """The message's body as it was published; empty once it was erased, and in lists."""
    metadata: JsonObject = field(default_factory=dict)
    """The sender's own words, given back and never read."""
    callback_events: tuple[str, ...] = ("end",)
    """What is announced to ``callback_url``: ``start``, ``output``, ``end``."""
    start_by: datetime | None = None
    """It expires when no attempt has begun by then."""
    end_by: datetime | None = None
    """It expires when it has not ended by then."""


@dataclass(frozen=True)
class TaskRecord:
    """One task: identity, what was asked for, and how far it has come. Times are UTC."""

    id: str
    """The task's key."""
    pool: PoolRef
    task_id: str
    """The producer's word."""
    created_at: datetime
    """When the gateway accepted it, or first heard of it."""
    state: TaskState
    position: Position
    workflow: str | None = None
    priority: int | None = None
    parameters: JsonObject = field(default_factory=dict)
    """As given until the task has ended, then as used. Secrets in URLs are taken out."""
    callback_url: str | None = field(default=None, repr=False)
    submission: Submission | None = None
    worker: str | None = None
    """The pod that runs it, or ran it last."""
    started_at: datetime | None = None
    """When the last attempt began."""
    ended_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    end: EndRecord | None = None
    """Of the current run."""
    discarded_at: datetime | None = None
    """When its dead letter was dropped."""
    erased_at: datetime | None = None
    """When its contents were deleted; the end stays as a tombstone."""
    former_pool: str | None = None
    """UID of the pool that accepted it, where that is gone and another one of its name has its tasks."""
    sources: Mapping[str, Position] = field(default_factory=dict, repr=False)
    """Which change told a field last, by the field's name: an older one does not overwrite it, whenever it arrives."""

    @property
    def owner(self) -> str | None:
        """Id of the API key that sent it; None of a plain producer's task.

        Of a task that this store did not accept, as after a rebuild, the end record tells it.
        """
        if self.submission is not None:
            return self.submission.owner
        return None if self.end is None else self.end.owner


@dataclass(frozen=True)
class StoredEvent:
    """A change of a task as a watcher gets it. ``number`` counts from 1 within the task, without gaps."""

    task: str
    number: int
    type: str
    """``accepted``, ``claimed``, ``output``, ``retried``, ``ended``."""
    time: datetime
    data: JsonObject
