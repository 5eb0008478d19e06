"""Events that workers publish on the events exchange. Routing key: ``<pool uid>.<type>``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from genpool_core.ledger.records import EndRecord, Outcome, Output
from genpool_core.messages.base import Message, PoolRef


class Event(Message):
    """What every event carries."""

    id: str
    """Same for a repeated announcement: store it once."""
    pool: PoolRef
    """The pool."""
    worker: str
    """Name of the worker's pod; empty where the gateway made the event."""
    time: datetime
    """When it happened, UTC."""


class TaskEvent(Event):
    """About one task."""

    task_id: str
    """As the producer sent it."""
    task_key: str
    """Key of the task."""
    run: int
    """Run of the task."""
    attempt: int
    """Attempt of the run."""


class TaskAccepted(TaskEvent):
    """The gateway has put a task into its work queue."""

    type: Literal["task.accepted"] = "task.accepted"
    workflow: str | None = None
    """Name of the workflow."""


class TaskClaimed(TaskEvent):
    """A worker began an attempt."""

    type: Literal["task.claimed"] = "task.claimed"
    workflow: str | None = None
    """Name of the workflow."""


class TaskProgress(TaskEvent):
    """How far an attempt is; sent at most once a second."""

    type: Literal["task.progress"] = "task.progress"
    value: Annotated[float, Field(ge=0, le=1)]
    """Part done, 0 to 1."""
    node: str | None = None
    """ComfyUI node that runs."""
    nodes_done: int | None = None
    """Nodes that have run, or whose results ComfyUI had; absent in older releases."""
    nodes_total: int | None = None
    """Nodes of the prompt."""
    step: int | None = None
    """Step of the node that runs, if it tells."""
    steps: int | None = None
    """Steps that it takes."""
    message: str | None = None
    """The title of the node that runs, or its class."""


class TaskOutput(TaskEvent):
    """A file of an attempt that still runs was stored. It counts only when the run succeeds with this attempt."""

    type: Literal["task.output"] = "task.output"
    output: Output
    """The file."""


class TaskPreview(TaskEvent):
    """A small picture of what ComfyUI works on; sent at most twice a second, and only where the pool asks for it."""

    type: Literal["task.preview"] = "task.preview"
    content_type: str
    """Media type."""
    image: str
    """The picture in base64."""


class TaskRetried(TaskEvent):
    """An attempt failed and another one will follow."""

    type: Literal["task.retried"] = "task.retried"
    reason: str
    """Constant in CamelCase."""
    message: str
    """Sentence."""
    delay_seconds: int
    """Until the next attempt can begin."""


class TaskEnded(TaskEvent):
    """The one end of a run."""

    type: Literal["task.ended"] = "task.ended"
    outcome: Outcome
    """How it ended."""
    reason: str
    """Constant in CamelCase."""
    message: str
    """Sentence."""
    outputs: list[Output] = []
    """Files, for the outcome succeeded."""
    record: EndRecord | None = None
    """The end record whole, but for the query of ``callback_url``, which may be a secret; absent in older releases."""


class MessageRejected(Event):
    """A message that is no task was moved to the dead-letter queue."""

    type: Literal["message.rejected"] = "message.rejected"
    reason: str
    """Constant in CamelCase."""
    message: str
    """Sentence."""


WorkerState = Literal["starting", "idle", "busy", "draining", "unready"]
"""What a worker does. ``unready``: it does not consume, because ComfyUI or the store does not answer."""


class UnavailableWorkflow(Message):
    """A workflow that a worker's ComfyUI cannot run, whatever a task gives."""

    workflow: str
    """Its name in the pool."""
    reason: str
    """Constant in CamelCase."""
    message: str
    """What ComfyUI lacks, as a sentence that names node and file."""


class WorkerHeartbeat(Event):
    """What a worker does; every few seconds and at each change."""

    type: Literal["worker.heartbeat"] = "worker.heartbeat"
    state: WorkerState
    """``unready``: it does not consume, because ComfyUI or the store does not answer."""
    task_key: str | None = None
    """The task it works on."""
    since: datetime
    """When this state began."""
    reason: str | None = None
    """What it waits for, where it is ``starting`` or ``unready``: a constant in CamelCase. Absent in older releases."""
    message: str | None = None
    """The same as a sentence, which names no secret."""
    unavailable_workflows: list[UnavailableWorkflow] | None = None
    """Workflows whose tasks it puts off; absent where its ComfyUI was not asked yet, and in older releases."""
    wedged_seconds: Annotated[float, Field(ge=0)] | None = None
    """For how long its ComfyUI has been wedged; absent where it is not."""
    wedged_times: Annotated[int, Field(ge=0)] = 0
    """How often in a row it was wedged, since a prompt last ended by itself."""


class GatewayBacklog(Event):
    """Messages in a work queue that no worker must do, because their tasks were cancelled; every two seconds.

    They count for no scaling. A figure that is older than 30 s is not used.
    """

    type: Literal["gateway.backlog"] = "gateway.backlog"
    cancelled: Annotated[int, Field(ge=0)]
    """Messages of cancelled tasks that are still in the queue."""


#: Reasons of a worker that waits for ComfyUI, which takes its time to start, and starts again after a crash.
COMFYUI_UNAVAILABLE = "ComfyUIUnavailable"
COMFYUI_BUSY = "ComfyUIBusy"
COMFYUI_WEDGED = "ComfyUIWedged"
#: Reason of a worker whose ComfyUI can run none of the pool's workflows.
NO_WORKFLOW = "NoWorkflowAvailable"

AnyEvent = Annotated[
    TaskAccepted
    | TaskClaimed
    | TaskProgress
    | TaskOutput
    | TaskPreview
    | TaskRetried
    | TaskEnded
    | MessageRejected
    | WorkerHeartbeat
    | GatewayBacklog,
    Field(discriminator="type"),
]
EVENT = TypeAdapter[AnyEvent](AnyEvent)
