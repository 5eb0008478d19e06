"""A wedged pod is deleted once, with an Event, and by nobody else's fault twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genpool_core import timing
from genpool_core.errors import ClusterError
from genpool_operator.decide.events import POD_REPLACED
from genpool_operator.decide.workers import WorkerView
from unit.operator.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.tasks(0)
    world.put(scaling={"mode": "Pinned", "replicas": 2})
    world.look()
    for name in ("a", "b"):
        world.pod(name)
    say_wedged(world, "a", "b")
    return world


def say_wedged(world: World, *pods: str) -> None:
    states = {
        name: WorkerView("unready", world.now, world.now, wedged_seconds=timing.WEDGED_REPLACE_SECONDS)
        for name in pods
    }
    world.brokers.given = replace(world.brokers.given, workers=states)


def test_one_pod_is_deleted_and_an_event_says_why(world: World) -> None:
    world.look(full=False)
    world.look(full=False, later=1)
    assert world.cluster.deleted == ["a"]
    (event,) = [event for event in world.cluster.events if event.reason == POD_REPLACED]
    assert event.type == "Warning"
    assert "Pod a is replaced" in event.message


def test_the_next_one_has_to_wait(world: World) -> None:
    world.look(full=False)
    world.now += world.now.resolution
    world.look(full=False, later=timing.REPLACE_EVERY_SECONDS)
    say_wedged(world, "b")
    world.look(full=False)
    assert world.cluster.deleted == ["a", "b"]


def test_a_deletion_that_is_refused_is_tried_again(world: World) -> None:
    world.cluster.fail["delete"] = [ClusterError("no right", status=403)]
    with pytest.raises(ClusterError):
        world.look(full=False)
    assert not world.cluster.deleted
    world.look(full=False, later=1)
    assert world.cluster.deleted == ["a"]


def test_another_operator_keeps_to_the_budget(world: World) -> None:
    """The status tells it when the last pod was replaced."""
    world.look(full=False)
    replaced = world.now
    assert world.status.last_replacement_time == replaced
    world.restart()
    say_wedged(world, "b")
    world.look(later=1)
    world.look(full=False, later=timing.REPLACE_EVERY_SECONDS - 2)
    say_wedged(world, "b")
    world.look(full=False)
    assert world.cluster.deleted == ["a"]
    assert world.status.last_replacement_time == replaced
    say_wedged(world, "b")
    world.look(full=False, later=1)
    assert world.cluster.deleted == ["a", "b"]
    assert world.status.last_replacement_time == world.now
