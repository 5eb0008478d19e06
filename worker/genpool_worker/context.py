"""What is handed around: the pool's configuration, the ports and the helpers over them, joined once at start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from genpool_adapters.ledger import Ledger
from genpool_adapters.objectstore.port import ObjectStore
from genpool_core.workerconfig import WorkerConfig
from genpool_core.workflow.catalog import Catalog
from genpool_worker.cancel import Cancellation
from genpool_worker.comfyui.about import AboutComfyUI
from genpool_worker.comfyui.availability import Availability
from genpool_worker.comfyui.wedge import Wedge
from genpool_worker.drain import Drain
from genpool_worker.ledger.lease import HeldClaim
from genpool_worker.messaging.publish import TaskPublisher
from genpool_worker.ports import Broker, Clock, ComfyUI, Fetcher, Metrics
from genpool_worker.retry import OutageRetry


@dataclass(frozen=True)
class WorkerContext:
    """Immutable; one for the worker's life."""

    worker: str
    """Name of the pod."""
    config: WorkerConfig
    catalog: Catalog
    broker: Broker
    store: ObjectStore
    comfyui: ComfyUI
    wedge: Wedge
    availability: Availability
    about: AboutComfyUI
    fetcher: Fetcher
    clock: Clock
    drain: Drain
    cancellation: Cancellation
    retry: OutageRetry
    ledger: Ledger
    publisher: TaskPublisher
    metrics: Metrics
    renewing: Callable[[HeldClaim], AbstractContextManager[None]]
    """Renews a claim as long as its context is open."""
    scratch: Path
    """Folder with ``input``, ``output`` and ``temp``, shared with ComfyUI."""
