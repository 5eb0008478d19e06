"""The newest heartbeat of every worker, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from pydantic import ValidationError

from genpool_core import names, timing
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.events import UnavailableWorkflow, WorkerHeartbeat
from genpool_operator.decide.workers import WorkerView, heard

_log = structlog.get_logger(__name__)
#: What stands in a condition must not grow with what a worker says.
_REASON_MAX, _MESSAGE_MAX, _WORKFLOWS_MAX = 64, 1024, 32
#: Routing key of all pools' heartbeats: ``<pool uid>.worker.heartbeat``.
BINDING = names.event_routing_key("*", "worker.heartbeat")


class Heartbeats:
    """States of workers by pool and pod. ``on_change(pool uid)`` is called when one of them changes."""

    def __init__(self, clock: Callable[[], datetime], on_change: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._states: dict[str, dict[str, WorkerView]] = {}

    def of(self, uid: str) -> Mapping[str, WorkerView]:
        """States of a pool's workers, by pod."""
        with self._lock:
            return dict(self._states.get(uid, {}))

    def forget(self, uid: str) -> None:
        """A pool is gone."""
        with self._lock:
            self._states.pop(uid, None)

    def receive(self, delivery: Delivery) -> None:
        """Take in a message. It is believed only from the pool's own users, whose names the broker has checked."""
        try:
            beat = WorkerHeartbeat.model_validate_json(delivery.body)
        except ValidationError:
            _log.debug("heartbeat_unreadable", routing_key=delivery.routing_key)
            return
        uid = beat.pool.uid
        if names.pool_of_user(delivery.properties.user_id) != uid:
            _log.warning("heartbeat_not_believed", pool=uid, user_id=delivery.properties.user_id)
            return
        now = self._clock()
        with self._lock:
            workers = self._states.setdefault(uid, {})
            before = workers.get(beat.worker)
            state = heard(before, _view(beat, now))
            workers[beat.worker] = state
            for name in [
                name
                for name, old in workers.items()
                if now - old.heard_at > timedelta(seconds=timing.HEARTBEAT_FORGET_SECONDS)
            ]:
                del workers[name]
        if before is None or _essence(before) != _essence(state):
            self._on_change(uid)


def _essence(state: WorkerView) -> object:
    return state.state, state.reason, state.unavailable


def _view(beat: WorkerHeartbeat, now: datetime) -> WorkerView:
    told = beat.unavailable_workflows
    return WorkerView(
        beat.state,
        beat.since,
        now,
        beat.task_key,
        reason=(beat.reason or "")[:_REASON_MAX] or None,
        message=(beat.message or "")[:_MESSAGE_MAX],
        unavailable=None if told is None else tuple(_short(item) for item in told[:_WORKFLOWS_MAX]),
        wedged_seconds=beat.wedged_seconds,
        wedged_times=beat.wedged_times,
    )


def _short(item: UnavailableWorkflow) -> UnavailableWorkflow:
    return UnavailableWorkflow(
        workflow=item.workflow[:_MESSAGE_MAX],
        reason=item.reason[:_REASON_MAX] or "Unavailable",
        message=item.message[:_MESSAGE_MAX],
    )
