"""Every state that pods, Deployments and pools of a cluster went through, as the API server told it.

A list and a watch from its resource version on, so nothing is missed: what is not in the history has not been.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import urllib3
from kubernetes import client, config

from genpool_core import names
from genpool_dev.cluster.model import ClusterInfo

Manifest = dict[str, Any]
_GONE = 410
#: The server ends a watch after this; also the longest that a stopped observer lingers.
_WATCH_SECONDS = 300
_CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Change:
    """An object as it was from ``at`` on (UTC). ``kind``: ADDED, MODIFIED, DELETED."""

    at: datetime
    kind: str
    body: Manifest


class Observed:
    """The history of one kind of object in all namespaces."""

    def __init__(self, name: str, ask: Callable[..., Any]) -> None:
        self.name = name
        self._ask = ask
        self._lock = threading.Lock()
        self._history: dict[tuple[str, str], list[Change]] = {}
        self._current: dict[tuple[str, str, str], Manifest] = {}
        self._stopped = threading.Event()
        self._answer: urllib3.BaseHTTPResponse | None = None
        self.trouble: str | None = None
        """Why the history may have a gap; None while it has none."""
        self._thread = threading.Thread(target=self._run, name=f"watch-{name}", daemon=True)

    def start(self) -> None:
        """List, and watch from then on. Returns when the list is known."""
        version = self._list()
        self._thread = threading.Thread(
            target=self._run, args=(version,), name=f"watch-{self.name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()
        if self._answer is not None:
            self._answer.shutdown()
        self._thread.join(10)

    def now(self, namespace: str) -> list[Manifest]:
        """The objects of a namespace as they are."""
        with self._lock:
            return [body for (space, _, _), body in self._current.items() if space == namespace]

    def history(self, namespace: str, name: str | None = None) -> list[Change]:
        """Every change in a namespace, or of one object, oldest first.

        Raises
        ------
        AssertionError
            The watch was broken: a missing state would prove nothing.
        """
        assert self.trouble is None, f"the watch of {self.name} has a gap: {self.trouble}"
        with self._lock:
            found = [
                change
                for (space, owner), changes in self._history.items()
                if space == namespace and name in {None, owner}
                for change in changes
            ]
        return sorted(found, key=lambda change: change.at)

    def _list(self) -> str:
        answer = self._ask(_preload_content=False, _request_timeout=(_CONNECT_SECONDS, 30))
        listed = json.loads(answer.data)
        for body in listed["items"]:
            self._take("ADDED", body)
        return str(listed["metadata"]["resourceVersion"])

    def _run(self, version: str = "0") -> None:
        while not self._stopped.is_set():
            try:
                for change in self._watch(version):
                    version = change["object"]["metadata"]["resourceVersion"]
                    if change["type"] != "BOOKMARK":
                        self._take(change["type"], change["object"])
            except (urllib3.exceptions.HTTPError, client.ApiException, OSError) as error:
                if not self._stopped.wait(0.5) and getattr(error, "status", None) == _GONE:
                    self.trouble = str(error)
                    return

    def _watch(self, version: str) -> Iterator[Manifest]:
        self._answer = self._ask(
            watch=True,
            resource_version=version,
            allow_watch_bookmarks=True,
            timeout_seconds=_WATCH_SECONDS,
            _preload_content=False,
            _request_timeout=(_CONNECT_SECONDS, _WATCH_SECONDS + 30),
        )
        try:
            yield from _lines(self._answer)
        finally:
            answer, self._answer = self._answer, None
            answer.close()

    def _take(self, kind: str, body: Manifest) -> None:
        meta = body["metadata"]
        space, name = meta["namespace"], meta["name"]
        with self._lock:
            self._history.setdefault((space, name), []).append(Change(datetime.now(UTC), kind, body))
            if kind == "DELETED":
                self._current.pop((space, name, meta["uid"]), None)
            else:
                self._current[space, name, meta["uid"]] = body


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[Manifest]:
    rest = b""
    for chunk in answer.stream(amt=None):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                change: Manifest = json.loads(line)
                if change["type"] == "ERROR":
                    told = change["object"]
                    raise client.ApiException(status=told.get("code"), reason=told.get("message"))
                yield change


class Observer:
    """Pods, Deployments and pools of a cluster."""

    def __init__(self, info: ClusterInfo) -> None:
        self._client = config.new_client_from_config(config_file=str(info.kubeconfig), context=info.context)
        core, apps, custom = (
            client.CoreV1Api(self._client),
            client.AppsV1Api(self._client),
            client.CustomObjectsApi(self._client),
        )

        def list_pools(**options: object) -> object:
            return custom.list_cluster_custom_object(names.GROUP, names.VERSION, names.PLURAL, **options)

        self.pods = Observed("pods", core.list_pod_for_all_namespaces)
        self.deployments = Observed("deployments", apps.list_deployment_for_all_namespaces)
        self.pools = Observed("pools", list_pools)

    def start(self) -> None:
        """Watch from now on. The CRD must be there."""
        for each in (self.pods, self.deployments, self.pools):
            each.start()

    def stop(self) -> None:
        """End the watches and close their connections."""
        for each in (self.pods, self.deployments, self.pools):
            each.stop()
        self._client.close()
