"""What Kubernetes says of pools, their Deployments and pods: read in one call, parsed at the door."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from genpool_core import names
from genpool_core.api.status import GenerationPoolStatus
from genpool_dev.stack.kubectl import Kubectl
from genpool_dev.stack.pools import Pool


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, validate_by_name=True)


class DeploymentReading(_Read):
    """A Deployment's ``spec.replicas``, and those of ``status`` that the server leaves out when they are zero."""

    wanted: int
    replicas: int = 0
    ready_replicas: int = 0


class PoolReading(_Read):
    """A pool, its Deployment (None where there is none) and its pods, also the ending ones."""

    uid: str
    status: GenerationPoolStatus
    deployment: DeploymentReading | None
    pods: tuple[str, ...]


def read(kubectl: Kubectl, pools: list[Pool]) -> dict[str, PoolReading]:
    """Readings of pools of one namespace by name; a pool that does not exist is left out.

    Raises
    ------
    ClusterError
        kubectl failed.
    """
    namespace = pools[0].namespace
    found = kubectl.get("generationpools.genpool.dev,deployments,pods", f"--namespace={namespace}")
    return parse(found["items"], [pool.name for pool in pools])


def parse(items: list[dict[str, Any]], pools: list[str]) -> dict[str, PoolReading]:
    """Readings from the objects of a namespace. Pure."""
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        of_kind.setdefault(item["kind"], []).append(item)
    deployments = {item["metadata"]["name"]: item for item in of_kind.get("Deployment", [])}
    readings = {}
    for item in of_kind.get(names.KIND, []):
        name = item["metadata"]["name"]
        if name not in pools:
            continue
        own = deployments.get(names.deployment(name))
        selector = names.pool_selector(name).items()
        readings[name] = PoolReading(
            uid=item["metadata"]["uid"],
            status=GenerationPoolStatus.model_validate(item.get("status") or {}),
            deployment=_deployment(own) if own else None,
            pods=tuple(
                pod["metadata"]["name"]
                for pod in of_kind.get("Pod", [])
                if selector <= pod["metadata"].get("labels", {}).items()
            ),
        )
    return readings


def _deployment(item: dict[str, Any]) -> DeploymentReading:
    return DeploymentReading.model_validate({**item.get("status", {}), "wanted": item["spec"]["replicas"]})
