"""``spec.storage``: where results and records go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from genpool_core import timing
from genpool_core.api.base import ApiModel, NameRef, rule, rules

_NEEDS_S3 = "type S3 needs the block s3, with the bucket at least, and no block folder"
_NEEDS_FOLDER = "type Folder needs the block folder, with its path, and no block s3"


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


class FolderSpec(ApiModel):
    """A folder of the one machine on which gateway and workers run (``genpool local``)."""

    path: Annotated[str, Field(max_length=500, pattern=r"^(/\.?[^/\x00-\x1f.,][^/\x00-\x1f,]*)+$")]
    """Its absolute path; it must exist, on a file system with hard links. It has no
    comma, and no part of it is ``.`` or begins with ``..``."""
    url_ttl_seconds: Annotated[int, Field(alias="urlTTLSeconds", ge=60, le=604_800)] = timing.LINK_SECONDS
    """How long the links to results, which the gateway signs and serves, are valid."""


class StorageSpec(ApiModel):
    """The object store: a bucket, or a folder where there is no Kubernetes."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule("self.type != 'S3' || (has(self.s3) && !has(self.folder))", _NEEDS_S3),
            rule("self.type != 'Folder' || (has(self.folder) && !has(self.s3))", _NEEDS_FOLDER),
        )
    )

    type: Literal["S3", "Folder"] = "S3"
    """Kind of the store. ``Folder`` is for ``genpool local`` on one machine: on Kubernetes such a pool is refused."""
    s3: S3Spec | None = None
    """The S3 bucket, of type S3."""
    folder: FolderSpec | None = None
    """The folder, of type Folder."""
    retention_seconds: Annotated[int | None, Field(ge=3600, le=315_360_000)] = None
    """The gateway deletes what a task holds so long after its end: results, uploads, parameters. That it was there,
    when and how it ended stays. Nothing is deleted when absent, or where the gateway may not use the store.
    """

    @model_validator(mode="after")
    def _as_the_rules_say(self) -> StorageSpec:
        if self.type == "S3" and (self.s3 is None or self.folder is not None):
            raise ValueError(_NEEDS_S3)
        if self.type == "Folder" and (self.folder is None or self.s3 is not None):
            raise ValueError(_NEEDS_FOLDER)
        return self
