"""The callback of an end once more, under the same id."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fakes.worker_ports import FakeStore, SharedStore
from fakes.worker_steps import FakeClock, Steps
from genpool_adapters.ledger import Ledger
from genpool_core.errors import GenPoolError
from genpool_core.identity import end_id
from genpool_core.messages.amqp import OutgoingMessage
from genpool_core.workerconfig import WorkerConfig
from genpool_gateway.callbacks.replay import CallbackReplay
from genpool_gateway.tasks.record import Submission, TaskRecord
from genpool_gateway.tasks.told import ended_record
from support.pool_objects import pool_object, served
from unit.gateway.erasing.test_eraser import END, TASK
from unit.gateway.link_fakes import FakePools
from unit.gateway.samples import NOW, POOL, record

URL = "https://hooks.example/?key=s3cr3t"
ACCEPTED = ended_record(record(TASK, callback_url=URL), END, POOL)
PLAIN = replace(ACCEPTED, submission=None, callback_url="https://hooks.example/")
SERVED = served(pool_object("text", namespace="art", uid=POOL.uid))


@dataclass
class World:
    ledger_: Ledger | None = None
    published: list[OutgoingMessage] = field(default_factory=list)

    def ledger(self, _config: WorkerConfig) -> Ledger | None:
        return self.ledger_

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        self.published += messages

    def replay(
        self, task: TaskRecord, pools: FakePools | None = None, vhost: str = "pictures"
    ) -> dict[str, Any]:
        known = {("default", vhost): self}
        replay = CallbackReplay(pools or FakePools([SERVED]), self, lambda *name: known.get(name))
        assert replay.replay(task) == end_id(TASK, 1)
        return dict(json.loads(self.published[0].body))


def _ledger() -> Ledger:
    clock = FakeClock()
    shared = SharedStore(clock=clock)
    shared.objects[f"tasks/{TASK}/runs/1/end.json"] = END.model_dump_json().encode()
    return Ledger(FakeStore(shared, Steps()), "", clock)


def test_it_has_the_id_and_the_url_of_the_first() -> None:
    message = World().replay(ACCEPTED)
    assert (message["id"], message["url"], message["end"]["run"]) == (end_id(TASK, 1), URL, 1)


def test_a_plain_producers_url_is_read_in_the_ledger_which_alone_has_its_query() -> None:
    assert World(_ledger()).replay(PLAIN)["url"] == URL


@pytest.mark.parametrize(
    ("task", "reason", "said"),
    [
        (record(TASK), "NoCallback", "has not ended"),
        (replace(ACCEPTED, callback_url=None), "NoCallback", "names no callback_url"),
        (replace(ACCEPTED, erased_at=NOW), "NoCallback", "were deleted"),
        (
            replace(ACCEPTED, submission=Submission(owner="k", body=b"", callback_events=("start",))),
            "NoCallback",
            "no callback of its end",
        ),
        (PLAIN, "StoreNotListed", "only the store has the whole callback_url"),
    ],
)
def test_where_there_is_none_it_is_said(task: TaskRecord, reason: str, said: str) -> None:
    with pytest.raises(GenPoolError, match=said) as caught:
        World().replay(task)
    assert caught.value.reason == reason
    assert "s3cr3t" not in caught.value.message


def test_a_pool_that_is_gone_or_elsewhere() -> None:
    with pytest.raises(GenPoolError, match=r"art/text of task .* is gone"):
        World().replay(ACCEPTED, FakePools(()))
    with pytest.raises(GenPoolError, match="a broker that this gateway does not have"):
        World().replay(ACCEPTED, vhost="another")
