"""What the steps of the pipeline share: the pool's configuration and the ports, joined once at start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genpool_core.workerconfig import WorkerConfig
from genpool_worker.announce import Announcer
from genpool_worker.config import Catalog
from genpool_worker.drain import Drain
from genpool_worker.lease import Keeping
from genpool_worker.ledger import Ledger
from genpool_worker.metrics import Metrics
from genpool_worker.patience import Patience
from genpool_worker.ports import Broker, Clock, ComfyUI, Fetcher, Store


@dataclass(frozen=True)
class Parts:
    """Immutable; one for the worker's life."""

    worker: str
    """Name of the pod."""
    config: WorkerConfig
    catalog: Catalog
    broker: Broker
    store: Store
    comfyui: ComfyUI
    fetcher: Fetcher
    clock: Clock
    drain: Drain
    patience: Patience
    ledger: Ledger
    announcer: Announcer
    metrics: Metrics
    keeping: Keeping
    scratch: Path
    """Folder with ``input``, ``output`` and ``temp``, shared with ComfyUI."""
