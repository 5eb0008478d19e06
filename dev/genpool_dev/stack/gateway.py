"""The gateway's API as a program uses it: where it is, the first key, and the calls that demo and tests need."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from genpool_core import names
from genpool_core.jsontypes import JsonObject
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.cluster.providers import forwards
from genpool_dev.stack import layout
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.kubectl import Kubectl

TIMEOUT = 20
#: A request that waits for a task's end, beyond what it waits.
WAIT_TIMEOUT = 30
PAGE = 200
Json = dict[str, Any]


def api_url(info: ClusterInfo, kubectl: Kubectl) -> str:
    """Where this machine reaches the API: the Service's own address, or a port that kubectl forwards."""
    if info.provider == "local":
        service = kubectl.get("service", layout.GATEWAY, f"--namespace={layout.SYSTEM_NAMESPACE}")
        return f"http://{service['spec']['clusterIP']}"
    port = forwards.ensure(kubectl, info.state_dir, layout.GATEWAY, 80, namespace=layout.SYSTEM_NAMESPACE)
    return f"http://127.0.0.1:{port}"


def close_way(info: ClusterInfo) -> None:
    """End the forwarded port, where there is one."""
    forwards.close(forwards.file_of(info.state_dir, layout.GATEWAY, 80))


def first_key(kubectl: Kubectl) -> str:
    """The key of the installation, with the role admin.

    Raises
    ------
    StackError
        The operator has not written it.
    """
    found = kubectl.find("secret", layout.GATEWAY, f"--namespace={layout.SYSTEM_NAMESPACE}")
    text = ((found or {}).get("data") or {}).get(names.ADMIN_API_KEY)
    if not text:
        raise StackError(
            f"Secret {layout.GATEWAY} in namespace {layout.SYSTEM_NAMESPACE} has no {names.ADMIN_API_KEY}: see the "
            "operator's log."
        )
    return base64.b64decode(text).decode()


@dataclass(frozen=True)
class GatewayApi:
    """The API under one key."""

    url: str
    key: str = field(repr=False)

    def call(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = TIMEOUT,
    ) -> requests.Response:
        """One request. A gateway that does not answer is a StackError; a refusal is not."""
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        try:
            with _session() as session:
                return session.request(
                    method, f"{self.url}{path}", json=body, params=query, headers=sent, timeout=seconds
                )
        except requests.RequestException as error:
            raise StackError(f"The API at {self.url} does not answer ({type(error).__name__}).") from error

    def get(self, path: str, **query: str) -> Json:
        """An answer that must be good."""
        return _good(self.call("GET", path, query=query))

    def submit(self, body: JsonObject, *, idempotency_key: str | None = None) -> Json:
        """Send a task; what the 202 says of it."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return _good(self.call("POST", "/v1/tasks", body, headers=headers))

    def task(self, task: str, *, wait: int = 0) -> Json:
        """A task, after its end or after ``wait`` seconds."""
        query = {"wait": str(wait)} if wait else {}
        return _good(self.call("GET", f"/v1/tasks/{task}", query=query, seconds=wait + WAIT_TIMEOUT))

    def tasks(self, **query: str) -> list[Json]:
        """All tasks that fit, page by page, the newest first."""
        found: list[Json] = []
        page: Json = {"next": ""}
        while page["next"] is not None:
            cursor = {"cursor": str(page["next"])} if page["next"] else {}
            page = self.get("/v1/tasks", limit=str(PAGE), **query, **cursor)
            found += page["tasks"]
        return found

    @contextmanager
    def watching(self, task: str, *, after: int | None = None) -> Iterator[Iterator[Json]]:
        """The events of a task as they come (SSE), from behind one that was seen."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        url = f"{self.url}/v1/tasks/{task}/events"
        with (
            _session() as session,
            session.get(url, headers=headers, stream=True, timeout=WAIT_TIMEOUT) as answer,
        ):
            if not answer.ok:
                raise StackError(_refusal(answer))
            yield _events(answer)


def admin_api(info: ClusterInfo, kubectl: Kubectl) -> GatewayApi:
    """The API under the first key. Raises StackError as :func:`first_key`."""
    return GatewayApi(api_url(info, kubectl), first_key(kubectl))


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy stands between this machine and its own cluster
    return session


def _good(answer: requests.Response) -> Json:
    if not answer.ok:
        raise StackError(_refusal(answer))
    found: Json = answer.json()
    return found


def _refusal(answer: requests.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = answer.text[:300]
    return (
        f"The API refused {answer.request.method} {answer.request.path_url}: {answer.status_code}: {detail}"
    )


def _events(answer: requests.Response) -> Iterator[Json]:
    event: Json = {}
    for line in answer.iter_lines(chunk_size=1):
        if line:
            name, _, value = line.decode().partition(": ")
            event[name] = json.loads(value) if name == "data" else value
            continue
        if "data" in event:
            yield event
        event = {}
