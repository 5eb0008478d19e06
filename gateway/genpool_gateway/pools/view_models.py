"""The shapes of pools and workflows in the API's answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from genpool_core.jsontypes import JsonObject


class View(BaseModel):
    """A part of an answer: immutable, in snake_case."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class WorkflowView(View):
    """A workflow that tasks may name."""

    name: str
    """As ``workflow`` of a task."""
    aliases: list[str]
    """Further names of the same workflow."""
    description: str
    """One line for people."""
    pools: list[str]
    """The pools that serve it so, as ``namespace/name``. A task has to say which, where there are several."""
    parameters: JsonObject
    """JSON Schema of ``parameters`` of a task, with bounds, defaults and descriptions."""
    files: list[str]
    """Parameters whose value is a file: a URL, which the worker fetches, a data URI, or an upload's id."""
    timeout_seconds: int
    """Longest run of one attempt."""


class ConditionView(View):
    """A condition of a pool, as the operator tells it."""

    type: str
    """Name of the condition."""
    status: str
    """``True``, ``False``, ``Unknown``."""
    reason: str
    """Constant in CamelCase that says why."""
    message: str
    """Sentence for a person."""
    last_transition_time: datetime
    """When ``status`` last changed."""


class ReplicasView(View):
    """The pods of a pool."""

    existing: int | None
    """Pods that exist; null while nobody has counted."""
    ready: int | None
    """Pods that can take tasks."""
    busy: int | None
    """Pods that work on a task."""
    least: int | None
    """Pods that stay even when nothing waits."""
    most: int | None
    """Most pods."""


class QueueView(View):
    """The work queue as the operator last read it. A figure that could not be read is null, never zero."""

    name: str | None
    """Name of the queue on its broker."""
    waiting: int | None
    """Tasks in the queue that no worker holds."""
    running: int | None
    """Tasks that a worker holds."""
    dead_lettered: int | None
    """Messages in the dead-letter queue."""
    observed_at: datetime | None
    """When the broker was read."""


class ScalingView(View):
    """The last decision of the scaler."""

    mode: str | None
    """``Auto``, ``Pinned``, ``Hold``."""
    desired: int | None
    """Pods that it wants."""
    reason: str | None
    """Constant in CamelCase."""
    message: str | None
    """Sentence that explains it."""
    last_scale_time: datetime | None
    """When it last wrote another number."""
    idle_seconds: int | None
    """How long fewer pods must have been enough before one goes."""


class LimitsView(View):
    """What a pool accepts."""

    max_attempts: int
    """Attempts of a task in all."""
    max_input_bytes: int
    """Largest input file."""
    message_ttl_seconds: int | None
    """Longest wait in the queue; null: for ever."""
    allow_graphs: bool
    """Whether a task may bring a whole ComfyUI graph as ``prompt``."""
    image_hosts: list[str]
    """Hosts of input files; every public host when empty."""
    callback_hosts: list[str]
    """Hosts of callbacks; every public host when empty."""


class StoreView(View):
    """The bucket or folder of a pool, as the gateway last found it: it looks once a minute."""

    state: Literal["works", "refused", "unavailable", "unlisted", "unknown"]
    """``refused``: keys, rights, the bucket or the folder have to be corrected. ``unavailable``: it does not answer, or
    is out of order. ``unlisted``: the gateway may not use it. ``unknown``: it was not looked at yet."""
    message: str | None
    """What keeps the gateway from its work there, and what to do; null where nothing is known to."""
    looked_at: datetime | None
    """When it was looked at; null where it was not."""


class PoolView(View):
    """A pool."""

    name: str
    """``namespace/name``, as ``pool`` of a task."""
    uid: str
    """UID of the GenerationPool."""
    ready: bool | None
    """Whether a task that is sent now will be done; null while the operator has not said it."""
    accepts_tasks: bool
    """Whether the gateway takes tasks for it."""
    trouble: str | None
    """Why it takes none; null where it does."""
    workflows: list[str]
    """Names of its workflows."""
    replicas: ReplicasView
    """Its pods."""
    queue: QueueView
    """Its queue."""
    scaling: ScalingView
    """Its scaler."""
    limits: LimitsView | None
    """What it accepts; null where it takes no task."""
    links: str
    """How links to its results are made: by the gateway, or only by workers because the bucket is not listed.
    With it what keeps them from working, as far as the gateway knows."""
    store: StoreView
    """Whether the gateway can do its work in its bucket or folder."""
    conditions: list[ConditionView]
    """What the operator says about it."""
