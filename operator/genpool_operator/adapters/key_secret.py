"""The operator's own Secret, with its keys, in the release's namespace."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from genpool_adapters.kube.api import APPLY, KubeApi
from genpool_core import names
from genpool_core.errors import ClusterError
from genpool_core.operatorkeys import KEYS
from genpool_operator.decide.manifests.secret import build_secret
from genpool_operator.decide.objects import parse_secret, parse_uid


class KubeKeySecret:
    """See the port."""

    def __init__(self, api: KubeApi, namespace: str, name: str) -> None:
        self._api = api
        self._namespace = namespace
        self.name = name

    def namespace_uid(self) -> str:
        """UID of the release's namespace."""
        body = self._api.get(f"/api/v1/namespaces/{quote(self._namespace, safe='')}")
        if body is None:
            raise ClusterError(f"There is no namespace {self._namespace}.", status=404)
        return parse_uid(body)

    def read(self) -> str | None:
        """The lines of the Secret; None when there is no such Secret."""
        body = self._api.get(self._path())
        return None if body is None else parse_secret(body, KEYS) or ""

    def create(self, line: str) -> str:
        """Make the Secret with one key, and return its lines.

        By an apply, as a right to create can be limited to a name only there. With a field manager of its own each time
        it never changes a key that another operator made in the same moment: Kubernetes refuses it then.
        """
        manifest = build_secret(self._namespace, self.name, {KEYS: f"{line}\n"})
        manager = f"{names.FIELD_MANAGER}-key-{secrets.token_hex(4)}"
        path = f"{self._path()}?fieldManager={manager}&force=false"
        return parse_secret(self._api.request("PATCH", path, manifest, APPLY), KEYS) or ""

    def _path(self) -> str:
        return f"/api/v1/namespaces/{quote(self._namespace, safe='')}/secrets/{quote(self.name, safe='')}"
