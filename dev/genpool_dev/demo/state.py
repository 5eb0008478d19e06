"""What a demo has running, on disk, so that the next command can end it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
from pydantic import BaseModel, ValidationError

from genpool_dev.cluster import settings
from genpool_dev.stack.servers.process import ServerProcess


class DemoState(BaseModel):
    """A demo that runs, was left running, or was killed."""

    pid: int
    started: float
    """Start time of the demo's process: tells it from a later one with the same pid."""
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


def folder() -> Path:
    """Folder of the demo's own files: state, logs of its servers. It is gone when the demo is.

    One for each local cluster: a second one has another network namespace (GENPOOL_DEV_NETNS).
    """
    base = os.environ.get("XDG_STATE_HOME")
    netns = settings.load().netns
    name = (
        "genpool-demo"
        if netns == settings.ClusterSettings.model_fields["netns"].default
        else f"genpool-demo-{netns}"
    )
    return (Path(base) if base else Path.home() / ".local" / "state") / name


def load() -> DemoState | None:
    """The state of an earlier demo, or None. A file that cannot be read is taken as none."""
    try:
        return DemoState.model_validate_json((folder() / "state.json").read_text())
    except (OSError, ValidationError):
        return None


def save(state: DemoState) -> None:
    """Write the state so that it is there whole, or the one before is."""
    folder().mkdir(parents=True, exist_ok=True)
    partial = folder() / "state.partial"
    partial.write_text(state.model_dump_json())
    partial.replace(folder() / "state.json")
