"""The newest backlog of every pool that a gateway has told of, kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from pydantic import ValidationError

from genpool_core import names
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.events import GatewayBacklog
from genpool_operator.decide.backlog import Backlog

_log = structlog.get_logger(__name__)
_EVENT = "gateway.backlog"
#: Routing key of all pools' backlogs: ``<pool uid>.gateway.backlog``.
BINDING = names.event_routing_key("*", _EVENT)


def is_backlog(delivery: Delivery) -> bool:
    """Whether a message came by our binding."""
    return delivery.routing_key.endswith(f".{_EVENT}")


class Backlogs:
    """Figures by pool. ``on_change(pool uid)`` is called when one of them changes."""

    def __init__(self, clock: Callable[[], datetime], on_change: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._lock = threading.Lock()
        self._newest: dict[str, Backlog] = {}

    def of(self, uid: str) -> Backlog | None:
        """What was said last of a pool, however long ago."""
        with self._lock:
            return self._newest.get(uid)

    def forget(self, uid: str) -> None:
        """A pool is gone."""
        with self._lock:
            self._newest.pop(uid, None)

    def receive(self, delivery: Delivery) -> None:
        """Take in a message. It is believed only from a gateway's user, whose name the broker has checked."""
        try:
            said = GatewayBacklog.model_validate_json(delivery.body)
        except ValidationError:
            _log.debug("backlog_unreadable", routing_key=delivery.routing_key)
            return
        uid = said.pool.uid
        if not names.is_gateway_user(delivery.properties.user_id):
            _log.warning("backlog_not_believed", pool=uid, user_id=delivery.properties.user_id)
            return
        with self._lock:
            before = self._newest.get(uid)
            now = self._clock()
            self._newest[uid] = (
                Backlog(said.cancelled, now) if before is None else before.followed_by(said.cancelled, now)
            )
        if said.cancelled != (0 if before is None else before.cancelled):
            self._on_change(uid)
