"""The ledgers read back into a task store that was lost: ends, owners and outputs are there again, each once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest

from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.port import Put, Stored
from genpool_adapters.shipped_workflows import default_workflows, shipped_files
from genpool_core.errors import StorageError
from genpool_core.ledger.records import EndRecord, Output
from genpool_gateway.adapters.stores import Stores
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.manifests import pools_of
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.rebuild import Rebuild, run
from genpool_gateway.store.opening import TaskStore, open_store
from genpool_gateway.tasks.ports import TaskQuery
from integration.gateway.api import POOL, pool_manifest

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Objects:
    """A bucket in memory. ``away``: it does not answer."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False

    def keys(self, prefix: str) -> list[str]:
        if self.away:
            raise StorageError("the bucket does not answer.")
        return sorted(key for key in self.objects if key.startswith(prefix))

    def get(self, key: str) -> Stored | None:
        return Stored(self.objects[key], 0.0)

    def create(self, key: str, data: bytes) -> Put:
        self.objects[key] = data
        return Put.CREATED


@dataclass
class Listing:
    """The stores file: it lists the pool's bucket, or not."""

    objects: Objects
    listed: bool = True

    def ledger(self, _config: object) -> Ledger | None:
        return Ledger(cast("Any", self.objects), "", cast("Any", None)) if self.listed else None


@dataclass
class Pools:
    directory: PoolDirectory

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def trouble(self) -> str | None:
        return None

    def snapshot(self) -> PoolDirectory:
        return self.directory


def end(task: str, *, run_: int = 1, **changes: Any) -> EndRecord:  # noqa: ANN401 - fields
    made = EndRecord(
        task_key=task,
        task_id=f"word-{task[0]}",
        run=run_,
        attempt=1,
        nonce="n",
        outcome="succeeded",
        reason="Succeeded",
        message="made 1 file.",
        worker="pod-1",
        owner="key-1",
        workflow="text-to-image",
        parameters={"prompt": "a lake"},
        outputs=[
            Output(
                key="o.png",
                bucket="b",
                node="9",
                kind="images",
                content_type="image/png",
                bytes=3,
                sha256="0" * 64,
            )
        ],
        started_at=NOW,
        ended_at=NOW + timedelta(seconds=9),
    )
    return made.model_copy(update=changes)


@pytest.fixture
def directory() -> PoolDirectory:
    return pools_of([pool_manifest("/")], partial(shipped_files, default_workflows()))


@pytest.fixture
def reopened(store: TaskStore, url: str) -> Iterator[TaskStore]:
    """The store as it is after the rebuild, which closes its own."""
    made = open_store(url)
    yield made
    made.close()
    store.close()


def rebuilt(url: str, directory: PoolDirectory, listing: Listing) -> int:
    pools, stores = cast("PoolSource", Pools(directory)), cast("Stores", listing)
    return run(Rebuild(pools, stores, open_store(url)))


def test_all_ends_are_read_back_once(reopened: TaskStore, url: str, directory: PoolDirectory) -> None:
    objects = Objects()
    ledger = Ledger(cast("Any", objects), "", cast("Any", None))
    for record in (
        end("a" * 40),
        end("b" * 40, owner=None),
        end("b" * 40, run_=2, outcome="dead", reason="NodeFailed"),
    ):
        ledger.end(record)
    objects.objects[f"tasks/{'c' * 40}/runs/1/end.json"] = b"no record"
    objects.objects[f"tasks/{'a' * 40}/runs/1/attempts/1.json"] = b"a claim"
    for _ in range(2):
        assert rebuilt(url, directory, Listing(objects)) == 0
    found = {record.id[0]: record for record in reopened.reader.find(TaskQuery())}
    assert set(found) == {"a", "b"}
    assert (found["a"].owner, found["a"].pool.uid, found["a"].started_at) == ("key-1", POOL.uid, NOW)
    assert found["a"].end is not None
    assert found["a"].end.outputs[0].key == "o.png"
    assert found["b"].end is not None
    assert (found["b"].end.run, found["b"].end.outcome, found["b"].owner) == (2, "dead", "key-1")
    assert [event.type for event in reopened.reader.events("a" * 40)] == ["ended"]
    assert [record.id[0] for record in reopened.reader.find(TaskQuery(owner="key-1"))] == ["b", "a"]


@pytest.mark.parametrize("what", ["away", "not listed", "not served"])
def test_a_ledger_that_cannot_be_read_is_told(
    reopened: TaskStore, url: str, directory: PoolDirectory, what: str
) -> None:
    objects = Objects()
    objects.away = what == "away"
    if what == "not served":
        (pool,) = directory.pools
        directory = PoolDirectory((replace(pool, serving=None, trouble="it is being deleted."),))
    assert rebuilt(url, directory, Listing(objects, listed=what != "not listed")) == 1
    assert reopened.reader.find(TaskQuery()) == []
