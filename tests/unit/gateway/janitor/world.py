"""A bucket, a broker and a task store in memory. Every call is a step, at any of which the gateway can be killed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from genpool_adapters.amqp.values import QueueCount
from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.port import JSON, Put, Stored
from genpool_adapters.shipped_workflows import default_workflows, shipped_files
from genpool_core import names
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_core.messages.events import EVENT, TaskEvent
from genpool_core.workerconfig import S3Config, StoreConfig, WorkerConfig
from genpool_gateway.janitor.announcer import Announcer
from genpool_gateway.janitor.ends import Ends
from genpool_gateway.janitor.ports import HeldMessages
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.manifests import pools_of
from genpool_gateway.pools.pool import Serving
from genpool_gateway.tasks.change import Change, apply_change, change_of
from genpool_gateway.tasks.places import PoolPlace
from genpool_gateway.tasks.record import StoredEvent, TaskRecord, TaskState
from integration.gateway.api import POOL, pool_manifest
from unit.gateway.samples import NOW, record


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """What is there beside the gateway. ``kill_at``: at the beginning of this step, counted from 1."""

    listed: bool = True
    refused: str | None = None
    """Why its store takes no end, as it was found last."""
    task: TaskRecord = field(
        default_factory=lambda: record(
            pool=POOL, state=TaskState.QUEUED, callback_url="https://c.example/", cancel_requested_at=NOW
        )
    )
    objects: dict[str, bytes] = field(default_factory=dict)
    ages: dict[str, float] = field(default_factory=dict)
    published: list[OutgoingMessage] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    counts: QueueCount | None = None
    delayed: int = 0
    watch: str | None = None
    unheard: list[TaskRecord] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    kill_at: int = 0
    steps: int = 0
    places: list[PoolPlace] = field(default_factory=list)
    acked: list[Delivery] = field(default_factory=list)
    directory: PoolDirectory = field(
        default_factory=lambda: pools_of([pool_manifest("/")], partial(shipped_files, default_workflows()))
    )

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.kill_at:
            raise Killed

    def ends(self) -> Ends:
        """Of a process that has just started."""
        return Ends(
            self, self, self, self.announcer(), self, self, now=lambda: NOW, refused=lambda _: self.refused
        )  # type: ignore[arg-type]

    def announcer(self) -> Announcer:
        return Announcer(self, self, self)  # type: ignore[arg-type]

    @property
    def serving(self) -> Serving:
        pool = self.directory.by_uid(POOL.uid)
        assert pool is not None
        assert pool.serving is not None
        return pool.serving

    def to(self, exchange: str) -> list[OutgoingMessage]:
        return [message for message in self.published if message.exchange == exchange]

    @property
    def commands(self) -> list[str]:
        return [message.routing_key for message in self.to(names.CONTROL_EXCHANGE)]

    @property
    def records(self) -> list[EndRecord]:
        found = [data for key, data in self.objects.items() if key.endswith("end.json")]
        return [EndRecord.model_validate_json(data) for data in found]

    # Pools, stores ------------------------------------------------------------------------------------------------

    def snapshot(self) -> PoolDirectory:
        return self.directory

    def outdated(self) -> str | None:
        return self.watch

    def of(self, _s3: S3Config) -> World | None:
        return self if self.listed else None

    def of_pool(self, _pool_uid: str) -> list[PoolPlace]:
        return self.places

    def ledger_at(self, _config: StoreConfig) -> Ledger | None:
        return Ledger(self, "", self) if self.listed else None

    def ledger(self, _config: WorkerConfig) -> Ledger | None:
        return Ledger(self, "", self) if self.listed else None

    # The bucket ---------------------------------------------------------------------------------------------------

    def keys(self, prefix: str) -> list[str]:
        self.step()
        return [key for key in self.objects if key.startswith(prefix)]

    def get(self, key: str) -> Stored | None:
        self.step()
        data = self.objects.get(key)
        return None if data is None else Stored(data, self.ages.get(key, 0.0))

    def create(self, key: str, data: bytes) -> Put:
        self.step()
        if key in self.objects:
            return Put.EXISTS
        self.objects[key] = data
        return Put.CREATED

    def put(self, key: str, data: bytes, content_type: str = JSON) -> None:
        assert content_type
        self.objects[key] = data

    put_soon = put

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        raise NotImplementedError

    def delete(self, keys: list[str]) -> None:
        raise NotImplementedError

    def sign(self, key: str) -> str:
        return f"https://s3.example/{key}?signature=secret"

    def sleep(self, _seconds: float) -> None: ...

    # The broker ---------------------------------------------------------------------------------------------------

    def publish(self, _serving: Serving, message: OutgoingMessage) -> None:
        self.step()
        self.published.append(message)
        if message.exchange == names.EVENTS_EXCHANGE:
            # It comes back by the queue of the gateways' events, whoever has published it.
            event = EVENT.validate_json(message.body)
            change = change_of(event) if isinstance(event, TaskEvent) else None
            if change is not None:
                self.task = apply_change(self.task, change)

    def count(self, _serving: Serving) -> QueueCount | None:
        return self.counts

    def count_delayed(self, _serving: Serving) -> int:
        return self.delayed

    # The task store -----------------------------------------------------------------------------------------------

    def apply(self, changes: Sequence[Change]) -> list[StoredEvent]:
        self.step()
        for change in changes:
            self.task = apply_change(self.task, change)
        return []

    def request_cancel(self, _task: str, at: datetime) -> TaskRecord | None:
        self.task = replace(self.task, cancel_requested_at=at)
        return self.task

    def unheard_of(self, pool_uid: str, *, before: datetime, limit: int) -> list[TaskRecord]:
        assert pool_uid == POOL.uid
        return [each for each in self.unheard if each.created_at <= before][:limit]

    def publish_again(self, tasks: Collection[str]) -> None:
        self.again += tasks

    def message_left(self, task: str) -> None:
        self.step()
        self.left.add(task)

    def message_dropped(self, tasks: Collection[str]) -> None:
        self.step()
        self.left -= set(tasks)

    def messages_left(self, _pool_uid: str) -> set[tuple[str, int]]:
        return {(task, 1) for task in self.left}

    def count_messages_left(self) -> dict[str, int]:
        return {POOL.uid: len(self.left)} if self.left else {}

    def count_unended(self, now: datetime) -> int:
        return len(self.unended(now, limit=1))

    def unended(self, _now: datetime, *, limit: int, but_pools: Collection[str] = ()) -> list[TaskRecord]:
        open_ = self.task.state is not TaskState.ENDED and self.task.pool.uid not in but_pools
        return [self.task][:limit] if open_ else []


@dataclass
class FakeQueue:
    """The janitor's queue, whose copies go into the world."""

    world: World
    held: bool = True

    def publish(self, message: OutgoingMessage) -> None:
        self.world.step()
        self.world.published.append(message)

    def holds(self, delivery: Delivery) -> bool:
        return self.held and delivery not in self.world.acked

    def ack(self, delivery: Delivery) -> bool:
        self.world.step()
        self.world.acked.append(delivery)
        return True

    def start(self, on_delivery: object) -> None: ...

    def stop(self, deadline: float) -> None: ...


@dataclass
class FakeWorkQueues:
    """One queue with messages that wait."""

    deliveries: Sequence[Delivery]
    whole: bool = True
    dropped: list[Delivery] = field(default_factory=list)
    closed: bool = False

    @contextmanager
    def holding(self, _serving: Serving, most: int) -> Iterator[HeldMessages]:
        try:
            yield HeldMessages(self.deliveries[:most], self.whole, self.dropped.extend)
        finally:
            self.closed = True
