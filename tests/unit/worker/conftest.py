"""A world for each test; its scratch folder goes with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from fakes.worker_model import MODEL
from fakes.worker_world import PHOTO, TEXT, World, new_world


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(**config: object) -> World:
        made.append(new_world(**config))
        return made[-1]

    yield make
    for item in made:
        shutil.rmtree(item.scratch)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def two(world: World) -> World:
    """A pool with a workflow that needs a model, and one that needs none."""
    world.workflows = (TEXT, PHOTO, MODEL)
    return world
