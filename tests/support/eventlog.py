"""What the workers of a vhost announce, from the moment on that this listens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pydantic import ValidationError

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import names
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.events import EVENT, AnyEvent, Event
from support.waiting import wait_until

Kind = TypeVar("Kind", bound=Event)


class EventLog:
    """All events, in order of arrival; those sent while the broker is away are lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[AnyEvent] = []
        self.unreadable: list[str] = []

    def take(self, delivery: Delivery) -> None:
        """Note an event. Called in the connection's thread."""
        try:
            event = EVENT.validate_json(delivery.body)
        except ValidationError as error:
            self.unreadable.append(f"{delivery.routing_key}: {error}")
            return
        with self._lock:
            self._events.append(event)

    def of(self, kind: type[Kind], fits: Callable[[Kind], bool]) -> list[Kind]:
        """Events of a kind."""
        with self._lock:
            return [event for event in self._events if isinstance(event, kind) and fits(event)]


@contextmanager
def listening(settings: AmqpParameters, log: EventLog) -> Iterator[None]:
    """Write to ``log`` while the block runs, from its first line on; reconnects when the broker was away."""
    connection = AmqpConnection(settings)
    connection.start()
    try:
        connection.declare_exclusive(bindings=[(names.EVENTS_EXCHANGE, "#")], on_message=log.take)
        wait_until(lambda: connection.consuming, bool, "events to be listened to", seconds=30, pause=0.05)
        yield
    finally:
        connection.stop()
