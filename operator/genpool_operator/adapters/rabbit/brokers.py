"""All brokers and their vhosts; see the port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.apply_topology import apply_step
from genpool_adapters.management.read_topology import read_topology
from genpool_core import names, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError
from genpool_core.topology.plan import Step, VhostFacts
from genpool_operator.adapters.rabbit.depth_monitor import DepthMonitor, Followed
from genpool_operator.ports import OnChange, PoolKey, QueueAnswers


@dataclass
class _Vhost:
    """One vhost: its depth monitor, its management session, and its topology as last read."""

    monitor: DepthMonitor
    api: ManagementApi
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: VhostFacts | BrokerError | None = None
    seen_at: datetime | None = None
    started: bool = False


class RabbitBrokers:
    """The operator's RabbitMQ."""

    def __init__(self, clock: Callable[[], datetime], on_change: OnChange) -> None:
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._vhosts: dict[tuple[str, str], _Vhost] = {}

    def stop(self) -> None:
        """End all threads and connections."""
        with self._lock:
            vhosts = list(self._vhosts.values())
        for vhost in vhosts:
            if vhost.started:
                vhost.monitor.stop()
            vhost.api.close()

    def follow(self, broker: BrokerConfig, pool: GenerationPool) -> None:
        """Read the queues of this pool from now on."""
        key, queue = (pool.metadata.namespace, pool.metadata.name), pool.spec.queue.name
        monitor = self._vhost(broker, pool.spec.broker.vhost).monitor
        monitor.follow(pool.metadata.uid, Followed(key, queue, names.dead_queue(queue)))

    def forget(self, uid: str) -> None:
        """Stop reading a pool's queues."""
        with self._lock:
            vhosts = list(self._vhosts.values())
        for vhost in vhosts:
            vhost.monitor.forget(uid)

    def answers(self, broker: BrokerConfig, pool: GenerationPool) -> QueueAnswers:
        """The newest answers; asks nothing itself."""
        return self._vhost(broker, pool.spec.broker.vhost).monitor.answers(pool.metadata.uid)

    def facts(self, broker: BrokerConfig, vhost: str, *, settled: bool) -> VhostFacts:
        """A vhost's topology: at most a minute old where all was well, else seconds; new after ``provision``.

        Raises
        ------
        BrokerError
            Refused, or no answer, now or within the last seconds.
        """
        entry = self._vhost(broker, vhost)
        with entry.lock:
            now = self._clock()
            seen = entry.seen
            fine = settled and isinstance(seen, VhostFacts)
            lifetime = timing.TOPOLOGY_SECONDS if fine else timing.TOPOLOGY_UNSETTLED_SECONDS
            if seen is None or entry.seen_at is None or now - entry.seen_at > timedelta(seconds=lifetime):
                try:
                    seen = read_topology(entry.api, vhost)
                except BrokerError as error:
                    seen = error
                entry.seen, entry.seen_at = seen, now
                self._start(entry, seen)
            if isinstance(seen, BrokerError):
                raise BrokerError(seen.message, reason=seen.reason)
            return seen

    def provision(self, broker: BrokerConfig, vhost: str, steps: Sequence[Step]) -> None:
        """Apply the steps, in order.

        Raises
        ------
        BrokerError
            One failed; those after it were not taken.
        """
        entry = self._vhost(broker, vhost)
        with entry.lock:
            entry.seen = None
            for step in steps:
                apply_step(entry.api, vhost, step)

    def delete_user(self, broker: BrokerConfig, name: str) -> None:
        """Delete a user; nothing happens when it is gone.

        Raises
        ------
        BrokerError
            Refused, or no answer.
        """
        entry = self._vhost(broker, broker.vhosts[0])
        with entry.lock:
            entry.seen = None
            entry.api.delete("users", name)

    def _vhost(self, broker: BrokerConfig, vhost: str) -> _Vhost:
        with self._lock:
            entry = self._vhosts.get((broker.name, vhost))
            if entry is None:
                monitor = DepthMonitor(broker, vhost, self._clock, partial(self._changed, broker.name, vhost))
                entry = self._vhosts[broker.name, vhost] = _Vhost(monitor, ManagementApi(broker))
            return entry

    def _changed(self, broker: str, vhost: str, pool: PoolKey, full: bool) -> None:  # noqa: FBT001 - a callback
        """A pool's queues have changed; ``full``: so has its topology."""
        if full:
            self._vhosts[broker, vhost].seen = None
        self._on_change(pool, full)

    @staticmethod
    def _start(entry: _Vhost, seen: VhostFacts | BrokerError) -> None:
        """Start the monitor of a vhost that exists; where the broker does not answer, the monitor reports it."""
        there = isinstance(seen, BrokerError) or seen.exists
        if there and not entry.started:
            entry.started = True
            entry.monitor.start()
