"""What the routes use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from anyio import CapacityLimiter
from fastapi import Request

from genpool_core import timing
from genpool_gateway.accepting.acceptor import Acceptor
from genpool_gateway.accepting.input_store import InputStore
from genpool_gateway.accepting.limits import Limits
from genpool_gateway.accepting.replay import Replayer
from genpool_gateway.api.bridge import Bridge
from genpool_gateway.api.metrics import ApiMetrics
from genpool_gateway.api.shared_looks import SharedLooks
from genpool_gateway.api.slow import SlowRequests, UploadLooks
from genpool_gateway.callbacks.replay import CallbackReplay
from genpool_gateway.dead_letters.work import DeadLetters
from genpool_gateway.erasing.eraser import Eraser
from genpool_gateway.events.hub import Hub
from genpool_gateway.janitor.ends import Ends
from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.keys.proxy import Network
from genpool_gateway.keys.sessions import SessionRing
from genpool_gateway.pools.linked_files import LinkedFiles
from genpool_gateway.pools.links import Links
from genpool_gateway.pools.over_time import PoolsOverTime
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.pools.store_checks import StoreChecks
from genpool_gateway.pools.workers import PoolWorkers
from genpool_gateway.tasks.key_ports import KeyStore
from genpool_gateway.tasks.places import LooseInputs
from genpool_gateway.tasks.ports import EventStore, KnownTasks, TaskReader, UsageStore


@dataclass(frozen=True)
class ApiOptions:
    """How the API behaves."""

    authenticate: bool = True
    proxies: tuple[Network, ...] = ()
    """Networks of proxies that are believed about who asks."""
    proxy_header: str = "x-forwarded-user"
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = 1024 * 1024
    body_seconds: float = timing.BODY_SECONDS
    """A body must be there after so long."""
    requests_per_second: float = 0.0
    """For each caller; 0: no limit."""
    public_url: str = ""
    """Before the paths in answers; empty: paths alone."""


@dataclass(frozen=True)
class Services:
    """Made by the factory; in the application's state."""

    acceptor: Acceptor
    limits: Limits
    inputs: InputStore
    known: KnownTasks
    loose: LooseInputs
    ends: Ends
    look_at_ends: Callable[[], None]
    """Has tasks ended that are to end, now; returns at once."""
    reader: TaskReader
    events: EventStore
    keys: KeyStore
    usage: UsageStore
    hub: Hub
    pools: PoolSource
    pools_over_time: PoolsOverTime
    workers: PoolWorkers
    links: Links
    linked_files: LinkedFiles
    store_checks: StoreChecks
    keyring: KeyRing
    sessions: SessionRing
    replayer: Replayer
    callback_replay: CallbackReplay
    eraser: Eraser
    dead_letters: DeadLetters
    metrics: ApiMetrics
    now: Callable[[], datetime]
    check_store: Callable[[], None] = lambda: None
    """Raises TaskStoreError while the task store was not opened yet."""
    large: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(2))
    """Of threads that read and check what is large, which would keep the event loop from everybody else."""
    options: ApiOptions = field(default_factory=ApiOptions)
    bridge: Bridge = field(default_factory=Bridge)
    slow: SlowRequests = field(default_factory=SlowRequests)
    replays: SlowRequests = field(default_factory=lambda: SlowRequests(threads=32, waiting=500))
    """Each is over in a moment while the broker answers, and many come at once."""
    upload_looks: UploadLooks = field(default_factory=UploadLooks)
    looks: SharedLooks = field(default_factory=SharedLooks)


def services_of(request: Request) -> Services:
    """The services of the application that handles a request."""
    services: Services = request.app.state.services
    return services
