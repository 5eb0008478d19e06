"""All brokers and their vhosts; see the port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.apply_topology import apply_step
from genpool_core import names, timing
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError
from genpool_core.topology.plan import Step, VhostFacts
from genpool_operator.adapters.rabbit.depth_monitor import DepthMonitor, Followed
from genpool_operator.adapters.rabbit.management_thread import ManagementThread
from genpool_operator.adapters.rabbit.vhost_topology import VhostTopology
from genpool_operator.ports import OnChange, PoolKey, QueueAnswers


@dataclass
class _Broker:
    """One broker's management API, and the thread that alone asks it."""

    api: ManagementApi
    thread: ManagementThread


@dataclass
class _Vhost:
    """One vhost: its depth monitor and its topology."""

    monitor: DepthMonitor
    topology: VhostTopology
    there: bool = False
    """Whether the vhost exists, or its broker is away."""
    started: bool = False


class RabbitBrokers:
    """The operator's RabbitMQ.

    Nothing here waits for a broker that hangs: its management API is asked by one thread of its own.
    """

    def __init__(self, clock: Callable[[], datetime], on_change: OnChange) -> None:
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._brokers: dict[str, _Broker] = {}
        self._vhosts: dict[tuple[str, str], _Vhost] = {}

    def stop(self) -> None:
        """End all threads and connections."""
        with self._lock:
            vhosts, brokers = list(self._vhosts.values()), list(self._brokers.values())
        # An answer starts its vhost's monitor: first no more answers.
        for broker in brokers:
            broker.thread.close(timing.MONITOR_STOP_SECONDS)
            broker.api.close()
        for vhost in vhosts:
            if vhost.started:
                vhost.monitor.stop()

    def follow(self, broker: BrokerConfig, pool: GenerationPool) -> None:
        """Read the queues of this pool from now on."""
        key, queue = (pool.metadata.namespace, pool.metadata.name), pool.spec.queue.name
        entry = self._vhost(broker, pool.spec.broker.vhost)
        entry.monitor.follow(pool.metadata.uid, Followed(key, queue, names.dead_queue(queue)))
        self._start_monitor(entry)

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

        While the management API is slow, what it last said stands in for a short time. All pools of the vhost are
        given a full pass when an answer comes that somebody had to do without.

        Raises
        ------
        BrokerError
            Refused, or no answer, now or within the last seconds.
        """
        return self._vhost(broker, vhost).topology.facts(settled=settled)

    def provision(self, broker: BrokerConfig, vhost: str, steps: Sequence[Step]) -> None:
        """Apply the steps, in order.

        Raises
        ------
        BrokerError
            One failed, and those after it were not taken; or they were not done in time, and go on.
        """
        entry, api = self._vhost(broker, vhost), self._broker(broker).api

        def apply() -> None:
            try:
                for step in steps:
                    apply_step(api, vhost, step)
            finally:
                entry.topology.forget()

        self._broker(broker).thread.do(apply)

    def delete_user(self, broker: BrokerConfig, name: str) -> None:
        """Delete a user; nothing happens when it is gone.

        Raises
        ------
        BrokerError
            Refused, or no answer.
        """
        topology, owner = self._vhost(broker, broker.vhosts[0]).topology, self._broker(broker)
        owner.thread.do(lambda: owner.api.delete("users", name))
        topology.forget()

    def _broker(self, broker: BrokerConfig) -> _Broker:
        with self._lock:
            entry = self._brokers.get(broker.name)
            if entry is None:
                thread = ManagementThread(broker.name, broker.management_url)
                entry = self._brokers[broker.name] = _Broker(ManagementApi(broker), thread)
            return entry

    def _vhost(self, broker: BrokerConfig, vhost: str) -> _Vhost:
        owner = self._broker(broker)
        with self._lock:
            entry = self._vhosts.get((broker.name, vhost))
            if entry is None:
                place = (broker.name, vhost)
                monitor = DepthMonitor(broker, vhost, self._clock, partial(self._changed, *place))
                on_reading = partial(self._read, *place)
                topology = VhostTopology(vhost, owner.thread, owner.api, self._clock, on_reading)
                entry = self._vhosts[place] = _Vhost(monitor, topology)
            return entry

    def _start_monitor(self, entry: _Vhost) -> None:
        """Where it has a pool to report to; the gateway's users need none."""
        with self._lock:
            due = entry.there and not entry.started and bool(entry.monitor.pools())
            entry.started = entry.started or due
        if due:
            entry.monitor.start()

    def _changed(self, broker: str, vhost: str, pool: PoolKey, full: bool) -> None:  # noqa: FBT001 - a callback
        """A pool's queues have changed; ``full``: so has its topology."""
        if full:
            self._vhosts[broker, vhost].topology.forget()
        self._on_change(pool, full)

    def _read(self, broker: str, vhost: str, found: VhostFacts | BrokerError, awaited: bool) -> None:  # noqa: FBT001 - a callback
        """A vhost's topology was read. Its monitor starts once the vhost exists; it reports a broker that is away.

        ``awaited``: passes had to do without it, and are made again.
        """
        entry = self._vhosts[broker, vhost]
        entry.there = isinstance(found, BrokerError) or found.exists
        self._start_monitor(entry)
        if awaited:
            for pool in entry.monitor.pools():
                self._on_change(pool, True)
