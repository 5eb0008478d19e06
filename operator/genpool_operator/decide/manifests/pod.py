"""What both containers of a pod share."""

from __future__ import annotations

from dataclasses import dataclass

from genpool_core.jsontypes import JsonObject

CONTAINER_SECURITY: JsonObject = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True)
class PodDefaults:
    """What a pod needs to know beyond its pool: the broker as pods reach it, and the worker image of this release."""

    broker_host: str
    broker_port: int
    broker_tls: bool
    worker_image: str
    worker_image_pull_policy: str | None = None
    broker_ca_certificates: str = ""
