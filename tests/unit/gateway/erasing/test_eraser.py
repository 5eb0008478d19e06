"""Deletion of a task: the bucket first, the store last, and nothing half done where it cannot be done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from fakes.worker_ports import FakeStore, SharedStore
from fakes.worker_steps import FakeClock, Steps
from genpool_adapters.ledger import Ledger
from genpool_core.errors import GenPoolError, StorageError
from genpool_core.ledger.records import EndRecord
from genpool_core.workerconfig import WorkerConfig
from genpool_gateway.erasing.eraser import Eraser
from genpool_gateway.tasks.change import ERASED_MESSAGE, erase
from genpool_gateway.tasks.record import TaskRecord, TaskState
from genpool_gateway.tasks.told import ended_record
from support.pool_objects import pool_object, served
from unit.gateway.link_fakes import FakePools, output
from unit.gateway.samples import NOW, POOL, record

TASK = "a" * 40
END = EndRecord(
    task_key=TASK,
    task_id="t",
    run=1,
    attempt=1,
    nonce="n",
    outcome="succeeded",
    reason="Succeeded",
    message="made 1 file.",
    worker="pod-1",
    parameters={"prompt": "a secret lake"},
    callback_url="https://hooks.example/?key=s3cr3t",
    outputs=[output(f"p/tasks/{TASK}/runs/1/a1-n/a.png")],
    ended_at=NOW,
)
ENDED = ended_record(record(TASK), END, POOL)
ENDS = {f"p/tasks/{TASK}/runs/{run}/end.json" for run in (1, 2)}


@dataclass
class FakeRetention:
    done: list[str] = field(default_factory=list)

    def delete_ended(self, *, before: datetime, limit: int) -> int:
        raise NotImplementedError

    def delete_expired_idempotency(self, *, now: datetime, limit: int) -> int:
        raise NotImplementedError

    def erase(self, task: str, at: datetime) -> TaskRecord | None:
        self.done.append(task)
        return erase(ENDED, at)


class World:
    """A bucket with a task of two runs, and another one."""

    def __init__(self, *, listed: bool = True) -> None:
        clock = FakeClock()
        self.shared = SharedStore(clock=clock)
        self.steps = Steps()
        self.store = FakeStore(self.shared, self.steps)
        self.retention = FakeRetention()
        self.elsewhere: list[str] = []
        self._ledger = Ledger(self.store, "p/", clock) if listed else None
        for key in ENDS:
            self.shared.objects[key] = END.model_dump_json().encode()
        for name in ("runs/1/a1-n/a.png", "runs/1/attempts/1.json", "runs/2/attempts/1.json"):
            self.shared.objects[f"p/tasks/{TASK}/{name}"] = b"secret"
        self.shared.objects[f"p/tasks/{'b' * 40}/runs/1/end.json"] = b"another's"

    def ledger(self, _config: WorkerConfig) -> Ledger | None:
        return self._ledger

    def eraser(self, pools: FakePools | None = None) -> Eraser:
        pool = served(
            pool_object(
                "text",
                namespace="art",
                uid=POOL.uid,
                storage={"s3": {"bucket": "results", "prefix": "p/"}},
            )
        )
        return Eraser(
            self.retention,
            pools or FakePools([pool]),
            self,
            lambda: NOW,
            elsewhere=[lambda task: self.elsewhere.append(task.id)],
        )


def test_the_ends_stay_without_contents_and_all_else_goes() -> None:
    world = World()
    tombstone = world.eraser().erase(ENDED)
    assert tombstone.erased_at == NOW
    assert {key for key in world.shared.objects if TASK in key} == ENDS
    for key in ENDS:
        end = EndRecord.model_validate_json(world.shared.objects[key])
        assert (end.outcome, end.message, end.parameters, end.outputs, end.callback_url) == (
            "succeeded",
            ERASED_MESSAGE,
            {},
            [],
            None,
        )
    assert b"another's" in world.shared.objects.values()
    assert (world.elsewhere, world.retention.done) == ([TASK], [TASK])


def test_twice_is_once() -> None:
    world = World()
    world.eraser().erase(ENDED)
    before = dict(world.shared.objects)
    world.eraser().erase(erase(ENDED, NOW))
    assert world.shared.objects == before


@pytest.mark.parametrize("state", [TaskState.ACCEPTING, TaskState.QUEUED, TaskState.RUNNING])
def test_one_that_has_not_ended_is_refused(state: TaskState) -> None:
    world = World()
    with pytest.raises(GenPoolError, match="has not ended") as caught:
        world.eraser().erase(replace(ENDED, state=state))
    assert caught.value.reason == "NotEnded"
    assert f"p/tasks/{TASK}/runs/1/a1-n/a.png" in world.shared.objects


def test_where_the_bucket_is_not_listed_nothing_is_done_and_it_is_said() -> None:
    world = World(listed=False)
    with pytest.raises(
        GenPoolError, match=r"bucket results at AWS region us-east-1 is not in gateway.stores"
    ) as caught:
        world.eraser().erase(ENDED)
    assert caught.value.reason == "StoreNotListed"
    gone = World()
    with pytest.raises(GenPoolError, match=r"pool art/text .* is gone"):
        gone.eraser(FakePools(())).erase(ENDED)
    assert (world.retention.done, world.elsewhere, gone.retention.done) == ([], [], [])


def test_a_bucket_that_is_away_leaves_the_task_to_be_deleted_again() -> None:
    world = World()
    world.steps.down = "store.delete"
    with pytest.raises(StorageError):
        world.eraser().erase(ENDED)
    assert world.retention.done == []
    world.steps.down = None
    world.eraser().erase(ENDED)
    assert {key for key in world.shared.objects if TASK in key} == ENDS


def test_what_was_uploaded_for_it_goes_and_what_was_uploaded_for_others_stays() -> None:
    world = World()
    own, other = f"upload:{'0' * 32}/own.png", f"upload:{'1' * 32}/other.png"
    for owner, value in (("key-1", own), ("key-1", other), ("key-2", own)):
        world.shared.objects[f"p/uploads/{owner}/{value.removeprefix('upload:')}"] = b"a picture"
    world.eraser().erase(replace(ENDED, parameters={"image": own, "size": 5}))
    left = {key for key in world.shared.objects if "uploads/" in key}
    assert left == {f"p/uploads/key-1/{'1' * 32}/other.png", f"p/uploads/key-2/{'0' * 32}/own.png"}
