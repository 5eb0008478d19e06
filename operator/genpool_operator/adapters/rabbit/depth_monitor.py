"""Monitors the queues of a vhost: depths by list and by passive declare, and what workers and gateways tell of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog

from genpool_adapters.amqp import AmqpConnection, broker_parameters
from genpool_adapters.brokerfile import credentials
from genpool_adapters.management.api import UNREACHABLE, ManagementApi
from genpool_core import names, timing
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import Delivery
from genpool_operator.adapters.rabbit import backlogs, heartbeats
from genpool_operator.adapters.rabbit.backlogs import Backlogs, is_backlog
from genpool_operator.adapters.rabbit.heartbeats import Heartbeats
from genpool_operator.adapters.rabbit.listing import read_listing
from genpool_operator.adapters.rabbit.reachability import ReachabilityLog
from genpool_operator.decide.broker_health import BrokerHealth
from genpool_operator.decide.reading import Counted, Listed
from genpool_operator.ports import OnChange, PoolKey, QueueAnswers

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Followed:
    """A pool and its queues."""

    key: PoolKey
    queue: str
    dead: str


class DepthMonitor:
    """Two threads (list, count) and the connection's own. ``start`` once the vhost is known to be there."""

    def __init__(
        self, broker: BrokerConfig, vhost: str, clock: Callable[[], datetime], on_change: OnChange
    ) -> None:
        self._broker = broker
        self._vhost = vhost
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._followed: dict[str, Followed] = {}
        self._listed: dict[str, Listed] = {}
        self._counted: dict[str, Counted] = {}
        self._management = ReachabilityLog(clock)
        self._amqp = ReachabilityLog(clock)
        self._heartbeats = Heartbeats(clock, self._told)
        self._backlogs = Backlogs(clock, self._told)
        self._connection: AmqpConnection | None = None
        self._stopped = threading.Event()
        place = f"{broker.name}{vhost if vhost.startswith('/') else '/' + vhost}"
        self._threads = [
            threading.Thread(target=self._list_for_ever, name=f"list {place}", daemon=True),
            threading.Thread(target=self._count_for_ever, name=f"count {place}", daemon=True),
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads and the connection."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timing.MONITOR_STOP_SECONDS)
        if self._connection is not None:
            self._connection.stop()

    def follow(self, uid: str, followed: Followed) -> None:
        """Monitor these queues from now on."""
        with self._lock:
            self._followed[uid] = followed

    def forget(self, uid: str) -> None:
        """Stop monitoring a pool's queues."""
        with self._lock:
            self._followed.pop(uid, None)
        self._heartbeats.forget(uid)
        self._backlogs.forget(uid)

    def pools(self) -> list[PoolKey]:
        """The pools whose queues are monitored."""
        with self._lock:
            return [item.key for item in self._followed.values()]

    def _receive(self, delivery: Delivery) -> None:
        (self._backlogs if is_backlog(delivery) else self._heartbeats).receive(delivery)

    def _told(self, uid: str) -> None:
        """A worker, or a gateway, has said something new of a pool."""
        with self._lock:
            followed = self._followed.get(uid)
        if followed is not None:
            self._on_change(followed.key, False)

    def answers(self, uid: str) -> QueueAnswers:
        """The newest answers about a pool's queues."""
        health = BrokerHealth(self._management.reach, self._amqp.reach)
        with self._lock:
            followed = self._followed.get(uid)
            if followed is None:
                return QueueAnswers(health)
            return QueueAnswers(
                health,
                listed=self._listed.get(followed.queue),
                dead=self._listed.get(followed.dead),
                counted=self._counted.get(followed.queue),
                workers=self._heartbeats.of(uid),
                backlog=self._backlogs.of(uid),
            )

    # List ---------------------------------------------------------------------------------------------------------

    def _list_for_ever(self) -> None:
        api = ManagementApi(self._broker)
        wait = 0.0
        while not self._stopped.wait(wait):
            wait = timing.LIST_SECONDS if self._list_once(api) else timing.LIST_RETRY_SECONDS
        api.close()

    def _list_once(self, api: ManagementApi) -> bool:
        with self._lock:
            needed = {name for item in self._followed.values() for name in (item.queue, item.dead)}
        try:
            rows = read_listing(api, self._vhost, needed, self._clock())
        except BrokerError as error:
            self._management.failed(error.reason, error.message)
            return False
        self._management.ok()
        with self._lock:
            self._listed = {name: _listed(self._listed.get(name), row) for name, row in rows.items()}
        return True

    # Count --------------------------------------------------------------------------------------------------------

    def _count_for_ever(self) -> None:
        wait = 0.0
        while not self._stopped.wait(wait):
            connection = self._connected()
            with self._lock:
                followed = list(self._followed.values())
            if connection is not None:
                for item in followed:
                    self._count_once(connection, item)
            wait = max(timing.COUNT_SECONDS, len(followed) / timing.COUNTS_PER_SECOND)

    def _connected(self) -> AmqpConnection | None:
        """The connection when it is usable; makes it the first time. It reads its login at each attempt."""
        connection = self._connection or self._connect()
        if connection.connected:
            self._amqp.ok()
            return connection
        self._amqp.failed(UNREACHABLE, connection.last_sentence)
        return None

    def _connect(self) -> AmqpConnection:
        login = partial(credentials, self._broker)
        connection = AmqpConnection(broker_parameters(self._broker, self._vhost, login, "genpool-operator"))
        connection.declare_exclusive(
            bindings=[(names.EVENTS_EXCHANGE, key) for key in (heartbeats.BINDING, backlogs.BINDING)],
            on_message=self._receive,
        )
        connection.start()
        connection.wait_connected(timing.COUNT_CONNECT_SECONDS)
        self._connection = connection
        return connection

    def _count_once(self, connection: AmqpConnection, followed: Followed) -> None:
        queue = followed.queue
        try:
            count = connection.passive_declare(queue)
        except BrokerError as error:
            _log.debug("count_failed", queue=queue, message=error.message)
            return
        with self._lock:
            before = self._counted.get(queue)
            now = _counted(before, None if count is None else count.ready, self._clock())
            self._counted[queue] = now
        if before is None or before.ready != now.ready:
            # A queue that somebody deleted is made again.
            deleted = before is not None and now.ready is None
            self._on_change(followed.key, deleted)


def _listed(before: Listed | None, row: Listed) -> Listed:
    if not row.ready:
        return row
    since = None if before is None else before.ready_since
    return replace(row, ready_since=since or row.at)


def _counted(before: Counted | None, ready: int | None, now: datetime) -> Counted:
    if ready is None or ready:
        return Counted(now, ready)
    since = None if before is None else before.zero_since
    return Counted(now, 0, since or now)
