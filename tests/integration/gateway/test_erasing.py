"""Contents of tasks go from a real bucket: by wish, by age, because no task uses them; also of a pool that is gone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from genpool_adapters.shipped_workflows import default_workflows, shipped_files
from genpool_core import timing
from genpool_core.ledger import keys
from genpool_core.ledger.records import EndRecord
from genpool_core.messages.announcements import ended_event
from genpool_core.podlayout import S3_ACCESS_KEY, S3_SECRET_KEY
from genpool_core.tasks.uploads import upload_key
from genpool_core.workerconfig import S3Config
from genpool_gateway.accepting.input_store import InputStore
from genpool_gateway.accepting.set_apart import Input
from genpool_gateway.adapters.stores import ListedStore, Stores
from genpool_gateway.erasing.eraser import Eraser
from genpool_gateway.erasing.keeper import PlaceKeeper
from genpool_gateway.erasing.retention import Retention
from genpool_gateway.erasing.unused import UnusedInputs
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.file_links import FileLinks
from genpool_gateway.pools.manifests import pools_of
from genpool_gateway.rebuild import Rebuild, run
from genpool_gateway.store.opening import TaskStore, open_store
from genpool_gateway.tasks.change import change_of
from genpool_gateway.tasks.places import LooseInput
from genpool_gateway.tasks.ports import NewTask
from integration.broker import until
from integration.bucket import Bucket
from integration.gateway.api import POOL, Api, pool_manifest
from integration.gateway.test_dead_letters import bury, dead
from integration.gateway.test_ended import api as api  # noqa: PLC0414 - a fixture
from support.task_changes import T0, accepting, at, end_record, key

RETENTION = 3600


def _keys(bucket: Bucket, prefix: str) -> set[str]:
    found = bucket.client().list_objects_v2(Bucket=bucket.name, Prefix=prefix).get("Contents", [])
    return {item["Key"].removeprefix(prefix) for item in found}


def test_a_deleted_tasks_dead_letter_and_inputs_go_and_others_stay(api: Api, bucket: Bucket) -> None:
    first, second, third = bury(api, 3, "NodeFailed")
    prefix = f"{api.process.vhost.name}/inputs/"
    for task in (first, second):
        bucket.client().put_object(Bucket=bucket.name, Key=f"{prefix}{task}/{'ab' * 32}", Body=b"a picture")
    for task in (first, second, third):
        api.until_status(task, "failed")
    for _ in range(2):
        answer = api.call("DELETE", f"/v1/tasks/{second}")
        assert answer.status_code == 200, answer.text
    assert {task["id"] for task in api.call("GET", "/v1/dead-letters").json()["tasks"]} == {first, third}
    assert _keys(bucket, prefix) == {f"{first}/{'ab' * 32}"}
    until(lambda: api.process.vhost.ready("generation_tasks.dead") == 2, "two dead letters")
    assert dead(api) == ["NodeFailed 0", "NodeFailed 2"]


def test_of_a_replay_and_a_deletion_at_once_one_is_done(api: Api, bucket: Bucket) -> None:
    prefix = f"{api.process.vhost.name}/inputs/"
    calls = (("DELETE", ""), ("POST", "/replay"))
    for number in range(12):
        task = api.submit(f"lake {number}")
        api.ended(task)
        api.until_status(task["id"], "succeeded")
        name = f"{task['id']}/{'ab' * 32}"
        bucket.client().put_object(Bucket=bucket.name, Key=f"{prefix}{name}", Body=b"a picture")
        with ThreadPoolExecutor(2) as callers:
            asked = [
                callers.submit(Api(api.process, api.key).call, method, f"/v1/tasks/{task['id']}{path}")
                for method, path in calls[:: 1 if number % 2 else -1]
            ]
            statuses = {answer.result().request.method: answer.result().status_code for answer in asked}
        assert statuses in ({"DELETE": 200, "POST": 409}, {"DELETE": 409, "POST": 202}), statuses
        deleted = statuses["DELETE"] == 200
        found = api.task(task["id"])
        assert (found["run"], found["erased_at"] is not None) == ((1, True) if deleted else (2, False))
        assert (name in _keys(bucket, prefix)) is not deleted


@dataclass
class Pools:
    """The pools of this moment."""

    directory: PoolDirectory

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def trouble(self) -> str | None:
        return None

    def snapshot(self) -> PoolDirectory:
        return self.directory


@dataclass
class World:
    """A task store, a bucket, and the time."""

    url: str
    bucket: Bucket
    folder: Path
    prefix: str = field(default_factory=lambda: f"{uuid.uuid4().hex}/")
    now: datetime = T0

    def __post_init__(self) -> None:
        self.store: TaskStore = open_store(self.url)
        (self.folder / S3_ACCESS_KEY).write_text(self.bucket.access_key)
        (self.folder / S3_SECRET_KEY).write_text(self.bucket.secret_key)
        listed = ListedStore(
            endpoint=self.bucket.endpoint, bucket=self.bucket.name, credentials_path=self.folder
        )
        self.stores = Stores([listed], (), FileLinks(lambda: [b"k" * 32], lambda: self.now))
        self.pools = Pools(self.directory())

    @property
    def s3(self) -> S3Config:
        return S3Config(endpoint=self.bucket.endpoint, bucket=self.bucket.name, prefix=self.prefix)

    def directory(self) -> PoolDirectory:
        s3 = {"endpoint": self.bucket.endpoint, "bucket": self.bucket.name, "prefix": self.prefix}
        manifest = pool_manifest("/", storage={"type": "S3", "s3": s3, "retentionSeconds": RETENTION})
        return pools_of([manifest], partial(shipped_files, default_workflows()))

    def put(self, name: str) -> None:
        self.bucket.client().put_object(Bucket=self.bucket.name, Key=f"{self.prefix}{name}", Body=b"a secret")

    def left(self) -> set[str]:
        return _keys(self.bucket, self.prefix)

    def clock(self) -> datetime:
        return self.now

    def eraser(self) -> Eraser:
        store, unused = self.store, self.unused()
        return Eraser(
            store.retention, store.places, store.loose, unused, self.pools, self.stores, now=self.clock
        )

    def unused(self) -> UnusedInputs:
        return UnusedInputs(self.store.loose, self.stores, self.clock)

    def retention(self, keep_days: int = 90) -> Retention:
        store, keep = self.store, keep_days * 86_400
        return Retention(
            store.retention, store.places, self.pools, self.eraser(), self.clock, keep_seconds=keep
        )

    def keep_places(self) -> None:
        PlaceKeeper(self.pools, self.store.places, self.clock).look()

    def ended(self, name: str, seconds: float, **parameters: str) -> str:
        """A task that was accepted, done, and ended at a time, with all that it leaves in the bucket; its key."""
        record = replace(accepting(name, parameters=parameters), pool=POOL)
        self.store.accepting.accept([NewTask(record)], {}, at(0))
        end = end_record(name, owner="anna", parameters=parameters, ended_at=at(seconds), started_at=None)
        change = change_of(ended_event(end, POOL))
        assert change is not None
        self.store.events.apply([replace(change, end=end)])
        run_ = keys.run_prefix("", record.id, 1)
        end_key = keys.end_key(self.prefix, record.id, 1)
        inputs = keys.input_key("", record.id, "ab" * 32)
        for name_ in (f"{run_}a1-n/a.png", f"{run_}attempts/1.json", inputs):
            self.put(name_)
        self.bucket.client().put_object(
            Bucket=self.bucket.name, Key=end_key, Body=end.model_dump_json().encode()
        )
        return record.id

    def end_at(self, task: str) -> EndRecord:
        name = keys.end_key(self.prefix, task, 1)
        data = self.bucket.client().get_object(Bucket=self.bucket.name, Key=name)["Body"].read()
        return EndRecord.model_validate_json(data)


@pytest.fixture
def world(tmp_path: Path, bucket: Bucket) -> Iterator[World]:
    made = World(f"sqlite:///{tmp_path / 'tasks.db'}", bucket, tmp_path)
    yield made
    made.store.close()


def _end(task: str) -> str:
    return keys.end_key("", task, 1)


def test_contents_go_after_the_pools_time_ends_stay_and_rows_go_by_their_age(world: World) -> None:
    old, young = world.ended("old", 10), world.ended("young", 600)
    kept = world.left()
    world.now = at(10 + RETENTION)
    world.retention().look()
    assert world.left() == kept
    world.now = at(11 + RETENTION)
    world.retention().look()
    assert {key for key in world.left() if old in key} == {_end(old)}
    assert {key for key in world.left() if young in key} == {key for key in kept if young in key}
    tombstone, record = world.end_at(old), world.store.reader.get(old)
    assert (tombstone.erased_at, tombstone.parameters, tombstone.outcome) == (world.now, {}, "succeeded")
    assert record is not None
    assert (record.erased_at, record.end) == (world.now, tombstone)
    world.now = at(11) + timedelta(days=90)
    world.retention().look()
    assert world.store.reader.get(old) is None
    assert world.store.reader.get(young) is not None
    assert {_end(old), _end(young)} == world.left()


def test_what_a_pool_keeps_for_longer_than_rows_are_kept_is_deleted_all_the_same(world: World) -> None:
    task = world.ended("long", 10)
    world.keep_places()
    world.now = at(0) + timedelta(minutes=59)
    world.retention(keep_days=0).look()
    assert world.store.reader.get(task) is not None
    world.now = at(11 + RETENTION)
    world.retention(keep_days=0).look()
    assert world.left() == {_end(task)}
    world.retention(keep_days=0).look()
    assert world.store.reader.get(task) is None


def test_of_a_pool_that_is_gone_tasks_are_erased_by_wish_and_by_age(world: World) -> None:
    asked, aged = world.ended("asked", 10), world.ended("aged", 20)
    world.keep_places()
    world.pools.directory = PoolDirectory(())
    record = world.store.reader.get(asked)
    assert record is not None
    world.now = at(30)
    assert world.eraser().erase(record).erased_at == at(30)
    assert {key for key in world.left() if asked in key} == {_end(asked)}
    world.now = at(21 + RETENTION)
    world.retention().look()
    assert world.left() == {_end(asked), _end(aged)}


def test_after_a_rebuild_an_erased_task_is_known_as_one(world: World, tmp_path: Path) -> None:
    task = world.ended("a", 10, prompt="a secret lake")
    record = world.store.reader.get(task)
    assert record is not None
    world.now = at(30)
    world.eraser().erase(record)
    url = f"sqlite:///{tmp_path / 'new.db'}"
    assert run(Rebuild(cast("Any", world.pools), world.stores, open_store(url))) == 0
    rebuilt = open_store(url)
    found = rebuilt.reader.get(task)
    rebuilt.close()
    assert found is not None
    assert (found.erased_at, found.parameters, found.owner) == (at(30), {}, "anna")


def test_what_no_task_uses_goes_after_a_day_and_what_is_used_goes_with_its_task(world: World) -> None:
    used, unused = f"upload:{'0' * 32}/a.png", f"upload:{'1' * 32}/a.png"
    for value in (used, unused):
        name = upload_key(value, prefix=world.prefix, owner="anna")
        assert name is not None
        world.store.loose.note([LooseInput(world.s3, name, at(0), upload=value, owner="anna")])
        world.put(name.removeprefix(world.prefix))
    unknown = f"uploads/anna/{'2' * 32}/a.png"
    world.put(unknown)
    inputs = InputStore(world.stores, world.store.loose, world.clock)
    nothing = "f" * 40
    inputs.put(world.s3, nothing, [Input("ab" * 32, b"a picture", "image/png")]).result(20)
    task = world.ended("a", 10, image_url=used)
    unused_inputs = world.unused()
    before = world.left()
    world.now = at(timing.UNUSED_INPUT_SECONDS)
    unused_inputs.look()
    assert world.left() == before
    world.now = at(timing.UNUSED_INPUT_SECONDS + 1)
    unused_inputs.look()
    assert before - world.left() == {f"uploads/anna/{'1' * 32}/a.png", f"inputs/{nothing}/{'ab' * 32}"}
    record = world.store.reader.get(task)
    assert record is not None
    world.eraser().erase(record)
    assert world.left() == {_end(task), unknown}
    assert world.store.loose.places(before=at(10**6)) == []


def test_an_upload_of_several_tasks_goes_with_the_last_of_them(world: World) -> None:
    upload = f"upload:{'0' * 32}/a.png"
    world.put(f"uploads/anna/{'0' * 32}/a.png")
    for name, seconds in (("asked", 10), ("aged", 20), ("aged-too", 20)):
        world.ended(name, seconds, image_url=upload)
    record = world.store.reader.get(key("asked"))
    assert record is not None
    world.now = at(30)
    world.eraser().erase(record)
    world.unused().look()
    assert f"uploads/anna/{'0' * 32}/a.png" in world.left()
    world.now = at(21 + RETENTION)
    world.retention().look()
    assert world.left() == {_end(key(name)) for name in ("asked", "aged", "aged-too")}
