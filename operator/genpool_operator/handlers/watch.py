"""kopf's watches. Each handler hands the object on and requests a pass for its pool; nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import kopf

from genpool_core import names, timing
from genpool_operator.ports import OnChange, PoolKey, WatchSink

DELETED = "DELETED"


class PatientBackoffs:
    """Seconds between attempts to reach the API server, without an end: kopf would give up and end the process."""

    def __iter__(self) -> Iterator[float]:
        yield from timing.WATCH_RETRY_STEPS
        while True:
            yield timing.WATCH_RETRY_STEPS[-1]


def watch_settings(selector: str) -> kopf.OperatorSettings:
    """Kopf's settings; ``selector`` picks the Deployments and pods that are ours, on the server."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.watching.server_timeout = timing.WATCH_SERVER_SECONDS
    settings.watching.client_timeout = timing.WATCH_CLIENT_SECONDS
    settings.watching.connect_timeout = timing.KUBE_CONNECT_SECONDS
    settings.networking.error_backoffs = PatientBackoffs()
    settings.networking.connect_timeout = timing.KUBE_CONNECT_SECONDS
    settings.networking.request_timeout = timing.WATCH_LIST_SECONDS
    settings.watching.label_selectors["apps", "v1", "deployments"] = selector
    settings.watching.label_selectors["", "v1", "pods"] = selector
    return settings


def watch_registry(sink: WatchSink, request: OnChange) -> kopf.OperatorRegistry:
    """Handlers for pools, Deployments and pods. Only ``on.event``: anything else would leave marks on the objects."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:  # noqa: ANN401 - kopf's arguments
        if os.environ.get("KUBECONFIG"):
            return kopf.login_with_kubeconfig(**kwargs)
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def pool(event: Mapping[str, Any], **_: Any) -> None:  # noqa: ANN401 - kopf's arguments
        body = event["object"]
        if event["type"] == DELETED:
            sink.drop_pool(body)
        elif sink.put_pool(body):
            request(_key(body, body["metadata"]["name"]), True)

    @kopf.on.event("apps", "v1", "deployments", registry=registry)
    async def deployment(event: Mapping[str, Any], **_: Any) -> None:  # noqa: ANN401 - as above
        body = event["object"]
        full = True
        if event["type"] == DELETED:
            sink.drop_deployment(body)
        else:
            full = sink.put_deployment(body)
        request(_key(body, _instance(body)), full)

    @kopf.on.event("", "v1", "pods", registry=registry)
    async def pod(event: Mapping[str, Any], **_: Any) -> None:  # noqa: ANN401 - as above
        body = event["object"]
        (sink.drop_pod if event["type"] == DELETED else sink.put_pod)(body)
        request(_key(body, _instance(body)), False)

    return registry


def _instance(body: Mapping[str, Any]) -> str:
    """Name of the pool; for the few names that are too long for a label, the next tick finds the pool."""
    labels = body["metadata"].get("labels") or {}
    return str(labels.get(names.LABEL_INSTANCE, ""))


def _key(body: Mapping[str, Any], pool: str) -> PoolKey:
    return str(body["metadata"]["namespace"]), pool
