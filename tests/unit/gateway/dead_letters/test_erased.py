"""The dead letters of tasks whose contents are deleted go too, in one pass."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast

import pytest

from genpool_core.errors import BrokerError
from genpool_core.ledger.records import Outcome
from genpool_gateway.dead_letters.decide import Action, Selection
from genpool_gateway.dead_letters.erased import LettersOfErased
from genpool_gateway.pools.errors import PoolUnavailable
from genpool_gateway.tasks.record import Position, TaskRecord
from support.pool_objects import pool_object, served
from unit.gateway.erasing.test_eraser import ENDED
from unit.gateway.link_fakes import FakePools
from unit.gateway.samples import NOW, POOL

SERVED = served(pool_object("text", namespace="art", uid=POOL.uid))


def _ended(outcome: Outcome, *, run: int = 1, discarded: bool = False, task: str = "a" * 40) -> TaskRecord:
    assert ENDED.end is not None
    return replace(
        ENDED,
        id=task,
        position=Position(run, ended=True, attempt=1, rank=4),
        end=ENDED.end.model_copy(update={"outcome": outcome}),
        discarded_at=NOW if discarded else None,
    )


@pytest.mark.parametrize(
    ("record", "may"),
    [
        (_ended("succeeded"), False),
        (_ended("cancelled"), False),
        (_ended("dead"), True),
        (_ended("expired"), True),
        (_ended("dead", discarded=True), False),
        (_ended("succeeded", run=2), True),
        (_ended("dead", run=2, discarded=True), True),
    ],
)
def test_which_may_have_one(record: TaskRecord, *, may: bool) -> None:
    assert World().letters(FakePools(())).concerns(record) is may


@dataclass
class World:
    away: bool = False
    passes: list[frozenset[str] | None] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)

    def apply(self, _serving: object, selection: Selection, action: Action) -> None:
        assert action is Action.DISCARD
        if self.away:
            raise BrokerError("the broker is away.")
        self.passes.append(selection.ids)

    def discard(self, tasks: list[str], at: datetime) -> None:
        assert at == NOW
        self.noted += tasks

    def letters(self, pools: FakePools) -> LettersOfErased:
        as_any = cast("Any", self)
        return LettersOfErased(as_any, pools, as_any, lambda: NOW)


def test_one_pass_takes_them_all() -> None:
    world = World()
    world.letters(FakePools([SERVED])).forget([_ended("dead"), _ended("expired", task="c" * 40)])
    assert world.passes == [frozenset({"a" * 40, "c" * 40})]
    assert world.noted == ["a" * 40, "c" * 40]


def test_what_cannot_be_done_now_is_said() -> None:
    world = World(away=True)
    with pytest.raises(BrokerError):
        world.letters(FakePools([SERVED])).forget([_ended("dead")])
    unserved = replace(SERVED, serving=None, trouble="it is being deleted.")
    with pytest.raises(PoolUnavailable):
        World().letters(FakePools([unserved])).forget([_ended("dead")])
    assert world.noted == []


def test_the_queue_of_a_pool_that_is_gone_is_left_alone() -> None:
    world = World()
    world.letters(FakePools(())).forget([_ended("dead")])
    assert (world.passes, world.noted) == ([], [])
