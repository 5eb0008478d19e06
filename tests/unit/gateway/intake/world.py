"""An intake whose queue, clock and figures are the test's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime

from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.intake.consumer import IntakeConsumer
from support.pool_objects import PEOPLE, Json
from unit.gateway.intake.samples import BUILDINGS_POOL, PEOPLE_POOL, PHOTO, behind, delivery

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@dataclass
class FakeIntakeQueue:
    """Keeps what is done. ``answer``: of each publish, at once; without one it stays open."""

    connected: bool = True
    answer: Callable[[OutgoingMessage], BrokerError | None] | None = lambda _message: None
    published: list[OutgoingMessage] = field(default_factory=list)
    open: list[Future[None]] = field(default_factory=list)
    acked: list[Delivery] = field(default_factory=list)
    requeued: list[Delivery] = field(default_factory=list)
    rejected: list[Delivery] = field(default_factory=list)
    counts: dict[str, int | BrokerError | None] = field(default_factory=dict)
    asked: int = 0
    on_delivery: Callable[[Delivery], None] = lambda _delivery: None
    on_lost: Callable[[], None] = lambda: None
    stopped: bool = False

    def start(self, on_delivery: Callable[[Delivery], None], on_lost: Callable[[], None]) -> None:
        self.on_delivery, self.on_lost = on_delivery, on_lost

    def pause(self) -> None:
        """Nothing more comes in a test."""

    def stop(self, seconds: float) -> None:
        assert seconds > 0
        self.stopped = True

    def publish(self, messages: Sequence[OutgoingMessage]) -> list[Future[None]]:
        futures: list[Future[None]] = []
        for message in messages:
            future: Future[None] = Future()
            self.published.append(message)
            futures.append(future)
            if self.answer is None:
                self.open.append(future)
            elif (error := self.answer(message)) is None:
                future.set_result(None)
            else:
                future.set_exception(error)
        return futures

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self.acked += deliveries

    def requeue(self, delivery: Delivery) -> None:
        self.requeued.append(delivery)

    def reject(self, delivery: Delivery) -> None:
        self.rejected.append(delivery)

    def waiting(self, queue: str) -> int | None:
        self.asked += 1
        found = self.counts.get(queue, 0)
        if isinstance(found, BrokerError):
            raise found
        return found


@dataclass
class FakeMetrics:
    counts: list[str] = field(default_factory=list)

    def routed(self, pool: str) -> None:
        self.counts.append(pool)

    def put_aside(self, reason: str) -> None:
        self.counts.append(f"aside {reason}")

    def dead(self, reason: str) -> None:
        self.counts.append(f"dead {reason}")


class World:
    """A consumer that is moved by hand."""

    def __init__(self, *pools: Json) -> None:
        self.queue, self.metrics, self.clock = FakeIntakeQueue(), FakeMetrics(), 100.0
        places = behind(*(pools or (PEOPLE_POOL, BUILDINGS_POOL)))
        self.consumer = IntakeConsumer(self.queue, places, self.metrics, now=lambda: NOW)
        self.consumer._clock = lambda: self.clock

    def come(self, *deliveries: Delivery) -> None:
        """They arrive, and everything happens that can happen now."""
        for each in deliveries:
            self.consumer._inbox.put(each)
        self.go()

    def go(self, seconds: float = 0.0) -> None:
        """Time passes, and everything happens that can happen now."""
        self.clock += seconds
        self.consumer._inbox.put(None)
        while not self.consumer._inbox.empty():
            self.consumer._step(self.consumer._items())

    def targets(self) -> list[str]:
        return [f"{message.exchange}>{message.routing_key}" for message in self.queue.published]


def photo(number: int, workflow: str = PEOPLE) -> Delivery:
    size = 680 if workflow == PEOPLE else 1080
    url = f"https://cdn.example/{number}.jpg"
    return delivery({**PHOTO, "workflow_type": workflow, "image_url": url, "parameters": {"size": size}})
