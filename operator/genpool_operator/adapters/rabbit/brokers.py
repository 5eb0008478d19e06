"""All brokers and their vhosts; see the port."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from genpool_core import names
from genpool_core.api.pool import GenerationPool
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import BrokerError
from genpool_operator.adapters.rabbit.facts import read_facts
from genpool_operator.adapters.rabbit.management import ManagementApi
from genpool_operator.adapters.rabbit.steps import take
from genpool_operator.adapters.rabbit.vhost import Followed, OnChange, VhostReader
from genpool_operator.decide.topology import Step, VhostFacts
from genpool_operator.ports import QueueAnswers

#: The topology is looked at again after this, and drift repaired.
FACTS_FOR = timedelta(seconds=60)
#: While something is wrong; short, but a broker that does not answer is not asked by every pool in turn.
UNSETTLED_FOR = timedelta(seconds=4)
Key = tuple[str, str]


@dataclass
class _Vhost:
    """One vhost: its reader, its management session, and what was last seen of its topology."""

    reader: VhostReader
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
        self._vhosts: dict[Key, _Vhost] = {}

    def stop(self) -> None:
        """End all threads and connections."""
        with self._lock:
            vhosts = list(self._vhosts.values())
        for vhost in vhosts:
            if vhost.started:
                vhost.reader.stop()
            vhost.api.close()

    def follow(self, broker: BrokerConfig, pool: GenerationPool) -> None:
        """Read the queues of this pool from now on."""
        queue = pool.spec.queue.name
        vhost = self._vhost(broker, pool.spec.broker.vhost)
        vhost.reader.follow(pool.metadata.uid, Followed(queue, names.dead_queue(queue)))

    def forget(self, uid: str) -> None:
        """Stop reading a pool's queues."""
        with self._lock:
            vhosts = list(self._vhosts.values())
        for vhost in vhosts:
            vhost.reader.forget(uid)

    def answers(self, broker: BrokerConfig, pool: GenerationPool) -> QueueAnswers:
        """The newest answers; asks nothing itself."""
        return self._vhost(broker, pool.spec.broker.vhost).reader.answers(pool.metadata.uid)

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
            lifetime = FACTS_FOR if settled and isinstance(seen, VhostFacts) else UNSETTLED_FOR
            if seen is None or entry.seen_at is None or now - entry.seen_at > lifetime:
                try:
                    seen = read_facts(entry.api, vhost)
                except BrokerError as error:
                    seen = error
                entry.seen, entry.seen_at = seen, now
                self._start(entry, seen)
            if isinstance(seen, BrokerError):
                raise BrokerError(seen.message, reason=seen.reason)
            return seen

    def provision(self, broker: BrokerConfig, vhost: str, steps: Sequence[Step]) -> None:
        """Take the steps, in order.

        Raises
        ------
        BrokerError
            One failed; those after it were not taken.
        """
        entry = self._vhost(broker, vhost)
        with entry.lock:
            entry.seen = None
            for step in steps:
                take(entry.api, vhost, step)

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
                reader = VhostReader(broker, vhost, self._clock, partial(self._changed, broker.name, vhost))
                entry = self._vhosts[broker.name, vhost] = _Vhost(reader, ManagementApi(broker))
            return entry

    def _changed(self, broker: str, vhost: str, uid: str, whole: bool) -> None:  # noqa: FBT001 - a callback
        """Something happened to a pool's queues; ``whole``: its topology is not what we have seen."""
        if whole:
            self._vhosts[broker, vhost].seen = None
        self._on_change(uid, whole)

    @staticmethod
    def _start(entry: _Vhost, seen: VhostFacts | BrokerError) -> None:
        """Connect only to a vhost that is there; a broker that does not answer is to be reported by the reader."""
        there = isinstance(seen, BrokerError) or seen.exists
        if there and not entry.started:
            entry.started = True
            entry.reader.start()
