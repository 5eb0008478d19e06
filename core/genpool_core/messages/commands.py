"""Commands to workers, on the control exchange. A worker believes them from a gateway's user only.

A command is never repeated by the broker, and a worker that is away does not get it: whoever sends it looks for its
effect, and sends it again or does without.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from genpool_core.messages.base import Message


class CancelTask(Message):
    """End a task before its time, if this worker has it in hand. No answer but the task's end."""

    type: Literal["cancel"] = "cancel"
    task_key: str
    """Key of the task."""
    run: Annotated[int, Field(ge=1)]
    """Run of the task."""
    message: Annotated[str, Field(max_length=500)] = "The task was cancelled while it ran."
    """Why, as the sentence of the end record; it names no secret."""
    outcome: Literal["cancelled", "expired"] = "cancelled"
    """How it ends: somebody asked for it, or its time is over."""
    reason: Annotated[str, Field(max_length=100)] = "Cancelled"
    """Why, as a constant in CamelCase."""


class Who(Message):
    """Publish a heartbeat now."""

    type: Literal["who"] = "who"


AnyCommand = Annotated[CancelTask | Who, Field(discriminator="type")]
COMMAND = TypeAdapter[AnyCommand](AnyCommand)
