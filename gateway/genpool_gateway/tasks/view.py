"""A task as everybody outside sees it: the API's answers, the events, and the body of a callback are this object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import EndRecord, Output
from genpool_gateway.tasks.options import end_within_seconds, start_within_seconds
from genpool_gateway.tasks.record import TaskRecord
from genpool_gateway.tasks.status import Status, status_of


class ViewModel(BaseModel):
    """Base of what the API gives out. Times are UTC."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class PoolName(ViewModel):
    """A pool."""

    namespace: str
    """Its namespace."""
    name: str
    """Its name."""


class ProgressView(ViewModel):
    """How far a running task is."""

    value: float = Field(ge=0, le=1)
    """Part done."""
    nodes_done: int | None = None
    """Nodes of the workflow that were executed."""
    nodes_total: int | None = None
    """Nodes of the workflow."""
    step: int | None = None
    """Step of the node that runs."""
    steps: int | None = None
    """Steps that it takes."""
    message: str | None = None
    """The title of the node that runs, or its class."""


class OutputView(ViewModel):
    """A result."""

    node_id: str
    """Node of the workflow that made it."""
    name: str
    """File name."""
    type: str
    """``images``, ``gifs``, ``videos``, ``audio``: as ComfyUI groups it."""
    content_type: str
    """Media type."""
    size_bytes: int
    """Size."""
    sha256: str
    """Checksum, hexadecimal."""
    width: int | None = None
    """Pixels, of an image."""
    height: int | None = None
    """Pixels, of an image."""
    url: str | None = None
    """Signed link; null where this gateway may not sign for the bucket or folder, or the pool is gone and this gateway
    never knew where its results are."""
    url_expires_at: datetime | None = None
    """Until when the link is valid. Ask again for a new one."""


class ErrorView(ViewModel):
    """Why a task failed, was canceled or expired."""

    code: int
    """Number of the reason."""
    reason: str
    """Constant in CamelCase."""
    message: str
    """Sentence: what happened and what to do."""
    node_id: str | None = None
    """Node of the workflow at which it failed."""
    class_type: str | None = None
    """Its class."""


class MetricsView(ViewModel):
    """How long it took. Null where it is not known."""

    queue_ms: int | None = None
    """From its acceptance, or from when it came into the broker, to its last attempt."""
    execution_ms: int | None = None
    """From the start of its last attempt to its end."""
    gpu_seconds: float | None = None
    """Time in ComfyUI times the number of GPUs, over all attempts."""


class UrlsView(ViewModel):
    """Where to go on."""

    self: str
    """The task."""
    events: str
    """Its events (SSE)."""
    cancel: str
    """POST here to end it."""


class TaskView(ViewModel):
    """A task."""

    id: str
    """Its key."""
    task_id: str
    """As its producer sent it; not unique."""
    pool: PoolName
    """The pool that does it."""
    workflow: str | None = None
    """Name of the workflow; null for a graph of its own."""
    status: Status
    """Where it stands."""
    run: int
    """1, and one more for each replay."""
    priority: int | None = None
    """As it was sent."""
    callback_events: list[str] | None = None
    """What is announced to its `callback_url`, if it was sent with one; null of a task that did not come by the API."""
    start_within_seconds: int | None = None
    """As it was sent: it expires when no attempt has begun so long after `created_at`. A replay has no such limit."""
    end_within_seconds: int | None = None
    """As it was sent: it expires when it has not ended so long after `created_at`. A replay has no such limit."""
    created_at: datetime
    """When the gateway accepted it, or first heard of it."""
    started_at: datetime | None = None
    """When its last attempt began."""
    completed_at: datetime | None = None
    """When it ended."""
    expires_at: datetime | None = None
    """When its results are deleted; null where they are kept."""
    erased_at: datetime | None = None
    """When its contents were deleted on demand; how it ended stays."""
    queue_position: int | None = None
    """Tasks of the pool that were accepted before it and wait too; null where that is not known.

    It is not where plain producers or an intake share the queue, where there are more than 10,000, and in a replay."""
    expected_start_at: datetime | None = None
    """When it is expected to start, from its place, the pods that are ready and the times of the last tasks.

    Null where one of these is not known; where no pod is ready: how long one takes to start is not measured."""
    progress: ProgressView | None = None
    """While it runs."""
    parameters: JsonObject = {}
    """As given; at its end as used, with the seed. URLs without their queries."""
    outputs: list[OutputView] = []
    """Results; while it runs, those that were stored already."""
    error: ErrorView | None = None
    """Why it did not succeed."""
    metrics: MetricsView = MetricsView()
    """How long it took."""
    metadata: JsonObject = {}
    """As it was sent."""
    urls: UrlsView
    """Where to go on."""


