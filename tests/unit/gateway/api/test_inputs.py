"""Of which tasks the inputs are put into the bucket: not of those that are refused, and of those in doubt again."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genpool_core.errors import GenPoolError
from genpool_gateway.accepting.refusals import OverCap, QueueFull
from genpool_gateway.accepting.set_apart import Apart, Input
from genpool_gateway.api.inputs import keep_inputs
from genpool_gateway.api.services import Services
from genpool_gateway.tasks.ports import NewTask
from genpool_gateway.tasks.record import TaskState
from support.task_changes import accepting

FULL = QueueFull("full")
PICTURE = (Input("ab" * 32, b"a picture", "image/png"),)
ACCEPTING, QUEUED, ENDED = TaskState.ACCEPTING, TaskState.QUEUED, TaskState.ENDED


class Keeping:
    """What is put, of a task in some state whose owner has so many others."""

    def __init__(self, state: TaskState | None, unfinished: int) -> None:
        self.put: list[str] = []
        self.services = cast(
            "Services",
            SimpleNamespace(
                known=SimpleNamespace(state=lambda _task, _now: state),
                reader=SimpleNamespace(count_owned=lambda _owner: unfinished),
                inputs=SimpleNamespace(put=self._put),
                bridge=SimpleNamespace(result=self._result),
                now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            ),
        )

    def keep(self, inputs: tuple[Input, ...], full: QueueFull | None, cap: int | None) -> None:
        config = SimpleNamespace(store="bucket")
        checked = SimpleNamespace(serving=SimpleNamespace(config=config))
        apart = Apart(cast("Any", checked), inputs)
        asyncio.run(keep_inputs(self.services, NewTask(accepting("a", owner="ann")), apart, full, cap))

    def _put(self, store: str, task: str, _inputs: object) -> Future[None]:
        assert store == "bucket"
        self.put.append(task)
        return Future()

    @staticmethod
    async def _result(_future: Future[None], _seconds: float) -> None:
        """It is there at once."""


@pytest.mark.parametrize(
    ("state", "full", "cap", "refusal"),
    [
        (None, None, None, None),
        (None, None, 3, None),
        (None, None, 2, OverCap),
        (None, FULL, None, QueueFull),
        (None, FULL, 2, QueueFull),
        # In doubt: no new one, so nothing refuses it, and its inputs may have gone.
        (ACCEPTING, FULL, 2, None),
    ],
)
def test_of_a_task_that_is_not_in_the_broker(
    state: TaskState | None, full: QueueFull | None, cap: int | None, refusal: type[GenPoolError] | None
) -> None:
    keeping = Keeping(state, unfinished=2)
    if refusal is None:
        keeping.keep(PICTURE, full, cap)
        assert len(keeping.put) == 1
    else:
        with pytest.raises(refusal):
            keeping.keep(PICTURE, full, cap)
        assert keeping.put == []


@pytest.mark.parametrize("state", [QUEUED, ENDED])
def test_of_one_that_was_accepted_nothing_is_put_again(state: TaskState) -> None:
    keeping = Keeping(state, unfinished=2)
    keeping.keep(PICTURE, FULL, 2)
    assert keeping.put == []


def test_who_sends_none_waits_for_nothing() -> None:
    keeping = Keeping(None, unfinished=2)
    keeping.keep((), FULL, 2)
    assert keeping.put == []
