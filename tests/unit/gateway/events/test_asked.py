"""Callbacks of starts and outputs: for those who asked, under the event's id, after the event was stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from genpool_core.errors import BrokerError, Lasts, TaskStoreError
from genpool_core.messages.amqp import OutgoingMessage
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import TaskClaimed, TaskOutput, TaskRetried
from genpool_gateway.events.asked import AskedCallbacks, callback_asked
from genpool_gateway.tasks.change import erase
from genpool_gateway.tasks.record import Submission, TaskRecord
from support.pool_objects import pool_object, served
from unit.gateway.fakes import FakeReader
from unit.gateway.link_fakes import FakePools, output
from unit.gateway.samples import NOW, POOL, record

URL = "https://receiver.example/hook"
ABOUT: dict[str, Any] = {
    "pool": POOL,
    "worker": "pod-1",
    "time": NOW,
    "task_id": "t",
    "task_key": "a" * 40,
    "run": 1,
    "attempt": 1,
}
CLAIMED = TaskClaimed(id="claim-1", **ABOUT)
LANDED = TaskOutput(id="output-1", output=output(), **ABOUT)
RETRIED = TaskRetried(id="retry-1", reason="OutOfMemory", message="no.", delay_seconds=5, **ABOUT)
HOSTS = {"callbackHosts": [{"host": "receiver.example"}]}


def _asking(*events: str, url: str | None = URL) -> TaskRecord:
    submission = Submission(owner="key-1", body=b"{}", callback_events=events)
    return record(submission=submission, callback_url=url)


@dataclass
class FakePublisher:
    fault: BrokerError | None = None
    published: list[OutgoingMessage] = field(default_factory=list)

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        if self.fault is not None:
            raise self.fault
        self.published += messages


@pytest.mark.parametrize(
    ("task", "asked"),
    [
        (_asking("start", "output", "end"), ["claim-1", "output-1"]),
        (_asking("start"), ["claim-1"]),
        (_asking("output"), ["output-1"]),
        (_asking("end"), []),
        (_asking(), []),
        (_asking("start", url=None), []),
        (record(submission=None, callback_url=URL), []),
        (erase(_asking("start"), NOW), []),
    ],
)
def test_who_asked_is_told(task: TaskRecord, asked: list[str]) -> None:
    messages = [callback_asked(task, event, []) for event in (CLAIMED, LANDED)]
    assert [message.id for message in messages if message is not None] == asked


def test_a_worker_speaks_for_its_own_pools_tasks_only() -> None:
    other = CLAIMED.model_copy(update={"pool": PoolRef(namespace="x", name="x", uid="x")})
    assert callback_asked(_asking("start"), other, []) is None


def _callbacks(publisher: FakePublisher, reader: FakeReader | None = None) -> AskedCallbacks:
    pool = served(pool_object("text", namespace="art", uid=POOL.uid, security=HOSTS))
    return AskedCallbacks(reader or FakeReader([_asking("start")]), FakePools([pool]), publisher)


def test_the_message_has_the_event_and_the_pools_rules() -> None:
    publisher = FakePublisher()
    _callbacks(publisher).publish([RETRIED, LANDED, CLAIMED])
    (message,) = publisher.published
    body = json.loads(message.body)
    assert (body["id"], body["url"], body["event"]["type"]) == ("claim-1", URL, "task.claimed")
    assert [rule["host"] for rule in body["allow"]] == ["receiver.example"]
    assert message.properties.message_id == "claim-1"


def test_what_cannot_be_told_now_is_raised_and_what_never_can_holds_up_nothing() -> None:
    with pytest.raises(BrokerError):
        _callbacks(FakePublisher(BrokerError("away"))).publish([CLAIMED])
    with pytest.raises(TaskStoreError):
        _callbacks(FakePublisher(), FakeReader(fault=TaskStoreError("away"))).publish([CLAIMED])
    _callbacks(FakePublisher(BrokerError("too large", lasts=Lasts.NEVER))).publish([CLAIMED])


def test_the_store_is_asked_for_starts_and_outputs_only() -> None:
    _callbacks(FakePublisher(), FakeReader(fault=TaskStoreError("asked"))).publish([RETRIED])
