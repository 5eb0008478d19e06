"""Hand-written fakes of the worker's ports over one shared world.

Every call is a numbered step of its worker. At a chosen step the worker crashes (and from then on can do nothing), a
call fails before or after it took effect, or something else happens in between.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from fakes.worker_steps import FakeClock, Steps
from genpool_adapters.objectstore.port import JSON, Beginning, Put, Stored
from genpool_core import names, timing
from genpool_core.errors import AttemptFailed, BrokerError, StorageError
from genpool_core.jsontypes import JsonObject
from genpool_core.messages.amqp import Delivery, OutgoingMessage, Properties


@dataclass
class SharedStore:
    """The bucket."""

    objects: dict[str, bytes] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    """The store's own."""
    written_at: dict[str, float] = field(default_factory=dict)

    def age(self, key: str) -> float:
        return self.clock.time - self.written_at.get(key, self.clock.time)

    def records(self, end: str) -> dict[str, JsonObject]:
        return {key: json.loads(data) for key, data in self.objects.items() if key.endswith(end)}


class FakeStore:
    def __init__(self, shared: SharedStore, steps: Steps) -> None:
        self._shared = shared
        self._steps = steps
        self._down = StorageError("the store is away")

    def keys(self, prefix: str) -> list[str]:
        with self._steps.step("store.keys", self._down):
            return sorted(key for key in self._shared.objects if key.startswith(prefix))

    def get(self, key: str) -> Stored | None:
        with self._steps.step("store.get", self._down):
            data = self._shared.objects.get(key)
            return None if data is None else Stored(data, self._shared.age(key))

    def beginning(self, key: str, size: int) -> Beginning | None:
        with self._steps.step("store.beginning", self._down):
            data = self._shared.objects.get(key)
            return None if data is None else Beginning(data[:size], len(data))

    def create(self, key: str, data: bytes) -> Put:
        with self._steps.step("store.create", self._down):
            if key in self._shared.objects:
                return Put.EXISTS
            self._write(key, data)
            return Put.CREATED

    def put(self, key: str, data: bytes, content_type: str = JSON) -> None:
        assert content_type
        with self._steps.step("store.put", self._down):
            self._write(key, data)

    def put_soon(self, key: str, data: bytes) -> None:
        self.put(key, data)

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        assert content_type
        with self._steps.step("store.put_file", self._down):
            self._write(key, path.read_bytes())

    def delete(self, keys: list[str]) -> None:
        with self._steps.step("store.delete", self._down):
            for key in keys:
                self._shared.objects.pop(key, None)

    def sign(self, key: str) -> str:
        return f"https://store.test/{key}?signature=secret"

    def _write(self, key: str, data: bytes) -> None:
        self._shared.objects[key] = data
        self._shared.written_at[key] = self._shared.clock.time
        self._shared.writes.append(key)


@dataclass(frozen=True)
class Queued:
    """A message as the broker keeps it."""

    body: bytes
    headers: dict[str, object] = field(default_factory=dict)
    message_id: str | None = None
    user_id: str | None = None
    priority: int | None = None
    redelivered: bool = False


@dataclass
class SharedBroker:
    """The broker: the work queue, the delay steps, and what was published elsewhere."""

    queue: str
    ready: deque[Queued] = field(default_factory=deque)
    unacked: dict[int, tuple[str, Queued]] = field(default_factory=dict)
    delayed: list[tuple[float, Queued]] = field(default_factory=list)
    published: list[OutgoingMessage] = field(default_factory=list)
    acked: int = 0
    _tags: int = 0

    def deliver(self, worker: str) -> Delivery | None:
        if not self.ready:
            return None
        queued = self.ready.popleft()
        self._tags += 1
        self.unacked[self._tags] = (worker, queued)
        return Delivery(
            body=queued.body,
            headers=queued.headers,
            properties=Properties(
                message_id=queued.message_id, user_id=queued.user_id, priority=queued.priority
            ),
            redelivered=queued.redelivered,
            token=self._tags,
        )

    def lose_connection(self, worker: str) -> None:
        for tag in [tag for tag, (owner, _) in self.unacked.items() if owner == worker]:
            self.requeue(tag)

    def requeue(self, tag: int) -> None:
        _, queued = self.unacked.pop(tag)
        self.ready.appendleft(replace(queued, redelivered=True))

    def release_due(self, now: float) -> None:
        due = [queued for at, queued in self.delayed if at <= now]
        self.delayed = [(at, queued) for at, queued in self.delayed if at > now]
        self.ready.extend(due)

    def to(self, exchange: str, routing_key: str | None = None) -> list[OutgoingMessage]:
        return [
            item
            for item in self.published
            if item.exchange == exchange and (routing_key is None or item.routing_key == routing_key)
        ]

    @property
    def empty(self) -> bool:
        return not (self.ready or self.unacked or self.delayed)


class FakeBroker:
    def __init__(self, shared: SharedBroker, steps: Steps, worker: str, clock: FakeClock) -> None:
        self._shared = shared
        self._steps = steps
        self._user = names.worker_user("pool-uid", "0a1b2c3d")
        self._clock = clock
        self.worker = worker
        self._delays = {names.retry_step(seconds): seconds for seconds in timing.RETRY_STEPS}

    def publish(self, message: OutgoingMessage, *, timeout: float = 10.0) -> None:
        assert timeout > 0
        with self._steps.step(
            f"broker.publish {message.properties.type or message.exchange}", BrokerError("away")
        ):
            self._shared.published.append(message)
            properties = message.properties
            copy = Queued(
                message.body, dict(message.headers), properties.message_id, self._user, properties.priority
            )
            if message.exchange in self._delays:
                due = self._clock.time + self._delays[message.exchange]
                self._shared.delayed.append((due, copy))
            elif (message.exchange, message.routing_key) == ("", self._shared.queue):
                self._shared.ready.append(copy)

    def ack(self, delivery: Delivery) -> bool:
        with self._steps.step("broker.ack"):
            assert isinstance(delivery.token, int)
            if self._shared.unacked.pop(delivery.token, None) is None:
                return False
            self._shared.acked += 1
            return True

    def requeue(self, delivery: Delivery) -> bool:
        with self._steps.step("broker.requeue"):
            assert isinstance(delivery.token, int)
            if delivery.token not in self._shared.unacked:
                return False
            self._shared.requeue(delivery.token)
            return True


class FakeFetcher:
    def __init__(self, steps: Steps, data: bytes) -> None:
        self._steps = steps
        self.data = data
        self.urls: list[str] = []

    def fetch(self, url: str, max_bytes: int) -> bytes:
        assert max_bytes > 0
        error = AttemptFailed("the host is away", reason="InputUnavailable", retryable=True)
        with self._steps.step("fetch", error):
            self.urls.append(url)
            return self.data
