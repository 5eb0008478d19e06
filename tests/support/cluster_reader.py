"""Reads of a cluster by its API: for tests that look again and again, since each kubectl costs a tenth of a second."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import requests
from kubernetes import client, config

from genpool_core import names
from genpool_dev.cluster.model import ClusterInfo

Json = dict[str, Any]
_SECONDS = 30
_CORE, _APPS, _OWN = "/api/v1", "/apis/apps/v1", f"/apis/{names.API_VERSION}"
#: By what is typed behind ``kubectl get``: the singular, or the plural.
_PREFIXES = {
    "configmap": _CORE,
    "deployment": _APPS,
    "event": _CORE,
    "generationpool": _OWN,
    "pod": _CORE,
    "poddisruptionbudget": "/apis/policy/v1",
    "secret": _CORE,
}


class ClusterReader:
    """Objects of namespaces, as JSON."""

    def __init__(self, info: ClusterInfo) -> None:
        found = client.Configuration()
        config.load_kube_config(str(info.kubeconfig), info.context, client_configuration=found)
        self._host = found.host
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = found.ssl_ca_cert
        if found.cert_file:
            self._session.cert = (found.cert_file, found.key_file)
        # Under the one name or the other, by the library's version.
        if authorization := found.api_key.get("BearerToken") or found.api_key.get("authorization"):
            self._session.headers["Authorization"] = authorization

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """An object, or None. Raises HTTPError for all other refusals."""
        answer = self._session.get(f"{self._host}{_place(kind, namespace)}/{name}", timeout=_SECONDS)
        return None if answer.status_code == HTTPStatus.NOT_FOUND else _json(answer)

    def items(self, kind: str, namespace: str, selector: str = "") -> list[Json]:
        """The objects of a kind, those that a selector of labels picks."""
        url, query = self._host + _place(kind, namespace), {"labelSelector": selector}
        return list(_json(self._session.get(url, params=query, timeout=_SECONDS))["items"])


def _json(answer: requests.Response) -> Json:
    answer.raise_for_status()
    found: Json = answer.json()
    return found


def _place(kind: str, namespace: str) -> str:
    singular = kind.removesuffix("s")
    return f"{_PREFIXES[singular]}/namespaces/{namespace}/{singular}s"
