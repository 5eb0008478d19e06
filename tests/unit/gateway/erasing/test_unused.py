"""Inputs that no task uses go after their time; what is used, or not known for certain, stays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from genpool_core import timing
from genpool_core.errors import StorageError, TaskStoreError
from genpool_core.workerconfig import S3Config
from genpool_gateway.erasing.unused import GROUP, MOST_GROUPS, UnusedInputs
from genpool_gateway.tasks.places import LooseInput
from unit.gateway.samples import NOW

HERE, THERE = S3Config(bucket="results"), S3Config(endpoint="http://s3", bucket="other")
OLD = NOW - timedelta(seconds=timing.UNUSED_INPUT_SECONDS + 1)
YOUNG = NOW - timedelta(seconds=timing.UNUSED_INPUT_SECONDS - 1)


@dataclass
class World:
    """What is known to have been put, and the buckets."""

    loose: list[LooseInput] = field(default_factory=list)
    using: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=lambda: {"results", "other"})
    away: set[str] = field(default_factory=set)
    deleted: list[str] = field(default_factory=list)

    # The task store

    def places(self, *, before: datetime) -> list[tuple[str | None, str]]:
        if "database" in self.away:
            raise TaskStoreError("the database is away.")
        return sorted({each.place for each in self.loose if each.made_at < before}, key=str)

    def due(self, place: tuple[str | None, str], *, before: datetime, limit: int) -> list[LooseInput]:
        return [each for each in self.loose if each.place == place and each.made_at < before][:limit]

    def used(self, inputs: Collection[LooseInput]) -> set[str]:
        if "answer" in self.away:
            raise TaskStoreError("the database is away.")
        return {each.key for each in inputs} & self.using

    def forget(self, inputs: Collection[LooseInput]) -> None:
        gone = {each.key for each in inputs}
        self.loose = [each for each in self.loose if each.key not in gone]

    # The buckets

    def of(self, s3: S3Config) -> Any:  # noqa: ANN401 - as much of a bucket as is used
        return Bucket(self, s3.bucket) if s3.bucket in self.listed else None

    def look(self) -> None:
        UnusedInputs(cast("Any", self), cast("Any", self), lambda: NOW).look()


@dataclass
class Bucket:
    world: World
    name: str

    def delete(self, keys: list[str]) -> None:
        if self.name in self.world.away:
            raise StorageError("the bucket does not answer.")
        self.world.deleted += keys


def test_what_is_unused_goes_after_its_time_and_what_is_used_is_its_tasks() -> None:
    unused, used, young = LooseInput(HERE, "u", OLD), LooseInput(HERE, "t", OLD), LooseInput(HERE, "y", YOUNG)
    world = World([unused, used, young], using={"t"})
    world.look()
    assert (world.deleted, world.loose) == (["u"], [young])


@pytest.mark.parametrize("what", ["other", "database", "answer"])
def test_what_is_away_is_asked_again_and_holds_up_nothing_else(what: str) -> None:
    world = World([LooseInput(THERE, "there", OLD), LooseInput(HERE, "here", OLD)], away={what})
    world.look()
    assert world.deleted == (["here"] if what == "other" else [])
    assert len(world.loose) == (1 if what == "other" else 2)
    world.away = set()
    world.look()
    assert (sorted(world.deleted), world.loose) == (["here", "there"], [])


def test_in_a_bucket_that_is_not_listed_nothing_is_deleted_or_forgotten() -> None:
    world = World([LooseInput(HERE, "here", OLD)], listed=set())
    world.look()
    assert (world.deleted, len(world.loose)) == ([], 1)


def test_one_look_does_a_bounded_number() -> None:
    world = World([LooseInput(HERE, f"{number}", OLD) for number in range(GROUP * MOST_GROUPS + 7)])
    world.look()
    assert len(world.deleted) == GROUP * MOST_GROUPS
    world.look()
    assert world.loose == []
