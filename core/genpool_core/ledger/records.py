"""Claims and end records, as JSON in the bucket."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from genpool_core.jsontypes import JsonObject
from genpool_core.messages.base import Message

Outcome = Literal["succeeded", "dead", "cancelled", "expired"]


class Failure(BaseModel):
    """Why an attempt failed."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reason: str
    message: str
    retryable: bool
    time: datetime


class Claim(Message):
    """Who began an attempt, and when.

    Without a release, a failure and an end record its worker works on the attempt, or is gone. The worker renews the
    claim every few seconds, so that the two can be told apart.
    """

    task_key: str
    run: int
    attempt: int
    nonce: str
    """Chosen by the claimant: tells its own write from another's after a lost answer."""
    worker: str
    owner: str | None = None
    """Id of the API key that sent the task; None of a plain producer's."""
    claimed_at: datetime
    timeout_seconds: int
    """Longest run of the attempt, as its workflow says."""
    renewed_at: datetime | None = None
    """When its worker was last seen at it; None before the first renewal."""
    released_at: datetime | None = None
    """A drain gave the task back: the attempt does not count."""
    failure: Failure | None = None
    """The attempt failed and another one may follow."""
    started_at: datetime | None = None
    """When ComfyUI began to execute, as far as its worker knew at the last renewal."""
    gpu_seconds: float | None = None
    """Time on the pod's GPUs times their number, of an attempt that failed or was given back."""


class Output(BaseModel):
    """A result file in the pool's bucket or folder."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    key: str
    """Object key in the pool's bucket, or the file's path below its folder."""
    bucket: str
    """The bucket; of a folder its absolute path."""
    node: str
    """Id of the node that made it."""
    kind: str
    """``images``, ``gifs``, ``videos``, ``audio``: as ComfyUI groups it."""
    content_type: str
    """Media type."""
    bytes: int
    """Size."""
    sha256: str
    """Checksum, hexadecimal."""
    width: int | None = None
    """Pixels, of an image."""
    height: int | None = None
    """Pixels, of an image."""


class AttemptRecord(BaseModel):
    """An attempt of a run, as its end record lists it."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    attempt: int
    """Its number."""
    worker: str
    """The pod."""
    claimed_at: datetime
    """When it began."""
    ended_at: datetime | None = None
    """When it ended; None of one whose worker was lost."""
    outcome: Literal["succeeded", "failed", "released", "lost"]
    """``released``: a drain gave the task back, and it does not count. ``lost``: the claim has no end of any kind."""
    reason: str | None = None
    """Why it failed: a constant in CamelCase."""
    message: str | None = None
    """The same as a sentence."""
    gpu_seconds: float | None = None
    """Time on the pod's GPUs times their number; None where it is not known."""


class FailedNode(BaseModel):
    """The node of the workflow at which a run failed."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    node_id: str
    """Its id in the workflow."""
    class_type: str
    """Its class."""
    exception_type: str | None = None
    """The exception's class, as ComfyUI names it."""


class Times(BaseModel):
    """When each step of the attempt that ended the run was done, UTC; None where it was not reached or is not known."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    enqueued: datetime | None = None
    """When the message came into the broker, as the message itself or the broker's timestamp interceptor says."""
    claimed: datetime | None = None
    """The claim was written."""
    fetched: datetime | None = None
    """The inputs were there."""
    submitted: datetime | None = None
    """ComfyUI had accepted the prompt."""
    started: datetime | None = None
    """ComfyUI began to execute (``execution_start``)."""
    finished: datetime | None = None
    """ComfyUI had executed (``executing`` without a node)."""
    stored: datetime | None = None
    """The outputs were in the bucket."""
    ended: datetime | None = None
    """The end was decided."""


class EndRecord(Message):
    """The one end of a run."""

    task_key: str
    task_id: str
    run: int
    attempt: int
    """Attempt that ended it; 0 when no attempt was made."""
    nonce: str
    outcome: Outcome
    reason: str
    code: int = 0
    """Number of the reason (``genpool_core.reasons``); 0 in older releases."""
    message: str
    worker: str
    """The pod that ended it; empty where the gateway did."""
    owner: str | None = None
    """Id of the API key that sent the task; None of a plain producer's."""
    workflow: str | None = None
    template_digest: str | None = None
    """SHA-256 of the workflow's template in canonical JSON, hexadecimal."""
    seed: int | None = None
    parameters: JsonObject = {}
    """Parameters in force; query strings of URLs are taken out, long texts are cut."""
    callback_url: str | None = None
    """Where the end is announced; needed to announce it again."""
    outputs: list[Output] = []
    attempts: list[AttemptRecord] = []
    """Those of the run, in order; of more than 100 the last."""
    node: FailedNode | None = None
    """Where it failed, if ComfyUI said so."""
    log_lines: list[str] = []
    """ComfyUI's last log lines at a failure; no secret is in them."""
    gpu_seconds: float | None = None
    """Sum over all attempts; None where none is known."""
    comfyui_version: str | None = None
    comfyui_image: str | None = None
    """The image of ComfyUI's container, as the pool names it."""
    image_digest: str | None = None
    """What that image was, ``sha256:…``."""
    times: Times = Times()
    started_at: datetime | None = None
    ended_at: datetime
    erased_at: datetime | None = None
    """When the task's contents were deleted; the record is what is left of it then."""
