"""Deletion of a task: the bucket first, the store last, and nothing half done where it cannot be done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from fakes.worker_ports import FakeStore, SharedStore
from fakes.worker_steps import FakeClock, Steps
from genpool_adapters.ledger import Ledger
from genpool_core import timing
from genpool_core.errors import BrokerError, GenPoolError, StorageError
from genpool_core.ledger.records import EndRecord
from genpool_core.workerconfig import S3Config
from genpool_gateway.erasing.eraser import Eraser
from genpool_gateway.erasing.places import places_of
from genpool_gateway.tasks.change import ERASED_MESSAGE, erase
from genpool_gateway.tasks.places import LooseInput, PoolPlace
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
DAY = 86_400
ENDS = {f"p/tasks/{TASK}/runs/{run}/end.json" for run in (1, 2)}


@dataclass
class FakeTaskStore:
    """Of the task store, what deletion asks for."""

    done: list[str] = field(default_factory=list)
    places: list[PoolPlace] = field(default_factory=list)
    noted: list[LooseInput] = field(default_factory=list)
    settled: list[LooseInput] = field(default_factory=list)
    unsettled: bool = False
    replayed: set[str] = field(default_factory=set)
    begun: list[str] = field(default_factory=list)

    def begin_erasing(self, tasks: Collection[str], at: datetime) -> set[str]:
        assert at == NOW
        self.begun += sorted(set(tasks) - self.replayed)
        return set(tasks) & self.replayed

    def erase(self, task: str, at: datetime) -> TaskRecord | None:
        self.done.append(task)
        return erase(ENDED, at)

    def of_pool(self, pool_uid: str) -> list[PoolPlace]:
        assert pool_uid == POOL.uid
        return self.places

    def note(self, inputs: Sequence[LooseInput]) -> None:
        assert self.done == []
        self.noted += inputs

    def settle(self, inputs: Sequence[LooseInput]) -> None:
        assert self.done
        if self.unsettled:
            raise StorageError("the bucket does not answer.")
        self.settled += inputs


class World:
    """A bucket with a task of two runs, and another one."""

    def __init__(self, *, listed: bool = True) -> None:
        clock = FakeClock()
        self.shared = SharedStore(clock=clock)
        self.steps = Steps()
        self.store = FakeStore(self.shared, self.steps)
        self.tasks = FakeTaskStore()
        self.elsewhere: list[list[str]] = []
        self.elsewhere_away = False
        self.nothing_elsewhere: set[str] = set()
        self.listed = {"results"} if listed else set()
        self._clock = clock
        for key in ENDS:
            self.shared.objects[key] = END.model_dump_json().encode()
        for name in ("runs/1/a1-n/a.png", "runs/1/attempts/1.json", "runs/2/attempts/1.json"):
            self.shared.objects[f"p/tasks/{TASK}/{name}"] = b"secret"
        self.shared.objects[f"p/inputs/{TASK}/{'ab' * 32}"] = b"a secret picture"
        self.shared.objects[f"p/tasks/{'b' * 40}/runs/1/end.json"] = b"another's"

    def ledger_at(self, s3: S3Config) -> Ledger | None:
        return Ledger(self.store, s3.prefix, self._clock) if s3.bucket in self.listed else None

    def eraser(self, pools: FakePools | None = None) -> Eraser:
        pool = served(
            pool_object(
                "text",
                namespace="art",
                uid=POOL.uid,
                storage={"s3": {"bucket": "results", "prefix": "p/"}},
            )
        )
        tasks: Any = self.tasks
        return Eraser(
            tasks,
            tasks,
            tasks,
            tasks,
            pools or FakePools([pool]),
            self,
            now=lambda: NOW,
            elsewhere=[self],
        )

    def concerns(self, record: TaskRecord) -> bool:
        return record.id not in self.nothing_elsewhere

    def forget(self, records: Sequence[TaskRecord]) -> None:
        if self.elsewhere_away:
            raise BrokerError("the broker is away.")
        self.elsewhere.append([record.id for record in records])


def test_the_ends_stay_without_contents_and_all_else_goes() -> None:
    world = World()
    tombstone = world.eraser().erase(ENDED)
    assert tombstone.erased_at == NOW
    assert {key for key in world.shared.objects if TASK in key} == ENDS
    for key in ENDS:
        end = EndRecord.model_validate_json(world.shared.objects[key])
        assert (end.outcome, end.message, end.parameters, end.outputs, end.callback_url, end.erased_at) == (
            "succeeded",
            ERASED_MESSAGE,
            {},
            [],
            None,
            NOW,
        )
    assert b"another's" in world.shared.objects.values()
    assert (world.elsewhere, world.tasks.done) == ([[TASK]], [TASK])


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
    assert (world.tasks.done, world.elsewhere, gone.tasks.done) == ([], [], [])
    assert world.tasks.begun == gone.tasks.begun == [], "it can still be replayed"


def test_of_one_that_is_being_replayed_nothing_is_deleted() -> None:
    world = World()
    world.tasks.replayed = {TASK}
    before = dict(world.shared.objects)
    with pytest.raises(GenPoolError, match="is being replayed") as caught:
        world.eraser().erase(ENDED)
    assert caught.value.reason == "NotEnded"
    assert world.eraser().erase_all([ENDED]) == 0
    assert (world.shared.objects, world.elsewhere, world.tasks.done) == (before, [], [])


def test_a_bucket_that_is_away_leaves_the_task_to_be_deleted_again() -> None:
    world = World()
    world.steps.down = "store.delete"
    with pytest.raises(StorageError):
        world.eraser().erase(ENDED)
    assert (world.tasks.done, world.tasks.begun) == ([], [TASK])
    world.steps.down = None
    world.eraser().erase(ENDED)
    assert {key for key in world.shared.objects if TASK in key} == ENDS


@pytest.mark.parametrize("unsettled", [False, True])
def test_its_uploads_are_given_back_before_it_is_forgotten_and_settled_after(*, unsettled: bool) -> None:
    world = World()
    world.tasks.unsettled = unsettled
    own = f"upload:{'0' * 32}/own.png"
    world.eraser().erase(replace(ENDED, parameters={"image": own, "size": 5}))
    (noted,) = world.tasks.noted
    assert (noted.key, noted.upload, noted.owner) == (f"p/uploads/key-1/{'0' * 32}/own.png", own, "key-1")
    assert noted.made_at == NOW - timedelta(seconds=timing.UNUSED_INPUT_SECONDS)
    assert world.tasks.settled == ([] if unsettled else [noted])
    assert world.tasks.done == [TASK]


def _place(seconds: float, *, bucket: str = "results", prefix: str = "p/", last: float = 0) -> PoolPlace:
    """A bucket that was seen first so long before the task's end, and last so long before it."""
    s3 = S3Config(bucket=bucket, prefix=prefix)
    seen = (NOW - timedelta(seconds=seconds), NOW - timedelta(seconds=last))
    return PoolPlace(POOL, s3, None, *seen)


