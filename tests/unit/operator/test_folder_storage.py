"""A pool with results in a folder is for one machine: on Kubernetes it is refused, and nothing is made for it."""

from __future__ import annotations

import pytest

from unit.operator.world import World

FOLDER = {"type": "Folder", "folder": {"path": "/srv/results"}}
BUCKET = {"s3": {"bucket": "results"}}


@pytest.fixture
def world() -> World:
    world = World()
    world.tasks(3)
    return world


def test_it_is_refused_with_what_to_do(world: World) -> None:
    world.put(storage=FOLDER)
    world.look()
    accepted = world.condition("Accepted")
    assert (accepted.status, accepted.reason) == ("False", "FolderStorage")
    assert accepted.message.startswith("storage.type Folder is for genpool local on one machine")
    assert "storage.type S3" in accepted.message
    assert world.condition("Ready").status == "False"
    assert [event.reason for event in world.cluster.events] == ["FolderStorage"]


def test_nothing_is_made_for_it(world: World) -> None:
    world.put(storage=FOLDER)
    world.look()
    world.look(later=60)
    assert not world.cluster.calls
    assert not world.brokers.steps
    assert not world.brokers.passwords


def test_with_a_bucket_it_is_made(world: World) -> None:
    world.put(storage=FOLDER)
    world.look()
    world.put(storage=BUCKET)
    world.look(later=1)
    assert world.condition("Accepted").status == "True"
    assert world.condition("Ready").status == "True"
    assert world.replicas > 0


def test_what_runs_stays_as_it_is(world: World) -> None:
    world.put(storage=BUCKET)
    world.look()
    replicas = world.replicas
    world.cluster.calls.clear()
    world.put(storage=FOLDER)
    world.look(later=1)
    assert world.condition("Accepted").reason == "FolderStorage"
    assert (world.cluster.calls, world.replicas) == ([], replicas)
