"""Waiting for a task's end in a request: who may not know any more is told nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.tasks.record import TaskState
from support.task_changes import end_record
from unit.gateway.api.world import TASK, ApiWorld
from unit.gateway.keys.key_fakes import KEY
from unit.gateway.samples import NOW, record

TASK_ID = "a" * 40


def waiting(world: ApiWorld, meanwhile: object, *how: Any, **more: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
    """The answer to a request that waits; ``meanwhile`` is called once it does, and then its task ends."""

    class Reader:
        def get(self, task: str) -> Any:  # noqa: ANN401 - the record
            found = world.reader.records[0]
            if len(world.hub) and found.state is not TaskState.ENDED:
                assert callable(meanwhile)
                meanwhile()
                world.reader.records = [replace(found, state=TaskState.ENDED, end=end_record("a"))]
                world.hub.look([task])
            return replace(found, id=task)

    vars(world.services)["reader"] = Reader()

    async def ask() -> httpx.Response:
        async with world.client(authorization=f"Bearer {KEY}") as client:
            return await client.request(*how, **more)

    return asyncio.run(asyncio.wait_for(ask(), 30))


def revoke(world: ApiWorld) -> None:
    world.keys.stored = [replace(world.keys.stored[0], revoked_at=NOW)]
    ring: KeyRing = world.keyring
    ring.forget()


@pytest.fixture
def world() -> ApiWorld:
    made = ApiWorld()
    made.keys.stored = [replace(made.keys.stored[0], pools=None)]
    made.reader.records = [record(TASK_ID, state=TaskState.QUEUED)]
    return made


@pytest.mark.parametrize(
    ("how", "more"),
    [
        (("GET", f"/v1/tasks/{TASK_ID}?wait=20"), {}),
        (("POST", "/v1/tasks?wait=20"), {"json": TASK}),
        (("POST", "/v1/tasks"), {"json": TASK, "headers": {"Prefer": "wait=20"}}),
    ],
)
def test_a_key_that_is_revoked_meanwhile_is_told_nothing(
    world: ApiWorld, how: tuple[str, str], more: dict[str, Any]
) -> None:
    answer = waiting(world, lambda: revoke(world), *how, **more)
    assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthenticated")
    assert "while the request waited" in answer.json()["detail"]


def test_a_key_that_stays_is_told_the_end(world: ApiWorld) -> None:
    answer = waiting(world, lambda: None, "GET", f"/v1/tasks/{TASK_ID}?wait=20")
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")


def test_while_the_store_cannot_tell_of_the_key_it_is_believed(world: ApiWorld) -> None:
    def away() -> None:
        world.keys.failing = True
        world.keyring.forget()

    answer = waiting(world, away, "GET", f"/v1/tasks/{TASK_ID}?wait=20")
    assert answer.status_code == 200
