"""A task as it is sent to ``POST /v1/tasks``, and the new task that it becomes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from genpool_core import timing
from genpool_core.canonical import canonical_json, digest
from genpool_core.jsontypes import JsonObject
from genpool_core.tasks.check import shown_parameters
from genpool_gateway.accepting.set_apart import MOST_MESSAGE_BYTES
from genpool_gateway.pools.check import HIGHEST_PRIORITY, CheckedTask
from genpool_gateway.tasks.options import OPTIONS
from genpool_gateway.tasks.ports import Idempotency, NewTask
from genpool_gateway.tasks.record import Position, Submission, TaskRecord, TaskState

_CHECKED = {
    "pool",
    "workflow",
    "parameters",
    "task_id",
    "callback_url",
    "webhook_url",
    "metadata",
    "priority",
}
CallbackEvent = Literal["start", "output", "end"]
IdempotencyKey = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class SubmitTask(BaseModel):
    """A task to be done."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {
                    "workflow": "text-to-image",
                    "parameters": {"prompt": "a lake at dawn", "width": 768, "height": 512},
                    "metadata": {"album": 7},
                    "callback_url": "https://app.example.org/hooks/genpool",
                }
            ]
        },
    )

    pool: Annotated[str, Field(min_length=1, max_length=320)] | None = None
    """``namespace/name`` of the pool, or its name where there is one of it; not needed where ``workflow`` says it."""
    workflow: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    """Name or alias of a workflow; the pool's fallback when it is left out."""
    parameters: dict[str, JsonValue] = {}
    """By name; ``GET /v1/workflows`` tells which there are. A file is a URL, an upload's id, or a data URI (base64)."""
    graph: dict[str, JsonValue] | None = None
    """A whole ComfyUI graph in API format instead of a workflow, where the pool allows it."""
    task_id: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """Your own word for it. The same words with the same task are one task, which keeps the ``metadata``, ``priority``,
    limits of time and callback that were sent first. Made when it is left out."""
    callback_url: Annotated[str, Field(max_length=4096)] | None = None
    """Where its end is announced."""
    webhook_url: Annotated[str, Field(max_length=4096)] | None = None
    """Another name of ``callback_url``."""
    callback_events: Annotated[list[CallbackEvent], Field(max_length=3)] = ["end"]
    """What is announced there: each begin of an attempt, each result as it is stored, the end."""
    metadata: Annotated[dict[str, JsonValue], Field(max_length=64)] = {}
    """Your own words, given back with the task."""
    priority: Annotated[int, Field(strict=True, ge=0, le=HIGHEST_PRIORITY)] | None = None
    """Higher goes first, where the broker has priorities."""
    start_within_seconds: Annotated[int, Field(strict=True, ge=1, le=timing.TASK_LIMIT_SECONDS)] | None = None
    """It expires when no attempt has begun after so long."""
    end_within_seconds: Annotated[int, Field(strict=True, ge=1, le=timing.TASK_LIMIT_SECONDS)] | None = None
    """It expires when it has not ended after so long."""

    @model_validator(mode="after")
    def _one_of_each(self) -> SubmitTask:
        if self.callback_url is not None and self.webhook_url not in {None, self.callback_url}:
            raise ValueError("callback_url and webhook_url are two names of one thing: send one of them")
        if self.graph is not None and (self.workflow is not None or self.parameters):
            raise ValueError("a graph has no workflow and no parameters: send one or the other")
        return self

    def is_large(self) -> bool:
        """Whether checking it takes a while: a whole graph, or long texts such as files."""
        texts = (value for value in self.parameters.values() if isinstance(value, str))
        return self.graph is not None or sum(map(len, texts)) > MOST_MESSAGE_BYTES // 2

    def request(self) -> JsonObject:
        """The part of it that pools check, by the names that the check has."""
        found = self.model_dump(include=_CHECKED, exclude_none=True)
        if self.graph is not None:
            found["prompt"] = self.graph
        return found


class SubmitTasks(BaseModel):
    """Several tasks; each is accepted or refused by itself."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={
            "examples": [
                {"tasks": [{"parameters": {"prompt": "a lake"}}, {"parameters": {"prompt": "a hill"}}]},
            ]
        },
    )

    tasks: Annotated[list[SubmitTask], Field(min_length=1, max_length=1000)]
    """At most 1,000."""


def as_wanted(sent: SubmitTask, checked: CheckedTask) -> CheckedTask:
    """The task as its message has it.

    Who wants no callback of the end gets a message without its URL: so nobody who ends the task, worker or gateway, new
    or old, with or without the task store, can send one. What the gateway itself sends goes by the record.
    """
    return checked if "end" in sent.callback_events else checked.without_callback()


def new_task(
    sent: SubmitTask, checked: CheckedTask, owner: str, now: datetime, *, key: str | None = None
) -> NewTask:
    """The task to be stored. ``checked``: what its pool takes. ``key``: the sender's idempotency key."""
    checked = as_wanted(sent, checked)
    record = TaskRecord(
        id=checked.key(owner),
        pool=checked.pool.ref,
        task_id=checked.task_id,
        created_at=now,
        state=TaskState.ACCEPTING,
        position=Position(1, ended=False, attempt=0, rank=0),
        workflow=checked.validated.workflow_name,
        priority=checked.priority,
        parameters=shown_parameters(checked.validated.bound),
        callback_url=sent.callback_url or sent.webhook_url,
        submission=Submission(
            owner=owner,
            body=checked.content,
            metadata=checked.metadata,
            callback_events=tuple(dict.fromkeys(sent.callback_events)),
            start_by=_after(now, sent.start_within_seconds),
            end_by=_after(now, sent.end_within_seconds),
        ),
    )
    if key is None:
        return NewTask(record, given=_given(sent))
    idempotency = Idempotency(key, digest(canonical_json(sent.model_dump(mode="json"))))
    return NewTask(record, idempotency, given=_given(sent))


def _given(sent: SubmitTask) -> frozenset[str]:
    """The options that were named, by one name each; null names none."""
    named = {name for name in sent.model_fields_set if getattr(sent, name) is not None}
    if "webhook_url" in named:
        named.add("callback_url")
    return frozenset(named & OPTIONS.keys())


def _after(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)