@dataclass(frozen=True)
class Link:
    """A signed link."""

    url: str = field(repr=False)
    expires_at: datetime | None
    """None where it is not known."""


@dataclass(frozen=True)
class Beside:
    """What the view of a task shows beside its record."""

    base: str = ""
    """Before the paths of ``urls``."""
    progress: JsonObject | None = None
    outputs: tuple[Output, ...] = ()
    """Files that were stored while it runs."""
    links: Mapping[str, Link] = field(default_factory=dict)
    """By object key."""
    queue_position: int | None = None
    expected_start_at: datetime | None = None
    retention_seconds: int | None = None


def view_of(record: TaskRecord, known: Beside) -> TaskView:
    """The view of a task."""
    status = status_of(record)
    end = record.end
    kept = known.retention_seconds
    self_url = f"{known.base}/v1/tasks/{record.id}"
    outputs = known.outputs if end is None else end.outputs
    return TaskView(
        id=record.id,
        task_id=record.task_id,
        pool=PoolName(namespace=record.pool.namespace, name=record.pool.name),
        workflow=record.workflow,
        status=status,
        run=record.position.run,
        priority=record.priority,
        callback_events=None if record.submission is None else list(record.submission.callback_events),
        start_within_seconds=start_within_seconds(record),
        end_within_seconds=end_within_seconds(record),
        created_at=record.created_at,
        started_at=record.started_at,
        completed_at=record.ended_at,
        expires_at=(
            None if kept is None or record.ended_at is None else record.ended_at + timedelta(seconds=kept)
        ),
        erased_at=record.erased_at,
        queue_position=known.queue_position if status == "queued" else None,
        expected_start_at=known.expected_start_at if status == "queued" else None,
        progress=_progress(known.progress) if status in {"running", "canceling"} else None,
        parameters=record.parameters,
        outputs=[output_view(output, known.links.get(output.key)) for output in outputs],
        error=None if end is None or status == "succeeded" else _error(end),
        metrics=_metrics(record),
        metadata={} if record.submission is None else record.submission.metadata,
        urls=UrlsView(self=self_url, events=f"{self_url}/events", cancel=f"{self_url}/cancel"),
    )


def _progress(heard: JsonObject | None) -> ProgressView | None:
    if heard is None:
        return None
    return ProgressView.model_validate(heard)


def output_view(output: Output, link: Link | None) -> OutputView:
    """The view of a result."""
    return OutputView(
        node_id=output.node,
        name=output.key.rpartition("/")[2],
        type=output.kind,
        content_type=output.content_type,
        size_bytes=output.bytes,
        sha256=output.sha256,
        width=output.width,
        height=output.height,
        url=None if link is None else link.url,
        url_expires_at=None if link is None else link.expires_at,
    )


def _error(end: EndRecord) -> ErrorView:
    return ErrorView(
        code=end.code,
        reason=end.reason,
        message=end.message,
        node_id=None if end.node is None else end.node.node_id,
        class_type=None if end.node is None else end.node.class_type,
    )


def _metrics(record: TaskRecord) -> MetricsView:
    began = record.end.times.enqueued if record.end is not None else None
    if began is None and record.submission is not None and record.position.run == 1:
        began = record.created_at
    return MetricsView(
        queue_ms=_milliseconds(began, record.started_at),
        execution_ms=_milliseconds(record.started_at, record.ended_at),
        gpu_seconds=None if record.end is None else record.end.gpu_seconds,
    )


def _milliseconds(since: datetime | None, until: datetime | None) -> int | None:
    if since is None or until is None:
        return None
    return max(0, round((until - since).total_seconds() * 1000))
