"""One vhost's topology as it was last read. At most one reading is under way, whoever and however many ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta

from genpool_adapters.management.api import ManagementApi
from genpool_adapters.management.read_topology import read_topology
from genpool_core import timing
from genpool_core.errors import BrokerError
from genpool_core.topology.plan import VhostFacts
from genpool_operator.adapters.rabbit.management_thread import ManagementThread


@dataclass(frozen=True)
class Reading:
    """What a reading brought. It is as old as its first request; the next one is due some time after its end."""

    found: VhostFacts | BrokerError
    asked_at: datetime
    ended_at: datetime

    def is_due(self, now: datetime, *, settled: bool) -> bool:
        """Whether it is time to read again."""
        fine = settled and isinstance(self.found, VhostFacts)
        pause = timing.TOPOLOGY_SECONDS if fine else timing.TOPOLOGY_UNSETTLED_SECONDS
        return now - self.ended_at > timedelta(seconds=pause)

    def serves(self, now: datetime) -> bool:
        """Whether it may stand in while its successor is awaited: a slow answer is no change of the topology."""
        age = now - self.asked_at
        return isinstance(self.found, VhostFacts) and age < timedelta(seconds=timing.TOPOLOGY_EXPIRY_SECONDS)


class VhostTopology:
    """The newest reading. ``on_reading`` gets each, and whether a caller was sent away before it was there."""

    def __init__(
        self,
        vhost: str,
        thread: ManagementThread,
        api: ManagementApi,
        clock: Callable[[], datetime],
        on_reading: Callable[[VhostFacts | BrokerError, bool], None],
    ) -> None:
        self._vhost = vhost
        self._thread = thread
        self._api = api
        self._clock = clock
        self._on_reading = on_reading
        self._lock = threading.Lock()
        self._last: Reading | None = None
        self._under_way: Future[VhostFacts] | None = None
        self._changes = 0
        self._awaited = False

    def forget(self) -> None:
        """The topology was changed: nothing that was asked before counts any more."""
        with self._lock:
            self._last = None
            self._under_way = None
            self._changes += 1

    def facts(self, *, settled: bool) -> VhostFacts:
        """The topology; see ``RabbitBrokers.facts``. Raises BrokerError."""
        now = self._clock()
        with self._lock:
            last = self._last
            if last is not None and not last.is_due(now, settled=settled):
                return _told(last)
            try:
                flight = self._flight()
            except BrokerError as error:
                return _meanwhile(last, now, error)
        try:
            return self._thread.wait(flight)
        except BrokerError as error:
            if flight.done():
                raise _copy(error) from error
            with self._lock:
                if self._last is not None and self._last is not last:
                    return _told(self._last)
                self._awaited = True
            return _meanwhile(last, now, error)

    def _flight(self) -> Future[VhostFacts]:
        """The reading under way; begins one where there is none. The lock is held."""
        if self._under_way is None or self._under_way.done():
            changes = self._changes
            self._under_way = self._thread.submit(lambda: self._read(changes))
        return self._under_way

    def _read(self, changes: int) -> VhostFacts:
        """Read it, in the management thread. Raises BrokerError."""
        asked_at = self._clock()
        found: VhostFacts | BrokerError
        try:
            found = read_topology(self._api, self._vhost)
        except BrokerError as error:
            found = error
        reading = Reading(found, asked_at, self._clock())
        with self._lock:
            awaited, self._awaited = self._awaited, False
            if changes == self._changes:
                self._last = reading
        self._on_reading(found, awaited)
        return _told(reading)


def _meanwhile(last: Reading | None, now: datetime, error: BrokerError) -> VhostFacts:
    """What to go by while the API has not answered: the last reading where it serves, and what it says."""
    if last is None or (isinstance(last.found, VhostFacts) and not last.serves(now)):
        raise _copy(error) from error
    return _told(last)


def _told(reading: Reading) -> VhostFacts:
    if isinstance(reading.found, BrokerError):
        raise _copy(reading.found)
    return reading.found


def _copy(error: BrokerError) -> BrokerError:
    """Of an error that several threads raise, each raises its own."""
    return BrokerError(error.message, reason=error.reason)
