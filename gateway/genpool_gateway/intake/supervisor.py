"""All intakes that pools name now: a consumer for each, made and ended as pools come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from genpool_core import timing
from genpool_gateway.intake.behind import Behind, IntakeName, intakes
from genpool_gateway.intake.consumer import IntakeConsumer
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.source import PoolSource

_log = structlog.get_logger(__name__)
Open = Callable[[IntakeName, Behind], IntakeConsumer | None]
"""A consumer that is not started; None for a vhost that this gateway does not have."""


class Intakes:
    """Compares, again and again, what pools name with what is consumed. Nothing is consumed while pools are unknown."""

    def __init__(self, pools: PoolSource, open_: Open) -> None:
        self._pools = pools
        self._open = open_
        self._seen: PoolDirectory | None = None
        self._running: dict[IntakeName, IntakeConsumer] = {}
        self._elsewhere: set[IntakeName] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intakes", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End all consumers, within so many seconds or soon after."""
        deadline = time.monotonic() + seconds
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        consumers = list(self._running.values())
        for consumer in consumers:
            consumer.begin_stop()
        for consumer in consumers:
            consumer.stop(max(timing.GATEWAY_CLOSE_SECONDS, deadline - time.monotonic()))

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        if not self._thread.is_alive() and not self._stopping.is_set():
            return "the thread that looks after the intakes has ended: see the log."
        with self._lock:
            consumers = list(self._running.values())
        return next((trouble for each in consumers if (trouble := each.unhealthy()) is not None), None)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:  # noqa: BLE001 - logged with its traceback; intakes that run go on
                _log.exception("intakes_not_compared")
            self._stopping.wait(timing.INTAKE_LOOK_SECONDS)

    def look(self) -> None:
        """Compare once."""
        with suppress(PoolsUnknown):
            found = self._pools.snapshot()
            if found is not self._seen:
                self._apply(intakes(found))
                self._seen = found

    def _apply(self, wanted: dict[IntakeName, Behind]) -> None:
        for name in self._running.keys() - wanted.keys():
            self._end(name)
        for name, behind in wanted.items():
            running = self._running.get(name)
            if running is None:
                self._begin(name, behind)
            else:
                running.update(behind)

    def _begin(self, name: IntakeName, behind: Behind) -> None:
        consumer = self._open(name, behind)
        if consumer is None:
            if name not in self._elsewhere:
                self._elsewhere.add(name)
                _log.warning("intake_elsewhere", broker=name[0], vhost=name[1], intake=name[2])
            return
        consumer.start()
        with self._lock:
            self._running[name] = consumer
        _log.info("intake_begun", broker=name[0], vhost=name[1], intake=name[2])

    def _end(self, name: IntakeName) -> None:
        with self._lock:
            consumer = self._running.pop(name)
        consumer.begin_stop()
        consumer.stop(timing.AMQP_STOP_SECONDS)
        _log.info("intake_ended", broker=name[0], vhost=name[1], intake=name[2])
