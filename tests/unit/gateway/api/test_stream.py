"""What a watcher is told, while the task goes on between two readings of the store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

import pytest

from genpool_gateway.api.services import Services
from genpool_gateway.api.stream import _look, _silence, task_stream
from genpool_gateway.events.hub import Hub
from genpool_gateway.tasks.record import StoredEvent, TaskRecord, TaskState
from unit.gateway.samples import NOW, record


@dataclass
class GoingOn:
    """A store in which a task ends right after its events were read for the first time."""

    task: TaskRecord
    stored: list[StoredEvent]
    then: list[StoredEvent] = field(default_factory=list)

    def events(self, _task: str, *, after: int = 0) -> list[StoredEvent]:
        found = [event for event in self.stored if event.number > after]
        if self.then:
            self.stored, self.then = [*self.stored, *self.then], []
            self.task = replace(self.task, state=TaskState.ENDED)
        return found

    def get(self, _task: str) -> TaskRecord:
        return self.task


def event(number: int, kind: str) -> StoredEvent:
    return StoredEvent(task="a" * 40, number=number, type=kind, time=NOW, data={})


def test_a_task_that_ends_between_two_readings_is_told_to_its_end() -> None:
    task = record(state=TaskState.RUNNING)
    store = GoingOn(task, [event(1, "accepted"), event(2, "claimed")], [event(3, "ended")])
    events, found = _look(cast("Services", SimpleNamespace(reader=store)), task, 0)
    assert found.state is TaskState.ENDED
    assert [each.type for each in events] == ["accepted", "claimed", "ended"]


@pytest.mark.parametrize(("after", "told"), [(0, [1, 2]), (1, [2]), (2, []), (3, [1, 2]), (99, [1, 2])])
def test_a_number_that_the_task_does_not_have_is_none(after: int, told: list[int]) -> None:
    task = record(state=TaskState.RUNNING)
    store = GoingOn(task, [event(1, "accepted"), event(2, "claimed")])
    events, _ = _look(cast("Services", SimpleNamespace(reader=store)), task, after)
    assert [each.number for each in events] == told


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 15.0), (0.5, 11.25), (1.0, 7.5)])
def test_streams_that_began_together_do_not_comment_together(chance: float, seconds: float) -> None:
    assert _silence(chance) == seconds


def test_a_watcher_who_may_watch_no_more_is_told_nothing_more() -> None:
    task = record(state=TaskState.RUNNING)
    told: list[bytes] = []

    async def may_watch() -> bool:
        return len(told) < 3

    async def watch() -> None:
        hub = Hub()
        hub.bind(asyncio.get_running_loop())
        services = cast("Services", SimpleNamespace(reader=GoingOn(task, []), hub=hub))
        async for part in task_stream(services, task, 0, may_watch):
            told.append(part)
            hub.pass_on(task.id, task.pool.uid, "progress", {"value": len(told)})

    asyncio.run(asyncio.wait_for(watch(), 10))
    assert len(told) == 3
