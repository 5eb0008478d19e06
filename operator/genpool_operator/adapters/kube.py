"""The objects of a pool on the API server: read, applied, scaled, reported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

from genpool_adapters.kube.api import APPLY, MERGE, NOT_FOUND, KubeApi
from genpool_core import names
from genpool_core.api.pool import ObjectMeta
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.errors import ClusterError
from genpool_core.jsontypes import JsonObject
from genpool_core.kube.objects import AnyObject
from genpool_operator.decide.events import PoolEvent
from genpool_operator.decide.objects import ConfigMapView, parse_config_map

_POOLS = f"/apis/{names.API_VERSION}"
_PLURALS = {"ConfigMap": "configmaps", "Secret": "secrets", "Deployment": "deployments"}
_EVENT_MAX = 1024
_MANAGED = f"?fieldManager={names.FIELD_MANAGER}"


class KubeCluster:
    """The operator's Kubernetes; see the port."""

    def __init__(self, api: KubeApi, namespaces: Sequence[str] = ()) -> None:
        self._api = api
        self._namespaces = namespaces

    def list_pools(self) -> Iterator[JsonObject]:
        """All GenerationPools of the namespaces that the operator looks after."""
        return self._list(_POOLS, names.PLURAL, "")

    def list_deployments(self) -> Iterator[JsonObject]:
        """All Deployments of ours."""
        return self._list("/apis/apps/v1", "deployments", names.objects_selector())

    def list_pods(self) -> Iterator[JsonObject]:
        """All pods of ours."""
        return self._list("/api/v1", "pods", names.objects_selector())

    def _list(self, prefix: str, plural: str, labels: str) -> Iterator[JsonObject]:
        if not self._namespaces:
            yield from self._api.list(f"{prefix}/{plural}", labels)
        for namespace in self._namespaces:
            yield from self._api.list(_path(prefix, namespace, plural), labels)

    def get_config_map(self, namespace: str, name: str) -> ConfigMapView | None:
        """A ConfigMap, or None when there is none."""
        body = self._api.get(_path("/api/v1", namespace, "configmaps", name))
        return None if body is None else parse_config_map(body)

    def get_deployment(self, namespace: str, name: str) -> JsonObject | None:
        """A Deployment, or None when there is none."""
        return self._api.get(_path("/apis/apps/v1", namespace, "deployments", name))

    def apply(self, manifest: JsonObject, *, manager: str | None = None) -> JsonObject:
        """Apply server-side. The operator takes its fields from whoever has them, another manager does not."""
        metadata = manifest["metadata"]
        assert isinstance(metadata, dict)  # noqa: S101 - our own builders
        prefix = "/api/v1" if manifest["apiVersion"] == "v1" else f"/apis/{manifest['apiVersion']}"
        kind, name = str(manifest["kind"]), str(metadata["name"])
        path = _path(prefix, str(metadata["namespace"]), _PLURALS[kind], name)
        force = "false" if manager else "true"
        query = f"?fieldManager={manager or names.FIELD_MANAGER}&force={force}"
        return self._api.request("PATCH", path + query, manifest, APPLY, f"{kind} {name}")

    def remove_keys(self, namespace: str, secret: str, keys: Sequence[str]) -> None:
        """Take keys out of a Secret; nothing happens when there is no such Secret. An apply would make one then."""
        patch: JsonObject = {"data": dict.fromkeys(keys)}
        try:
            self._api.request(
                "PATCH", _path("/api/v1", namespace, "secrets", secret) + _MANAGED, patch, MERGE
            )
        except ClusterError as error:
            if error.status != NOT_FOUND:
                raise

    def scale(self, namespace: str, deployment: str, replicas: int) -> str:
        """Write a Deployment's replicas through ``/scale``; its resource version after that."""
        path = _path("/apis/apps/v1", namespace, "deployments", deployment, "scale")
        body = self._api.request("PATCH", path + _MANAGED, {"spec": {"replicas": replicas}}, MERGE)
        return AnyObject.read_object(body).metadata.resource_version

    def set_deletion_cost(self, namespace: str, pod: str, cost: int) -> None:
        """Annotate a pod."""
        self._annotate(namespace, pod, names.ANNOTATION_DELETION_COST, str(cost))

    def set_image_digest(self, namespace: str, pod: str, digest: str) -> None:
        """Annotate a pod."""
        self._annotate(namespace, pod, names.ANNOTATION_IMAGE_DIGEST, digest)

    def _annotate(self, namespace: str, pod: str, key: str, value: str) -> None:
        patch: JsonObject = {"metadata": {"annotations": {key: value}}}
        self._api.request("PATCH", _path("/api/v1", namespace, "pods", pod) + _MANAGED, patch, MERGE)

    def delete_pod(self, namespace: str, pod: str) -> None:
        """Delete a pod; its Deployment makes another one."""
        self._api.delete(_path("/api/v1", namespace, "pods", pod))

    def write_status(self, meta: ObjectMeta, status: GenerationPoolStatus) -> JsonObject:
        """Write a pool's status; refused (409) when another pool has taken the name meanwhile."""
        body: JsonObject = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": meta.name, "namespace": meta.namespace, "uid": meta.uid},
            "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        path = _path(_POOLS, meta.namespace, names.PLURAL, meta.name, "status")
        return self._api.request("PATCH", f"{path}{_MANAGED}&force=true", body, APPLY)

    def post_event(self, meta: ObjectMeta, event: PoolEvent, now: datetime) -> None:
        """Post an Event about a pool."""
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        body: JsonObject = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{meta.name}.", "namespace": meta.namespace},
            "involvedObject": {
                "apiVersion": names.API_VERSION,
                "kind": names.KIND,
                "name": meta.name,
                "namespace": meta.namespace,
                "uid": meta.uid,
            },
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:_EVENT_MAX],
            "source": {"component": names.FIELD_MANAGER},
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
        }
        self._api.request("POST", _path("/api/v1", meta.namespace, "events"), body)


def _path(prefix: str, namespace: str, *parts: str) -> str:
    return "/".join([prefix, "namespaces", *(quote(part, safe="") for part in (namespace, *parts))])
