"""``status`` of the pool of one machine: what the operator would write on a cluster, for API and page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field

from genpool_adapters.management.api import ManagementApi
from genpool_cli.local.folder import write
from genpool_core import conditions, names, timing
from genpool_core.api.status import GenerationPoolStatus, QueueStatus, ScalingStatus
from genpool_core.conditions import Finding
from genpool_core.loose import LooseModel
from genpool_core.names import dead_queue

_COLUMNS = "?columns=name,messages,messages_ready,messages_unacknowledged"
_SCALING = ScalingStatus(
    desired=1, reason="OneMachine", message="One worker of this machine does the tasks; nothing is scaled."
)
Figure = Annotated[int, Field(ge=0)]


class _Row(LooseModel):
    name: str = ""
    messages: Figure | None = None
    messages_ready: Figure | None = None
    messages_unacknowledged: Figure | None = None


@dataclass(frozen=True)
class Seen:
    """What was seen of a pool. ``topology`` and ``worker``: what is wrong with them; empty and None when nothing is."""

    queue: QueueStatus
    topology: str
    worker: str | None


def read_queue(api: ManagementApi, vhost: str, queue: str, now: datetime) -> QueueStatus:
    """The figures of the queue and of its dead letters. Raises BrokerError."""
    rows = {row.name: row for row in api.rows(_Row, "queues", vhost, query=_COLUMNS)}
    own, dead = rows.get(queue, _Row()), rows.get(dead_queue(queue), _Row())
    return QueueStatus(
        waiting=own.messages_ready,
        running=own.messages_unacknowledged,
        dead_lettered=dead.messages,
        observed_at=now,
    )


def status_of(before: GenerationPoolStatus, seen: Seen, now: datetime) -> GenerationPoolStatus:
    """The status now. Pure."""
    ready = seen.worker is None
    return GenerationPoolStatus(
        conditions=conditions.merge(before.conditions, _findings(seen), generation=0, in_force=0, now=now),
        replicas=1,
        ready_replicas=int(ready),
        busy_replicas=int(ready and bool(seen.queue.running)),
        queue=seen.queue,
        scaling=_SCALING,
    )


def is_news(before: GenerationPoolStatus, after: GenerationPoolStatus) -> bool:
    """Whether it is written: something is another, or the figures were last written long ago. Pure."""
    then, now = before.queue.observed_at, after.queue.observed_at
    if then is None or now is None or now - then >= timedelta(seconds=timing.TOPOLOGY_SECONDS):
        return True
    same = after.queue.model_copy(update={"observed_at": then})
    return after.model_copy(update={"queue": same}) != before


def write_status(path: Path, status: GenerationPoolStatus) -> None:
    """Write it into the pool among the documents of a file."""
    documents = [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]
    for each in documents:
        if each.get("kind") == names.KIND:
            each["status"] = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    write(path, yaml.safe_dump_all(documents, allow_unicode=True, sort_keys=False))


def _findings(seen: Seen) -> list[Finding]:
    topology = (
        Finding(conditions.TOPOLOGY_READY, "False", "TopologyNotReady", seen.topology)
        if seen.topology
        else Finding(conditions.TOPOLOGY_READY, "True", "TopologyReady", "Its queues and users are there.")
    )
    worker = (
        Finding(conditions.WORKERS_READY, "True", "AllReady", "The worker is ready.")
        if seen.worker is None
        else Finding(conditions.WORKERS_READY, "False", "WorkerNotReady", seen.worker)
    )
    wrong = next((each for each in (topology, worker) if each.status != "True"), None)
    if wrong is not None:
        ready = Finding(conditions.READY, "False", wrong.reason, wrong.message)
    else:
        ready = Finding(conditions.READY, "True", "Ready", "A task that is published now will be done.")
    return [ready, topology, worker]
