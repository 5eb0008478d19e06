"""What a demo has running, on disk, so that the next command can end it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from genpool_dev.cluster.settings import ClusterRef, ClusterSettings, ProviderName
from genpool_dev.stack.servers.process import ServerProcess


class DemoState(BaseModel):
    """A demo that runs, was left running, or was killed."""

    pid: int
    started: float
    """Start time of the demo's process: tells it from a later one with the same pid."""
    cluster: ClusterRef
    context: str
    """Its context, as it was when the demo began."""
    cluster_was_up: bool
    """The cluster is a developer's: it stays."""
    servers: list[ServerProcess] = []

    def running(self) -> bool:
        """Whether that demo's process still runs."""
        return self.pid != os.getpid() and start_time(self.pid) == self.started


def start_time(pid: int) -> float | None:
    """Start time of a process, or None where there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def folder(cluster: ClusterRef) -> Path:
    """Folder of a demo's own files: state, logs of its servers. It is gone when the demo is.

    One for each provider, and for each local cluster: a second one has another network namespace
    (GENPOOL_DEV_NETNS).
    """
    base = os.environ.get("XDG_STATE_HOME")
    name = f"genpool-demo-{cluster.provider}"
    if cluster.provider == "local" and cluster.netns != ClusterSettings.model_fields["netns"].default:
        name = f"{name}-{cluster.netns}"
    return (Path(base) if base else Path.home() / ".local" / "state") / name


def load(cluster: ClusterRef) -> DemoState | None:
    """The state of an earlier demo, or None. A file that cannot be read is taken as none."""
    try:
        return DemoState.model_validate_json((folder(cluster) / "state.json").read_text())
    except (OSError, ValidationError):
        return None


def left(refs: Iterable[ClusterRef]) -> list[ProviderName]:
    """Providers whose demo is there: it runs, was left running, or was killed."""
    return [ref.provider for ref in refs if load(ref) is not None]


def save(state: DemoState) -> None:
    """Write the state so that it is there whole, or the one before is."""
    place = folder(state.cluster)
    place.mkdir(parents=True, exist_ok=True)
    partial = place / "state.partial"
    partial.write_text(state.model_dump_json())
    partial.replace(place / "state.json")
