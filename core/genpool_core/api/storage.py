"""``spec.storage``: where results and records go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genpool_core import timing
from genpool_core.api.base import ApiModel, NameRef


class S3Spec(ApiModel):
    """A bucket of an S3-compatible store that has atomic conditional writes (``If-None-Match: *``)."""

    endpoint: Annotated[str, Field(max_length=500, pattern=r"^https?://[^?#@]+$")] | None = None
    """URL of the store as the pods reach it; AWS when absent."""
    public_endpoint: Annotated[str, Field(max_length=500, pattern=r"^https?://[^?#@]+$")] | None = None
    """URL of the store as receivers of callbacks reach it; ``endpoint`` when absent."""
    bucket: Annotated[str, Field(min_length=3, max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]*[a-z0-9]$")]
    """Name of the bucket; it must exist."""
    prefix: Annotated[str, Field(max_length=200, pattern=r"^([^/]+/)*$")] = ""
    """Before every key; empty, or ending in a slash."""
    region: Annotated[str, Field(min_length=1, max_length=63)] = "us-east-1"
    """Region of the bucket."""
    credentials: NameRef | None = None
    """Secret with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the pod's own identity when absent.

    The worker alone has the Secret; an identity may be ComfyUI's too (condition StorageIsolated).
    """
    url_ttl_seconds: Annotated[int, Field(alias="urlTTLSeconds", ge=60, le=604_800)] = timing.LINK_SECONDS
    """How long the signed links to results in callbacks are valid.

    A link that a pod identity signed is valid no longer than its session (condition LinkLifetimeKept).
    """


class StorageSpec(ApiModel):
    """The object store."""

    type: Literal["S3"] = "S3"
    """Kind of the store."""
    s3: S3Spec
    """The S3 bucket."""
    retention_seconds: Annotated[int | None, Field(ge=3600, le=315_360_000)] = None
    """The gateway deletes what a task holds so long after its end: results, uploads, parameters. That it was there,
    when and how it ended stays. Nothing is deleted when absent, or where the gateway may not use the bucket.
    """
