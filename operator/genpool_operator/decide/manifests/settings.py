"""What a pod needs to know beyond its pool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PodDefaults:
    """The broker as pods reach it, and the worker image of this release."""

    broker_host: str
    broker_port: int
    broker_tls: bool
    worker_image: str
    worker_image_pull_policy: str | None = None
