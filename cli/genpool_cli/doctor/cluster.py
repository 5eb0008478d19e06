"""The cluster: GenPool's CRD and programs, and GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.login import load_configuration
from genpool_cli.doctor.finding import Finding
from genpool_core import names
from genpool_core.version import __version__

Json = dict[str, Any]
_CRD = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{names.PLURAL}.{names.GROUP}"


def check_cluster() -> Iterator[Finding]:
    """What the current kube-context shows. Raises ClusterError."""
    api = KubeApi(load_configuration(), "genpool")
    try:
        version = api.get("/version") or {}
        yield Finding("cluster", "ok", f"Kubernetes {version.get('gitVersion', '?')} answers")
        yield of_crd(api.get(_CRD))
        selector = f"{names.LABEL_PART_OF}=genpool"
        yield from of_programs([dict(item) for item in api.list("/apis/apps/v1/deployments", selector)])
        yield of_nodes([dict(item) for item in api.list("/api/v1/nodes")])
    finally:
        api.close()


def of_crd(crd: Json | None) -> Finding:
    """Whether pools can be applied. Pure."""
    if crd is None:
        return Finding("CRD", "wrong", "There is no GenerationPool: install the chart, or apply its CRD.")
    served = [each["name"] for each in crd["spec"]["versions"] if each.get("served")]
    wanted = names.API_VERSION.partition("/")[2]
    if wanted not in served:
        return Finding("CRD", "wrong", f"It serves {', '.join(served)}, and not {wanted}: upgrade the chart.")
    return Finding("CRD", "ok", f"GenerationPool {wanted} is served")


def of_programs(deployments: list[Json]) -> Iterator[Finding]:
    """Whether operator and gateway run, and in which version. Pure."""
    for component in ("operator", "gateway"):
        found = [
            each for each in deployments if each["metadata"]["labels"].get(names.LABEL_COMPONENT) == component
        ]
        if not found:
            yield Finding(component, "warn", f"There is no {component} of GenPool that this login can see.")
        for each in found:
            meta, status = each["metadata"], each.get("status", {})
            where = f"{meta['namespace']}/{meta['name']}"
            version = meta["labels"].get("app.kubernetes.io/version", "?")
            if not status.get("readyReplicas"):
                yield Finding(
                    component, "wrong", f"Deployment {where} has no ready pod: kubectl describe it."
                )
            elif version != __version__:
                text = f"Deployment {where} is version {version}, this program {__version__}: upgrade the older one."
                yield Finding(component, "warn", text)
            else:
                yield Finding(component, "ok", f"Deployment {where}, version {version}, is ready")


def of_nodes(nodes: list[Json]) -> Finding:
    """Whether a pod that asks for a GPU can run. Pure."""
    gpus: dict[str, int] = {}
    for node in nodes:
        for name, amount in node.get("status", {}).get("allocatable", {}).items():
            if "gpu" in name.rpartition("/")[2] and str(amount).isdigit() and int(amount):
                gpus[name] = gpus.get(name, 0) + int(amount)
    if not gpus:
        return Finding(
            "GPUs",
            "warn",
            "No node has one now: install the vendor's device plugin, or let the cluster's autoscaler add such nodes; "
            "a pool that needs none says so in comfyui.resources.",
        )
    return Finding("GPUs", "ok", ", ".join(f"{amount} {name}" for name, amount in sorted(gpus.items())))
