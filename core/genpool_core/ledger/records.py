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
    claimed_at: datetime
    timeout_seconds: int
    """Longest run of the attempt, as its workflow says."""
    renewed_at: datetime | None = None
    """When its worker was last seen at it; None before the first renewal."""
    released_at: datetime | None = None
    """A drain gave the task back: the attempt does not count."""
    failure: Failure | None = None
    """The attempt failed and another one may follow."""


class Output(BaseModel):
    """A result file in the bucket."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    key: str
    """Object key in the pool's bucket."""
    bucket: str
    """The bucket."""
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
    message: str
    worker: str
    workflow: str | None = None
    seed: int | None = None
    parameters: JsonObject = {}
    """Parameters in force; query strings of URLs are taken out."""
    callback_url: str | None = None
    """Where the end is announced; needed to announce it again."""
    outputs: list[Output] = []
    started_at: datetime | None = None
    ended_at: datetime
