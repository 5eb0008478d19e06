"""The task store's ports. Every method raises TaskStoreError while the database is away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from genpool_core.messages.base import PoolRef
from genpool_gateway.tasks.change import Change
from genpool_gateway.tasks.record import StoredEvent, TaskRecord, TaskState


@dataclass(frozen=True)
class Idempotency:
    """A sender's promise that a repeat under the same key means the same task. Kept for a day, per key and pool."""

    key: str
    digest: str
    """Of the whole request: the same key with another one is refused."""


@dataclass(frozen=True)
class NewTask:
    """A task to be accepted: a record in the state ``accepting``, with its submission."""

    record: TaskRecord
    idempotency: Idempotency | None = None
    given: frozenset[str] = frozenset()
    """Names of the options (:mod:`genpool_gateway.tasks.options`) that its sender named."""
    room: bool = True
    """False: its pool's queue is full, so it is only asked whether the task is known already."""


class Acceptance(Enum):
    """What became of a new task."""

    CREATED = "created"
    """A row was made: publish it."""
    SAME = "same"
    """The task is known already, by its id or its idempotency key. Published or not: its record says it."""
    OTHER_REQUEST = "other_request"
    """The idempotency key was used for another request."""
    OTHER_OPTIONS = "other_options"
    """The task is known already, and its sender named other options the first time."""
    ERASED = "erased"
    """The task is known already, by its id or its idempotency key, and its contents were deleted."""
    OVER_CAP = "over_cap"
    """Its owner has as many unfinished tasks as its key allows."""
    NO_ROOM = "no_room"
    """It is not known, and the queue of its pool is full."""


@dataclass(frozen=True)
class Accepted:
    """The answer for one new task. ``record``: the one that stands in the store; None: refused."""

    acceptance: Acceptance
    record: TaskRecord | None


#: A search reads what tasks were given, which no index serves: so many of the newest, a fraction of a second.
SEARCHED = 20_000


@dataclass(frozen=True)
class TaskQuery:
    """Which tasks to list, the newest first."""

    pools: Collection[str] | None = None
    """UIDs; all when None."""
    owner: str | None = None
    states: Collection[TaskState] = ()
    outcomes: Collection[str] = ()
    """With ``states``: a task is listed that has one of the states or one of the outcomes."""
    cancel_requested: bool | None = None
    """Of those that have not ended: only tasks whose end was asked for, or was not; None: all."""
    discarded: bool | None = None
    """Whether its dead letter was dropped; None: all."""
    workflow: str | None = None
    reason: str | None = None
    """Of the end: a constant in CamelCase."""
    task_id: str | None = None
    search: str | None = None
    """A part of what a task was given, of its metadata, or of its ids; among the newest ``SEARCHED`` tasks."""
    before: tuple[datetime, str] | None = None
    """Only tasks older than this ``(created_at, id)``: the end of the page before."""
    limit: int = 50


class AcceptingStore(Protocol):
    """For the accepting of tasks. Called by one thread."""

    def accept(
        self,
        tasks: Sequence[NewTask],
        caps: Mapping[str, int],
        now: datetime,
        *,
        published: Sequence[str] = (),
    ) -> list[Accepted]:
        """Store a group in one commit, in order; two equal tasks in it are one. Makes the event ``accepted`` for each.

        ``caps``: the most unfinished tasks of an owner, by owner; an owner without an entry has no cap.
        ``published``: tasks of earlier groups to mark in the same commit, as :meth:`published` does.
        After an error nothing is known of the group: it may be stored. Accepting it again tells.
        """

    def published(self, ids: Sequence[str]) -> None:
        """The broker has them: ``accepting`` becomes ``queued``; what has moved on stays as it is."""

    def refused(self, ids: Sequence[str]) -> None:
        """The broker has refused them for good: the rows go, and with them their idempotency keys."""

    def unpublished(self, *, older_than: datetime, limit: int) -> list[TaskRecord]:
        """Tasks that still are ``accepting``, the oldest first."""


class KnownTasks(Protocol):
    """Tasks that were accepted before. Called by many threads."""

    def state(self, task: NewTask, now: datetime) -> TaskState | None:
        """State of this task, by its id or its idempotency key; None where it is new.

        ``ACCEPTING``: it may still be refused by the broker, and then it is gone. In any other state it is not made
        again, and none is forgotten before it has ended.
        """


