"""Messages of a dead-letter queue that are no tasks, as they are shown: what can be told of them without their body."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict

from genpool_core.errors import TaskFailure
from genpool_core.messages.task import parse_body
from genpool_gateway.dead_letters.decide import Letter

_SHOWN = 200


class DeadMessage(BaseModel):
    """A message that is no task. Its body is not shown, as addresses in it may hold passwords."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    reason: str | None
    """Why: a constant in CamelCase; null where RabbitMQ itself moved it here."""
    message: str | None
    """Why: a sentence. Where no pool serves its workflow, it lists those that were known then."""
    refused_at: str | None
    """When; null where RabbitMQ moved it here."""
    task_id: str | None
    """As its producer sent it."""
    workflow_type: str | None
    """As its producer sent it."""
    size_bytes: int
    """Size of its body."""


def dead_message(letter: Letter) -> DeadMessage:
    """What is shown of a letter. Pure."""
    try:
        body = parse_body(letter.delivery.body)
    except TaskFailure:
        body = {}
    return DeadMessage(
        reason=letter.reason,
        message=letter.message,
        refused_at=letter.ended_at,
        task_id=_word(body.get("task_id")),
        workflow_type=_word(body.get("workflow_type")),
        size_bytes=len(letter.delivery.body),
    )


def _word(value: object) -> str | None:
    """What a producer wrote, in so many characters, whatever its type."""
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value))[:_SHOWN]
