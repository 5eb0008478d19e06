"""Ends a task before a worker does: what is decided from its ledger is done here, step by step, each confirmed.

The order is end record, callback message, event, task store: as long as the store has no end, a gateway that was killed
in between finds the task again and does what is missing, under the same ids.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from genpool_adapters.ledger import Ledger
from genpool_core import names, timing
from genpool_core.identity import TaskRef
from genpool_core.ledger.records import Claim, EndRecord
from genpool_core.messages.amqp import OutgoingMessage, Properties
from genpool_core.messages.commands import CancelTask
from genpool_core.workerconfig import StoreConfig
from genpool_gateway.janitor.announcer import Announcer
from genpool_gateway.janitor.ending import (
    AnnounceStanding,
    Cause,
    SendCommand,
    WriteEnd,
    about_record,
    cause_of,
    command_of,
    decide,
    end_of,
)
from genpool_gateway.janitor.errors import StoreNotListed, StoreRefused
from genpool_gateway.janitor.ports import PoolBroker
from genpool_gateway.pools.directory import require_serving
from genpool_gateway.pools.errors import PoolUnavailable, how_to_list, not_listed
from genpool_gateway.pools.pool import Serving
from genpool_gateway.pools.ports import AllLedgers
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.places import PlaceStore
from genpool_gateway.tasks.ports import UnendedStore
from genpool_gateway.tasks.record import TaskRecord, TaskState

_log = structlog.get_logger(__name__)


class Ends:
    """Used by many threads."""

    def __init__(  # noqa: PLR0913 - what an end is made with
        self,
        pools: PoolSource,
        stores: AllLedgers,
        broker: PoolBroker,
        announcer: Announcer,
        unended: UnendedStore,
        places: PlaceStore,
        *,
        now: Callable[[], datetime],
        refused: Callable[[StoreConfig], str | None],
    ) -> None:
        """``refused``: why nobody can write an end into a store before something is changed, where that is known."""
        self._pools = pools
        self._stores = stores
        self._broker = broker
        self._announcer = announcer
        self._unended = unended
        self._places = places
        self._now = now
        self._refused = refused

    def require(self, record: TaskRecord) -> None:
        """Whether the end of a task can be brought about.

        Raises
        ------
        StoreNotListed
            It waits, and only the gateway could end it, which may not write into the bucket.
        StoreRefused
            The same, because the bucket or folder refused the gateway when it looked last.
        PoolUnavailable, PoolsUnknown
            It is not known where the task is.
        """
        serving = self._serving(record)
        if serving is None:
            self._left_ledger(record)
            return
        if record.state is TaskState.RUNNING:
            return
        store = serving.config.store
        if self._stores.ledger(serving.config) is None:
            raise StoreNotListed(
                f"the task waits, and this gateway may not write its end: {not_listed(store)}. {how_to_list(store)}. A "
                "task that runs can be cancelled without."
            )
        refused = self._refused(store)
        if refused is not None:
            raise StoreRefused(
                f"the task waits, and this gateway cannot write its end into {store}. {refused} Then cancel it again: "
                f"the gateway looks every {timing.STORE_CHECK_SECONDS:g} s. A task that runs can be cancelled without."
            )

    def look(self, record: TaskRecord) -> None:
        """Do what is due about a task that is to end; once more later, until it has ended.

        Raises
        ------
        GenPoolError
            Something is away: look again later.
        """
        cause = cause_of(record, self._now())
        if cause is None:
            return
        serving = self._serving(record)
        ref = TaskRef(record.task_id, record.id, record.position.run)
        if serving is None:
            self._look_at_left(record, cause, ref)
            return
        told = None
        if record.state is TaskState.RUNNING and not cause.unless_begun:
            # Before the bucket is asked, which may be slow: ComfyUI works meanwhile.
            told = record.worker
            self._command(serving, command_of(cause, ref.key, ref.run), told)
        ledger = self._stores.ledger(serving.config)
        if ledger is None:
            return
        state = ledger.read(ref.key, ref.run)
        match decide(cause, record, state.claims, state.end, state.ages):
            case AnnounceStanding() as standing:
                self._announce(serving, standing)
            case SendCommand(worker) if worker != told:
                self._command(serving, command_of(cause, ref.key, ref.run), worker)
            case WriteEnd(queued):
                end = self._new_end(record, cause, state.claims, gpus=serving.config.gpus)
                if queued:
                    # Before the end is there: after that a worker may drop the message, and say so, at any time.
                    self._unended.message_left(ref.key)
                stands = ledger.end(end)
                self._announce(serving, AnnounceStanding(stands, here=not stands.worker))
                # A worker that read the ledger a moment before has the task in hand now.
                self._command(serving, command_of(cause, ref.key, ref.run), None)
                _log.info(
                    "task_ended",
                    task_key=ref.key,
                    run=ref.run,
                    outcome=stands.outcome,
                    reason=stands.reason,
                )
            case _:
                pass

    def _serving(self, record: TaskRecord) -> Serving | None:
        """The task's pool; None where it is gone."""
        pool = self._pools.snapshot().by_uid(record.pool.uid)
        return None if pool is None else require_serving(pool)

    # Of a pool that is gone -----------------------------------------------------------------------------------------

    def _left_ledger(self, record: TaskRecord) -> Ledger:
        """The ledger that a gone pool has left; raises PoolUnavailable where it is not known, or may not be used."""
        place = next(iter(self._places.of_pool(record.pool.uid)), None)
        ledger = None if place is None else self._stores.ledger_at(place.store)
        if ledger is None:
            pool = f"pool {record.pool.namespace}/{record.pool.name} of the task is gone"
            if place is None:
                raise PoolUnavailable(f"{pool}, and this gateway never knew its bucket.")
            raise PoolUnavailable(f"{pool}, and {not_listed(place.store)}. {how_to_list(place.store)}.")
        return ledger

    def _look_at_left(self, record: TaskRecord, cause: Cause, ref: TaskRef) -> None:
        """End a task whose pool is gone: nobody is left to be told, neither workers nor who may receive its callbacks.

        Where its message still comes to a worker, that finds the end in the ledger and drops it. A worker that has it
        in hand is let go on.
        """
        ledger = self._left_ledger(record)
        state = ledger.read(ref.key, ref.run)
        match decide(cause, record, state.claims, state.end, state.ages):
            case AnnounceStanding(end):
                self._announcer.store(record.pool, end)
            case WriteEnd():
                end = self._new_end(record, cause, state.claims, gpus=1)
                # How many GPUs its pods had is not known any more.
                stands = ledger.end(end.model_copy(update={"gpu_seconds": None}))
                self._announcer.store(record.pool, stands)
                _log.info("task_of_gone_pool_ended", task_key=ref.key, run=ref.run, outcome=stands.outcome)
            case _:
                pass

    # Steps ----------------------------------------------------------------------------------------------------------

    def _new_end(self, record: TaskRecord, cause: Cause, claims: Sequence[Claim], *, gpus: int) -> EndRecord:
        ref = TaskRef(record.task_id, record.id, record.position.run)
        return end_of(ref, cause, about_record(record, gpus), claims, uuid.uuid4().hex, self._now())

    def _announce(self, serving: Serving, standing: AnnounceStanding) -> None:
        if standing.here:
            self._announcer.announce(serving, standing.end)
        else:
            self._unended.message_dropped([standing.end.task_key])
            self._announcer.store(serving.config.pool, standing.end)

    def _command(self, serving: Serving, command: CancelTask, worker: str | None) -> None:
        uid = serving.config.pool.uid
        key = names.command_key(uid, worker) if worker else names.command_key_of_all(uid)
        self._broker.publish(
            serving,
            OutgoingMessage(
                exchange=names.CONTROL_EXCHANGE,
                routing_key=key,
                body=command.model_dump_json().encode(),
                properties=Properties(type=command.type),
                mandatory=False,
            ),
        )
