"""Requests to the Kubernetes API, as JSON. The client library brings login and TLS; its models are not used."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import quote

import kubernetes
import urllib3

from genpool_core import timing
from genpool_core.jsontypes import JsonObject
from genpool_core.version import __version__
from genpool_operator.ports import ClusterError

_TIMEOUT = urllib3.Timeout(connect=timing.KUBE_CONNECT_SECONDS, read=timing.KUBE_READ_SECONDS)
#: A connection that the server closed meanwhile is made again; a request that may have arrived is not repeated.
_RETRIES = urllib3.Retry(
    total=timing.KUBE_CONNECT_TRIES - 1,
    connect=timing.KUBE_CONNECT_TRIES - 1,
    read=0,
    redirect=0,
    status=0,
    other=0,
)
PAGE = 500
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON = "application/json"
NOT_FOUND = 404
_ERRORS = 400
_UNPROCESSABLE = 422
_NO_SCHEMA = "failed to create typed patch object"
_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def in_cluster() -> bool:
    """Whether to log in as a pod does. A KUBECONFIG in the environment is somebody's wish and goes first."""
    return not os.environ.get("KUBECONFIG") and _TOKEN.exists()


class KubeApi:
    """One API server. Its constructor raises ClusterError when there is no way to log in."""

    def __init__(self) -> None:
        configuration = kubernetes.client.Configuration()
        try:
            if in_cluster():
                kubernetes.config.load_incluster_config(client_configuration=configuration)
            else:
                kubernetes.config.load_kube_config(client_configuration=configuration)
        except kubernetes.config.ConfigException as error:
            raise ClusterError(
                f"no way to log in to Kubernetes ({error}): run in a pod, or point KUBECONFIG to a file.",
                status=0,
            ) from error
        self._client = kubernetes.client.ApiClient(configuration)
        self._client.user_agent = f"genpool-operator/{__version__}"

    def close(self) -> None:
        """Close the connections."""
        self._client.rest_client.close()

    def get(self, path: str) -> JsonObject | None:
        """An object, or None when there is none.

        Raises
        ------
        ClusterError
            Refused, or no answer.
        """
        try:
            return self.request("GET", path)
        except ClusterError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def list(self, path: str, selector: str = "") -> Iterator[JsonObject]:
        """All objects, page by page."""
        token = ""
        while True:
            query = f"?limit={PAGE}&labelSelector={quote(selector)}&continue={quote(token)}"
            page = self.request("GET", path + query)
            items = page.get("items")
            yield from (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()
            meta = page.get("metadata")
            token = str(meta.get("continue") or "") if isinstance(meta, dict) else ""
            if not token:
                return

    def request(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        content_type: str = JSON,
        what: str | None = None,
    ) -> JsonObject:
        """One request; ``path`` is encoded already. ``what`` names its subject to a person who knows no paths.

        Raises
        ------
        ClusterError
            Refused, with what Kubernetes says; or no answer (status 0).
        """
        subject = what or f"{method} {path.partition('?')[0]}"
        _, url, headers, _, _ = self._client.param_serialize(
            method=method,
            resource_path=path,
            header_params={"Accept": JSON, "Content-Type": content_type},
            auth_settings=["BearerToken"],
        )
        data = None if body is None else json.dumps(body).encode()
        try:
            # Not the client's own ``request``: it treats a body by its content type, and this one is encoded.
            response = self._client.rest_client.pool_manager.request(
                method, url, body=data, headers=headers, timeout=_TIMEOUT, retries=_RETRIES
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            message = f"Kubernetes does not answer about {subject} ({type(error).__name__})."
            raise ClusterError(message, status=0) from error
        if response.status >= _ERRORS:
            said = _message(response.data) or response.reason
            raise ClusterError(f"Kubernetes refuses {subject}: {said}", status=_status(response.status, said))
        return cast("JsonObject", json.loads(response.data))


def _status(status: int, said: str) -> int:
    """A manifest that fits no schema (a list for a number, a name given twice) is answered with 500; 422 is meant."""
    return _UNPROCESSABLE if said.startswith(_NO_SCHEMA) else status


def _message(data: bytes) -> str:
    """What the API server says in its Status object."""
    try:
        status = json.loads(data)
    except ValueError:
        return ""
    return str(status.get("message") or "") if isinstance(status, dict) else ""