def test_a_task_of_a_pool_that_is_gone_is_erased_where_the_pool_was_seen() -> None:
    world = World()
    world.tasks.places = [_place(3600)]
    world.eraser(FakePools(())).erase(ENDED)
    assert {key for key in world.shared.objects if TASK in key} == ENDS


def test_a_task_is_erased_in_the_bucket_that_its_pool_had_before_too() -> None:
    world = World()
    world.tasks.places = [_place(3600, prefix="new/"), _place(7200, last=3600)]
    world.shared.objects[f"new/tasks/{TASK}/runs/1/a1-n/b.png"] = b"secret"
    pool = pool_object(
        "text", namespace="art", uid=POOL.uid, storage={"s3": {"bucket": "results", "prefix": "new/"}}
    )
    world.eraser(FakePools([served(pool)])).erase(ENDED)
    assert {key for key in world.shared.objects if TASK in key} == ENDS


def test_where_one_of_two_buckets_is_not_listed_nothing_is_done() -> None:
    world = World()
    before = dict(world.shared.objects)
    world.tasks.places = [_place(3600), _place(7200, bucket="old", last=3600)]
    with pytest.raises(GenPoolError, match="bucket old at"):
        world.eraser().erase(ENDED)
    assert (world.shared.objects, world.tasks.done) == (before, [])


@pytest.mark.parametrize(
    ("known", "current", "found"),
    [
        ([], None, []),
        ([], "now", ["now"]),
        ([_place(9 * DAY, bucket="a")], None, ["a"]),
        ([_place(9 * DAY, bucket="a")], "a", ["a"]),
        # The last one that was seen counts in any case; the first one counts from the beginning.
        ([_place(-5 * DAY, bucket="a", last=-9 * DAY)], None, ["a"]),
        (
            [_place(-5 * DAY, bucket="b", last=-9 * DAY), _place(5 * DAY, bucket="a", last=-5 * DAY)],
            None,
            ["b", "a"],
        ),
        (
            [_place(-5 * DAY, bucket="b", last=-9 * DAY), _place(5 * DAY, bucket="a", last=-5 * DAY)],
            "b",
            ["b", "a"],
        ),
        # One that had ended when the task came, and one that began after its end.
        ([_place(3 * DAY, bucket="b"), _place(9 * DAY, bucket="a", last=3 * DAY)], "b", ["b"]),
        (
            [_place(-5 * DAY, bucket="c", last=-6 * DAY), _place(9 * DAY, bucket="b", last=0)],
            "d",
            ["d", "b"],
        ),
    ],
)
def test_where_contents_may_lie(known: list[PoolPlace], current: str | None, found: list[str]) -> None:
    s3 = None if current is None else S3Config(bucket=current, prefix="p/")
    assert [place.bucket for place in places_of(ENDED, known, s3)] == found


def test_of_several_one_whose_ledger_cannot_be_read_holds_up_no_other() -> None:
    world = World()
    others = replace(ENDED, id="b" * 40)
    assert world.eraser().erase_all([others, ENDED]) == 1
    assert (world.elsewhere, world.tasks.done) == ([[TASK]], [TASK])
    assert {key for key in world.shared.objects if TASK in key} == ENDS
    assert world.eraser().erase_all([others]) == 0
    assert world.elsewhere == [[TASK]]


def test_another_place_that_is_away_holds_up_only_what_it_has() -> None:
    world = World()
    world.elsewhere_away = True
    plain = replace(ENDED, id="c" * 40)
    world.nothing_elsewhere = {plain.id}
    with pytest.raises(BrokerError):
        world.eraser().erase_all([ENDED, plain])
    assert world.tasks.done == [plain.id]
    world.elsewhere_away = False
    world.eraser().erase_all([ENDED])
    assert (world.elsewhere, world.tasks.done) == ([[TASK]], [plain.id, TASK])
