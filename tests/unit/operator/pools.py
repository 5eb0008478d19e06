"""Pools and other values for the operator's tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig
from genpool_core.conditions import ACCEPTED, TOPOLOGY_READY, Finding
from genpool_core.messages.events import WorkerState
from genpool_core.operatorkeys import Installation, OperatorKey
from genpool_operator.decide.broker_health import BrokerHealth, Reachability
from genpool_operator.decide.manifests import PodDefaults
from genpool_operator.decide.pods import PodView
from genpool_operator.decide.reading import Counted, Listed
from genpool_operator.decide.workers import WorkerView

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
UID = "11111111-2222-3333-4444-555555555555"
SETTINGS = PodDefaults("rabbitmq.example", 5672, False, "genpool/worker:1", "IfNotPresent")
BROKER = BrokerConfig(
    name="default",
    host="rabbitmq.example",
    management_url="http://rabbitmq.example:15672",
    credentials_path="/x",
)
KEY, NEW_KEY = OperatorKey(b"k" * 32), OperatorKey(b"n" * 32)
INSTALLATION = Installation((KEY,), "genpool-installation-1")
FINE = Finding(ACCEPTED, "True", "Accepted", "")
PROVISIONED = Finding(TOPOLOGY_READY, "True", "Provisioned", "")


def at(seconds: float) -> datetime:
    """A time so many seconds after ``NOW``."""
    return NOW + timedelta(seconds=seconds)


def spec(**changes: object) -> dict[str, Any]:
    """The smallest spec that can work."""
    return {
        "queue": {"name": "generation_tasks"},
        "workflows": [{"name": "text-to-image", "source": {"builtin": "text-to-image"}}],
        "comfyui": {"image": "example/comfyui:1"},
        "storage": {"s3": {"bucket": "results"}},
        **changes,
    }


def make_pool(
    *, name: str = "pictures", uid: str = UID, status: object = None, **changes: object
) -> GenerationPool:
    """A pool as the API server would hold it."""
    return GenerationPool.parse(
        {
            "metadata": {
                "name": name,
                "namespace": "team",
                "uid": uid,
                "generation": 3,
                "creationTimestamp": "2026-03-01T10:00:00Z",
            },
            "spec": spec(**changes),
            "status": status or {},
        }
    )


def pod(name: str, **changes: object) -> PodView:
    """A ready pod of the pool."""
    return PodView(**{"name": name, "namespace": "team", "instance": "pictures", "ready": True, **changes})


def worker(state: WorkerState, *, heard: float = 0, since: float = 0, task: str | None = None) -> WorkerView:
    """What a worker said."""
    return WorkerView(state, at(since), at(heard), task)


def waits(
    reason: str, message: str = "why", *, state: WorkerState = "starting", since: float = -60
) -> WorkerView:
    """A worker that has been waiting since then, as it said just now."""
    return WorkerView(state, at(since), NOW, reason=reason, message=message, waits_since=at(since))


def row(
    ready: int | None = 0,
    unacked: int | None = 0,
    *,
    age: float = 0,
    state: str = "running",
    ready_for: float | None = None,
) -> Listed:
    """A row of the broker's list, ``age`` seconds old; rows have told of waiting tasks for ``ready_for`` seconds."""
    total = None if ready is None or unacked is None else ready + unacked
    since = None if ready_for is None else at(-age - ready_for)
    return Listed(at(-age), state, ready, unacked, total, since)


def count(ready: int | None, *, age: float = 0, zero_for: float | None = None) -> Counted:
    """The answer to a passive declare (None: no such queue), which has been 0 for ``zero_for`` seconds."""
    return Counted(at(-age), ready, None if zero_for is None else at(-age - zero_for))


def good_health() -> BrokerHealth:
    """Both ways to the broker work."""
    return BrokerHealth(Reachability(at(-60), NOW), Reachability(at(-60), NOW))
