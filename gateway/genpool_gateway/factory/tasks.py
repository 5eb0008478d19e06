"""Tasks: what works on them and the API, in the order in which they start and stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from genpool_core import timing
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import TaskStoreError
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.api.server import ApiServer
from genpool_gateway.factory.api import build_server
from genpool_gateway.factory.callbacks import Place
from genpool_gateway.factory.task_parts import TaskParts, build_parts
from genpool_gateway.settings import GatewaySettings
from genpool_gateway.store.preparation import Preparation


@dataclass(frozen=True)
class Tasks:
    """What runs for tasks."""

    parts: TaskParts
    server: ApiServer
    preparation: Preparation

    def start(self) -> None:
        """Start all threads; what needs the store begins when it is open. Returns at once."""
        self.parts.pools.start()
        self.parts.store_watch.thread.start()
        for connection in self.parts.publishing.values():
            connection.start()
        self.parts.limits.start()
        self.server.start()
        self.preparation.start()

    def stop(self, deadline: float) -> None:
        """Answer what is in hand, by ``deadline`` in monotonic seconds; what was not acknowledged comes again."""

        def left() -> float:
            return max(0.5, deadline - time.monotonic())

        parts = self.parts
        self.server.stop(left())
        parts.limits.stop(left())
        parts.inputs.stop()
        parts.store_watch.thread.stop(timing.GATEWAY_CLOSE_SECONDS)
        self.preparation.stop(left())
        if self.preparation.begun:
            parts.acceptor.stop(left())
            parts.endings.stop(deadline)
            parts.erasing.housekeeping.stop(left())
            parts.figures.sampling.stop(left())
            parts.rebuilding.stop(left())
            parts.events.stop(deadline)
        for connection in parts.publishing.values():
            connection.stop(timing.GATEWAY_CLOSE_SECONDS)
        parts.pools.stop()

    def close(self) -> None:
        """Close the store, when nobody asks it any more."""
        self.parts.store.close()

    def unready(self) -> str | None:
        """Why no task is accepted now; None when tasks are."""
        return (
            self.server.unready()
            or self._store_trouble()
            or self.parts.pools.trouble()
            or self._broker_trouble()
        )

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        checks = [self.server.unhealthy, self.preparation.unhealthy, self.parts.store_watch.thread.unhealthy]
        if self.preparation.begun:
            checks += [self.parts.acceptor.unhealthy, self.parts.endings.unhealthy]
            checks += [self.parts.erasing.housekeeping.unhealthy, self.parts.figures.sampling.unhealthy]
            checks += [self.parts.rebuilding.unhealthy, self.parts.events.unhealthy]
        return next((trouble for check in checks if (trouble := check()) is not None), None)

    def _store_trouble(self) -> str | None:
        try:
            self.preparation.check()
            self.parts.store.check()
        except TaskStoreError as error:
            return error.message
        return None

    def _broker_trouble(self) -> str | None:
        """While one vhost works, the others' trouble is told by the answers for its pools."""
        connections = self.parts.publishing.values()
        troubles = [None if one.connected or one.vhost_missing else one.last_sentence for one in connections]
        return None if None in troubles else next(iter(troubles), None)


def build_tasks(
    settings: GatewaySettings,
    brokers: Sequence[BrokerConfig],
    place: Place,
    metrics: GatewayMetrics,
    now: Callable[[], datetime],
) -> Tasks:
    """Put them together. Connects to nothing, and takes the API's port.

    Raises
    ------
    SettingsError
        It cannot work as it is set up.
    """
    parts = build_parts(settings, brokers, place, metrics, now)

    def begin() -> None:
        parts.events.start()
        parts.rebuilding.start()
        parts.store.database.subscribe(parts.hub.look, parts.hub.look_all)
        parts.acceptor.start()
        parts.endings.start()
        parts.erasing.housekeeping.start()
        parts.figures.sampling.start()

    preparation = Preparation(parts.store.prepare, begin)
    return Tasks(parts, build_server(settings, parts, preparation.check, metrics.api, now), preparation)