@dataclass(frozen=True)
class EndedLately:
    """A task that ended, as far as other tasks' waits are estimated from it."""

    owned: bool
    """Whether it came through the API; else it is a plain producer's."""
    seconds: float | None
    """From the start of its last attempt to its end; None where it never began."""


class TaskReader(Protocol):
    """For those who ask. Called by many threads."""

    def get(self, task: str) -> TaskRecord | None:
        """One task."""

    def get_all(self, tasks: Collection[str]) -> list[TaskRecord]:
        """Those of these tasks that are known, in any order, without the bodies of their messages."""

    def find(self, query: TaskQuery) -> list[TaskRecord]:
        """At most ``query.limit`` tasks, newest first, without the bodies of their messages."""

    def events(self, task: str, *, after: int = 0) -> list[StoredEvent]:
        """What happened to a task, in order, after the event of that number."""

    def count_unfinished(self, pool_uid: str) -> int:
        """Tasks of a pool that were accepted or heard of, and have neither started nor ended."""

    def count_owned(self, owner: str) -> int:
        """Tasks of an owner that have not ended."""

    def queue_position(self, task: str) -> int | None:
        """How many of its pool's tasks were accepted before it and not claimed yet.

        None when it waits no more, when there are more than 10,000, and in a replay: its place is not that of its
        first acceptance.
        """

    def ended_lately(self, pool_uid: str, *, limit: int) -> list[EndedLately]:
        """The tasks of a pool that ended last, the newest first."""


class EventStore(Protocol):
    """For what the broker brings. Called by one thread for each vhost."""

    def apply(self, changes: Sequence[Change]) -> list[StoredEvent]:
        """Apply changes in one commit, each once; the events that are new to watchers, in order.

        A change that is behind its task, or comes after the end of its run, is no event: it gets no number, and only
        fills in what the record did not know. Whoever subscribed to the :class:`ChangeFeed` is told.
        """

    def discard(self, tasks: Sequence[str], at: datetime) -> None:
        """Note that the dead letters of ended tasks were dropped; does nothing to other tasks."""

    def request_cancel(self, task: str, at: datetime) -> TaskRecord | None:
        """Note that the end of a task was asked for; does nothing to one that has ended. None: no such task."""


class ReplayStore(Protocol):
    """For next runs, before their messages are published. Called by many threads; raises TaskStoreError."""

    def begin(self, tasks: Collection[str], at: datetime) -> set[str]:
        """Note that next runs are about to begin; those that may not: their tasks' contents were or are being deleted.

        While one is about to begin its task is not deleted; what is noted lapses after ``REPLAY_SECONDS``. A task that
        is not known here may run.
        """

    def over(self, tasks: Collection[str]) -> None:
        """They have begun, or will not."""


class UnendedStore(Protocol):
    """For the ends that no worker makes. Called by many threads."""

    def unended(self, now: datetime, *, limit: int, but_pools: Collection[str] = ()) -> list[TaskRecord]:
        """At most ``limit`` tasks that are to end now, what has waited longest first, without the bodies.

        Somebody has asked for their end, or they have not begun by ``start_by``, or not ended by ``end_by``.
        ``but_pools``: UIDs of pools to leave out.
        """

    def count_unended(self, now: datetime) -> int:
        """How many tasks are to end now, of all pools."""

    def message_left(self, task: str) -> None:
        """Note that a task is ended here, while its message is in the work queue."""

    def message_dropped(self, tasks: Collection[str]) -> None:
        """Their messages are gone from the work queue, or there were none; does nothing where that is known."""

    def messages_left(self, pool_uid: str) -> set[tuple[str, int]]:
        """Ended tasks of a pool whose messages are still in the work queue: id and run."""

    def count_messages_left(self) -> dict[str, int]:
        """How many they are, by UID of the pool; a pool without any is not there."""


