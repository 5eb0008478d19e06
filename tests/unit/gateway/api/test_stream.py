"""What a watcher is told, while the task goes on between two readings of the store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

from genpool_gateway.api.services import Services
from genpool_gateway.api.stream import _look
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
