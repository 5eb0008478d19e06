"""The callback: what a receiver gets, and the message that asks the dispatcher to send it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from genpool_core.api.security import HostRule
from genpool_core.ledger.records import EndRecord, Outcome, Output
from genpool_core.messages.base import Message, PoolRef
from genpool_core.messages.events import TaskClaimed, TaskOutput


class CallbackOutput(Output):
    """A result and where to get it."""

    url: str | None = None
    """Signed link, valid as long as the pool says."""


class CallbackBody(Message):
    """An end as releases before the gateway's API POST it; a gateway of today POSTs the task as its API shows it."""

    type: Literal["task.ended"] = "task.ended"
    task_id: str
    """As you sent it."""
    task_key: str
    """Tells two tasks with one id apart."""
    run: int
    """1, and one more for each replay."""
    outcome: Outcome
    """How the task ended."""
    reason: str
    """Constant in CamelCase."""
    message: str
    """Sentence."""
    workflow: str | None = None
    """Name of the workflow."""
    seed: int | None = None
    """Seed that was used."""
    outputs: list[CallbackOutput] = []
    """Result files."""
    started_at: datetime | None = None
    """When the last attempt began, UTC."""
    ended_at: datetime
    """When the task ended, UTC."""
    pool: PoolRef
    """The pool that did it."""


class CallbackMessage(Message):
    """On the callbacks queue: one callback to be delivered. The dispatcher builds what the receiver gets."""

    id: str
    """The ``webhook-id``: the same for every delivery of one end, one start or one output."""
    url: str
    """Where to POST."""
    allow: list[HostRule] = []
    """The pool's ``callbackHosts``."""
    body: CallbackBody | None = None
    """An end as older gateways POST it; its links, which the worker has signed, count where the gateway may not sign.

    Absent where ``event`` is there."""
    end: EndRecord | None = None
    """The end record whole, from which the gateway builds a body of its own; absent in older releases."""
    event: Annotated[TaskClaimed | TaskOutput, Field(discriminator="type")] | None = None
    """What is announced instead of an end: that an attempt began, or that a result was stored."""

    @model_validator(mode="after")
    def _one_of_both(self) -> CallbackMessage:
        if (self.body is None) == (self.event is None):
            raise ValueError("a callback has either a body or an event")
        return self

    @property
    def pool(self) -> PoolRef:
        """The pool whose task it is about."""
        return self._told.pool

    @property
    def task_key(self) -> str:
        """The task."""
        return self._told.task_key

    @property
    def _told(self) -> CallbackBody | TaskClaimed | TaskOutput:
        told = self.body or self.event
        assert told is not None  # noqa: S101 - one of them is there
        return told


def callback_body(end: EndRecord, pool: PoolRef, urls: Mapping[str, str]) -> CallbackBody:
    """Body for an end record; ``urls`` maps object keys to signed links."""
    return CallbackBody(
        task_id=end.task_id,
        task_key=end.task_key,
        run=end.run,
        outcome=end.outcome,
        reason=end.reason,
        message=end.message,
        workflow=end.workflow,
        seed=end.seed,
        outputs=[CallbackOutput(**output.model_dump(), url=urls.get(output.key)) for output in end.outputs],
        started_at=end.started_at,
        ended_at=end.ended_at,
        pool=pool,
    )
