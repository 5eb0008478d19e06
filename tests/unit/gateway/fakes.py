"""Fakes of the dispatcher's ports: they record what was done, and fail on demand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from genpool_core.errors import BrokerError, Lasts, TaskStoreError
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_gateway.callbacks.disposition import Answered, Outcome
from genpool_gateway.callbacks.ports import WebhookRequest
from genpool_gateway.tasks.ports import EndedLately, TaskQuery
from genpool_gateway.tasks.record import StoredEvent, TaskRecord


@dataclass
class FakeQueue:
    """Records publishes and acknowledgements, in order."""

    done: list[str] = field(default_factory=list)
    published: list[OutgoingMessage] = field(default_factory=list)
    refusals: int = 0
    lasts: Lasts = Lasts.REPAIR
    """Of the refusals."""
    held: bool = True
    lost_when_refused: bool = False

    def publish(self, message: OutgoingMessage) -> None:
        if self.refusals:
            self.refusals -= 1
            self.held = self.held and not self.lost_when_refused
            self.done.append("refused")
            raise BrokerError("no", reason="Unroutable", lasts=self.lasts)
        self.done.append("publish")
        self.published.append(message)

    def holds(self, _delivery: Delivery) -> bool:
        return self.held

    def ack(self, _delivery: Delivery) -> bool:
        self.done.append("ack")
        return True

    def reject(self, _delivery: Delivery) -> bool:
        self.done.append("reject")
        return True


@dataclass
class FakeReceiver:
    """Answers what it was told to."""

    outcome: Outcome | Exception = field(default_factory=lambda: Answered(204))
    requests: list[WebhookRequest] = field(default_factory=list)

    def send(self, request: WebhookRequest) -> Outcome:
        self.requests.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@dataclass
class FakeMetrics:
    """Counts by name."""

    counts: dict[str, int] = field(default_factory=dict)

    def _add(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def delivered(self, _seconds: float) -> None:
        self._add("delivered")

    def retried(self, _seconds: float) -> None:
        self._add("retried")

    def dead(self, reason: str) -> None:
        self._add(reason)

    def stepped_aside(self) -> None:
        self._add("stepped_aside")


@dataclass
class FakeReader:
    """Records of the task store, or its fault."""

    records: Sequence[TaskRecord] = ()
    happened: Sequence[StoredEvent] = ()
    fault: TaskStoreError | None = None

    def get(self, task: str) -> TaskRecord | None:
        return next((item for item in self._all() if item.id == task), None)

    def get_all(self, tasks: Collection[str]) -> list[TaskRecord]:
        return [item for item in self._all() if item.id in tasks]

    def find(self, _query: TaskQuery) -> list[TaskRecord]:
        return list(self._all())

    def events(self, task: str, *, after: int = 0) -> list[StoredEvent]:
        return [event for event in self.happened if event.task == task and event.number > after]

    def count_unfinished(self, _pool_uid: str) -> int:
        return len(self._all())

    def count_owned(self, owner: str) -> int:
        return sum(item.owner == owner for item in self._all())

    def queue_position(self, _task: str) -> int | None:
        return None

    def ended_lately(self, _pool_uid: str, *, limit: int) -> list[EndedLately]:  # noqa: ARG002 - the port's
        return []

    def _all(self) -> Sequence[TaskRecord]:
        if self.fault is not None:
            raise self.fault
        return self.records
