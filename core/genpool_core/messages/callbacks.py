"""The callback: what a receiver gets, and the message that asks the dispatcher to send it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from genpool_core.api.security import HostRule
from genpool_core.ledger.records import EndRecord, Outcome, Output
from genpool_core.messages.base import Message, PoolRef


class CallbackOutput(Output):
    """A result and where to get it."""

    url: str | None = None
    """Signed link, valid as long as the pool says."""


class CallbackBody(Message):
    """JSON body of the POST to ``callback_url``. Drop repeats by the header ``webhook-id``."""

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
    """On the callbacks queue: one callback to be delivered."""

    id: str
    """The ``webhook-id``: the same for every delivery of one end."""
    url: str
    """Where to POST."""
    allow: list[HostRule] = []
    """The pool's ``callbackHosts``."""
    body: CallbackBody
    """What to POST."""
    end: EndRecord | None = None
    """The end record whole, from which the gateway builds a body of its own; absent in older releases."""


def callback_body(end: EndRecord, pool: PoolRef, urls: dict[str, str]) -> CallbackBody:
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
