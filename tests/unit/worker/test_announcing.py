"""Events that nobody waits for, and the one that closes an attempt: which is told first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fakes.worker_ports import FakeStore, SharedStore
from fakes.worker_steps import Steps
from fakes.worker_world import CONFIG
from genpool_core import timing
from genpool_core.errors import BrokerError, TaskFailure
from genpool_core.identity import TaskRef
from genpool_core.ledger.records import Output
from genpool_core.messages.amqp import Delivery, OutgoingMessage
from genpool_worker.adapters.clock import SystemClock
from genpool_worker.adapters.metrics import WorkerMetrics
from genpool_worker.messaging.heartbeat import HeartbeatThread
from genpool_worker.messaging.publish import TaskPublisher
from genpool_worker.ports import WedgeReport
from genpool_worker.status import WorkerStatus
from support.task_changes import end_record

REF = TaskRef("task", "key", 1)
OUTPUT = Output(
    key="k/a.png", bucket="b", node="9", kind="images", content_type="image/png", bytes=3, sha256="0" * 64
)
END = end_record("task", outputs=[OUTPUT])


class SlowBroker:
    """A broker that confirms what the heartbeat's thread publishes when ``may`` is set, or is away for it."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.away = False
        self.trying = threading.Event()
        self.published: list[str | None] = []

    def publish(self, message: OutgoingMessage, *, timeout: float = timing.PUBLISH_SECONDS) -> None:
        kind = message.properties.type
        if threading.current_thread().name == "heartbeat" and kind != "worker.heartbeat":
            self.trying.set()
            self.may.wait(timeout)
            if self.away:
                raise BrokerError("away")
        if kind != "worker.heartbeat":
            self.published.append(kind)

    def ack(self, delivery: Delivery) -> bool:
        raise NotImplementedError

    def requeue(self, delivery: Delivery) -> bool:
        raise NotImplementedError


@contextmanager
def telling(broker: SlowBroker) -> Iterator[tuple[TaskPublisher, HeartbeatThread]]:
    clock = SystemClock()
    status = WorkerStatus(clock, WorkerMetrics())
    heartbeat = HeartbeatThread(
        broker, status, CONFIG.pool, "w1", clock, lambda: WedgeReport(None, 0), lambda: None
    )
    store = FakeStore(SharedStore(), Steps())
    heartbeat.start()
    try:
        yield TaskPublisher(broker, store, CONFIG, "w1", clock, heartbeat), heartbeat
    finally:
        broker.may.set()
        heartbeat.stop()


def retried(publisher: TaskPublisher) -> None:
    publisher.retried(REF, 1, TaskFailure("no", reason="No"), 5)


def ended(publisher: TaskPublisher) -> None:
    publisher.ended(END)


@pytest.mark.parametrize(("close", "last"), [(ended, "task.ended"), (retried, "task.retried")])
def test_what_closes_an_attempt_is_told_behind_its_results(
    close: Callable[[TaskPublisher], None], last: str
) -> None:
    broker = SlowBroker()
    with telling(broker) as (publisher, _):
        publisher.output(REF, 1, OUTPUT)
        publisher.output(REF, 1, OUTPUT)
        assert broker.trying.wait(10)
        confirming = threading.Timer(0.1, broker.may.set)
        confirming.start()
        close(publisher)
        confirming.join()
        assert broker.published == ["task.output", "task.output", last]


def test_a_broker_that_does_not_confirm_holds_the_end_up_for_a_moment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timing, "EVENT_PUBLISH_SECONDS", 0.2)
    broker = SlowBroker()
    broker.away = True
    with telling(broker) as (publisher, _):
        for _ in range(20):
            publisher.output(REF, 1, OUTPUT)
        assert broker.trying.wait(10)
        publisher.ended(END)
        assert broker.published == ["task.ended"]


def test_nobody_waits_for_a_thread_that_has_ended() -> None:
    broker = SlowBroker()
    with telling(broker) as (publisher, heartbeat):
        heartbeat.stop()
        publisher.output(REF, 1, OUTPUT)
        publisher.ended(END)
        assert broker.published == ["task.ended"]
