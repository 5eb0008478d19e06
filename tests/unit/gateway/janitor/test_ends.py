"""A cancel brought to its end, whenever the gateway is killed on the way."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from genpool_core import names, timing
from genpool_core.identity import end_id
from genpool_core.ledger import keys
from genpool_core.messages.events import EVENT, TaskEnded
from genpool_gateway.janitor.errors import StoreNotListed, StoreRefused
from genpool_gateway.pools.errors import PoolUnavailable
from genpool_gateway.pools.manifests import pools_of
from genpool_gateway.tasks.places import PoolPlace
from genpool_gateway.tasks.record import TaskState
from integration.gateway.api import POOL
from unit.gateway.janitor.test_ending import PAST, claim, end, limited
from unit.gateway.janitor.world import Killed, World
from unit.gateway.samples import NOW


def steps_of_a_cancel() -> int:
    world = World()
    world.ends().look(world.task)
    return world.steps


@pytest.mark.parametrize("kill_at", range(1, steps_of_a_cancel() + 1))
def test_killed_at_any_step_it_finishes_after_its_restart(kill_at: int) -> None:
    world = World(kill_at=kill_at)
    with suppress(Killed):
        world.ends().look(world.task)
    world.ends().look(world.task)
    (record,) = world.records
    task, wanted = world.task, end_id(world.task.id, 1)
    assert (record.outcome, record.reason, record.worker) == ("cancelled", "Cancelled", "")
    assert task.state is TaskState.ENDED
    assert task.end is not None
    assert task.end.nonce == record.nonce
    events = [EVENT.validate_json(message.body) for message in world.to(names.EVENTS_EXCHANGE)]
    assert {(event.id, event.time) for event in events if isinstance(event, TaskEnded)} == {
        (wanted, record.ended_at)
    }
    assert {json.loads(message.body)["id"] for message in world.to(names.CALLBACKS_EXCHANGE)} == {wanted}
    assert world.left == {task.id}


def test_one_step_after_the_other() -> None:
    world = World()
    world.ends().look(world.task)
    assert [message.exchange for message in world.published] == [
        names.CALLBACKS_EXCHANGE,
        names.EVENTS_EXCHANGE,
        names.CONTROL_EXCHANGE,
    ]
    world.published.clear()
    world.ends().look(world.task)
    assert world.published == []


def test_whoever_has_it_in_hand_is_told() -> None:
    world = World()
    world.objects[keys.claim_key("", world.task.id, 1, 1)] = claim().model_dump_json().encode()
    world.task = replace(world.task, state=TaskState.RUNNING, worker="pod-1")
    world.ends().look(world.task)
    assert (world.commands, world.records) == ([names.command_key(POOL.uid, "pod-1")], [])
    world.task = replace(world.task, worker="pod-0")
    world.ends().look(world.task)
    assert world.commands[1:] == [names.command_key(POOL.uid, pod) for pod in ("pod-0", "pod-1")]


def test_a_worker_that_was_lost_is_not_waited_for() -> None:
    world = World()
    key = keys.claim_key("", world.task.id, 1, 1)
    world.objects[key] = claim().model_dump_json().encode()
    world.ages[key] = timing.LEASE_SECONDS + 1
    world.task = replace(world.task, state=TaskState.RUNNING, worker="pod-1")
    world.ends().look(world.task)
    (record,) = world.records
    assert (record.attempt, [one.outcome for one in record.attempts]) == (1, ["lost"])
    assert world.left == set()


def test_the_end_of_a_worker_stands_and_is_its_to_announce() -> None:
    world = World()
    standing = end("pod-1").model_copy(update={"task_key": world.task.id, "outcome": "succeeded"})
    world.objects[keys.end_key("", world.task.id, 1)] = standing.model_dump_json().encode()
    world.ends().look(world.task)
    assert world.published == []
    assert world.task.end is not None
    assert world.task.end.outcome == "succeeded"


def test_a_bucket_that_is_not_listed() -> None:
    world = World(listed=False)
    with pytest.raises(
        StoreNotListed, match=r"bucket results at http://127\.0\.0\.1:1 is not in gateway\.stores"
    ):
        world.ends().require(world.task)
    world.task = replace(world.task, state=TaskState.RUNNING, worker="pod-1")
    world.ends().require(world.task)
    world.ends().look(world.task)
    assert world.commands == [names.command_key(POOL.uid, "pod-1")]
    assert world.records == []


def test_a_bucket_that_refused_the_gateway() -> None:
    world = World(refused="At its last look it refused (InvalidAccessKeyId). Until then nothing ends.")
    with pytest.raises(
        StoreRefused, match=r"waits, .* into bucket results at .*InvalidAccessKeyId.*every 60 s"
    ):
        world.ends().require(world.task)
    world.task = replace(world.task, state=TaskState.RUNNING, worker="pod-1")
    world.ends().require(world.task)


# Of a pool that is gone ---------------------------------------------------------------------------------------------


def of_gone_pool(**fields: Any) -> World:  # noqa: ANN401 - of the world
    pool = World().serving.config
    place = PoolPlace(pool.pool, pool.store, None, NOW, NOW)
    return World(directory=pools_of([], lambda _name: None), **{"places": [place], **fields})


@pytest.mark.parametrize("kill_at", range(6))
def test_a_task_whose_pool_is_gone_is_cancelled(kill_at: int) -> None:
    world = of_gone_pool(kill_at=kill_at)
    world.ends().require(world.task)
    with suppress(Killed):
        world.ends().look(world.task)
    world.ends().look(world.task)
    (record,) = world.records
    assert (record.outcome, record.reason, record.worker) == ("cancelled", "Cancelled", "")
    assert world.task.state is TaskState.ENDED
    assert (world.task.end and world.task.end.nonce) == record.nonce
    assert world.published == []


def test_its_time_limits_hold() -> None:
    world = of_gone_pool()
    late = limited(start_by=PAST)
    world.task = replace(late, pool=world.task.pool, cancel_requested_at=None)
    world.ends().look(world.task)
    assert [record.reason for record in world.records] == ["StartDeadlineExceeded"]


def test_a_worker_of_a_gone_pool_goes_on_and_its_end_stands() -> None:
    world = of_gone_pool()
    world.objects[keys.claim_key("", world.task.id, 1, 1)] = claim().model_dump_json().encode()
    world.ends().look(world.task)
    assert (world.records, world.task.state) == ([], TaskState.QUEUED)
    world.objects[keys.end_key("", world.task.id, 1)] = end("pod-1").model_dump_json().encode()
    world.ends().look(world.task)
    assert world.task.end is not None
    assert world.task.end.worker == "pod-1"


@pytest.mark.parametrize(
    ("fields", "sentence"), [({"places": []}, "never knew its bucket"), ({"listed": False}, "gateway.stores")]
)
def test_what_cannot_be_ended_there_is_refused_with_the_reason(fields: dict[str, Any], sentence: str) -> None:
    world = of_gone_pool(**fields)
    with pytest.raises(PoolUnavailable, match=sentence):
        world.ends().require(world.task)
    with pytest.raises(PoolUnavailable, match=sentence):
        world.ends().look(world.task)