class RemadeStore(Protocol):
    """For pools that were deleted and made again. Called by one thread; raises TaskStoreError."""

    def hand_over(self, gone: str, pool: PoolRef, *, ended: bool, limit: int) -> int:
        """Have at most ``limit`` tasks of a gone pool (UID) be those of ``pool``, with their idempotency keys.

        Those that were accepted here and have not ended; with ``ended`` all of them, since their files are where the
        new pool's are.

        Returns how many; fewer than ``limit``: no more are left.
        """


class LostStore(Protocol):
    """For tasks whose message the broker may have lost. Called by one thread; raises TaskStoreError."""

    def unheard_of(self, pool_uid: str, *, before: datetime, limit: int) -> list[TaskRecord]:
        """At most ``limit`` unfinished tasks of a pool of which nothing was heard since a time, without the bodies.

        Only those that were accepted here, so that they can be published again, and are known to have been published.
        """

    def publish_again(self, tasks: Collection[str]) -> None:
        """Have those of them published again that have neither ended nor are to end.

        They are ``accepting`` once more.
        """


@dataclass(frozen=True)
class UsageRow:
    """Figures of ended tasks by owner, workflow and day (UTC)."""

    owner: str | None
    pool_uid: str
    workflow: str | None
    day: str
    tasks: int
    succeeded: int
    gpu_seconds: float
    wait_known: int
    """Tasks whose wait is known; ``within_sla`` is a share of these."""
    within_sla: int | None
    """None where the pool has no ``slaSeconds``."""


class UsageStore(Protocol):
    """For figures over many tasks."""

    def usage(
        self,
        *,
        since: datetime,
        until: datetime,
        owner: str | None,
        pools: Collection[str] | None,
        sla_seconds: Mapping[str, float],
    ) -> list[UsageRow]:
        """Sums of the tasks that ended from ``since`` to before ``until``. ``sla_seconds``: by UID of the pool."""


class RetentionStore(Protocol):
    """For what goes: by age, or because its owner asked for it."""

    def delete_ended(
        self, *, before: datetime, limit: int, with_contents: Mapping[str, datetime] | None = None
    ) -> int:
        """Delete at most ``limit`` tasks that ended before a time, the oldest first, with all that belongs to them.

        ``with_contents``: before which time those must have ended whose contents have not been deleted, by UID of the
        pool; ``before`` where a pool is not there.

        Returns how many; fewer than ``limit``: no more are left.
        """

    def delete_expired_idempotency(self, *, now: datetime, limit: int) -> int:
        """Delete at most ``limit`` idempotency keys that have expired; how many."""

    def over_age(self, pool_uid: str, *, before: datetime, limit: int) -> list[TaskRecord]:
        """At most ``limit`` tasks of a pool that ended before a time and have not been erased, the oldest first."""

    def begin_erasing(self, tasks: Collection[str], at: datetime) -> set[str]:
        """Note that contents of ended tasks are being deleted; those that are not: they run, or are about to run again.

        From then on no next run of the others begins. Twice equals once.
        """

    def erase(self, task: str, at: datetime) -> TaskRecord | None:
        """Delete the contents of an ended task; a tombstone stays. None: no such task. One that has not ended stays."""


class RebuildStore(Protocol):
    """For pools whose events were lost, until their ledgers were read."""

    def events_lost(self, pools: Collection[str], at: datetime) -> None:
        """Note that events of these pools (UIDs) may have been lost until now."""

    def to_rebuild(self) -> dict[str, datetime]:
        """Pools whose ledgers were not read since, and until when they lost events."""

    def rebuilt(self, pool: str, lost_at: datetime) -> None:
        """A ledger was read as it was after that time; what was lost later stays noted."""

    def alone(self) -> AbstractContextManager[bool]:
        """Whether no other gateway is in this block, for as long as it runs; it does not wait."""


class ChangeFeed(Protocol):
    """Tells which tasks changed, whichever gateway stored the change. Carries no events: read them from the store."""

    def subscribe(
        self, changed: Callable[[Collection[str]], None], missed: Callable[[], None]
    ) -> Callable[[], None]:
        """Be called with the tasks that changed, from a thread of the store's; returns what ends that.

        ``missed``: changes may have been missed, also right after the start: read again what is watched. Both return
        at once and raise nothing.
        """


class StoreHealth(Protocol):
    """For readiness."""

    def check(self) -> None:
        """Ask the database for a sign of life."""
