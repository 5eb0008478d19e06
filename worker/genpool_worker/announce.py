"""What the worker tells others about a task: events, the callback, the dead letter. Builds messages, publishes them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

import structlog

from genpool_core import identity, names
from genpool_core.errors import BrokerError, TaskFailure
from genpool_core.ledger.records import EndRecord
from genpool_core.messages import headers
from genpool_core.messages.base import SCHEMA_VERSION, PoolRef
from genpool_core.messages.callbacks import CallbackMessage, callback_body
from genpool_core.messages.events import (
    Event,
    MessageRejected,
    TaskClaimed,
    TaskEnded,
    TaskProgress,
    TaskRetried,
)
from genpool_core.workerconfig import WorkerConfig
from genpool_worker.ports import Broker, Clock, Message, Outgoing, Store
from genpool_worker.receive import Delivered
from genpool_worker.sender import event_message

_log = structlog.get_logger(__name__)
_MAX_HEADER = 1000
#: An event that is worth waiting for, but not worth a stopped GPU.
_EVENT_SECONDS = 5.0
Offer = Callable[[Event, str], None]


class _About(TypedDict):
    """What the events of a running attempt have in common."""

    pool: PoolRef
    worker: str
    time: datetime
    task_id: str
    task_key: str
    run: int
    attempt: int


class Announcer:
    """Speaks for one worker. Methods that do not say otherwise raise BrokerError until the broker has confirmed."""

    def __init__(
        self, broker: Broker, store: Store, config: WorkerConfig, worker: str, clock: Clock, offer: Offer
    ) -> None:
        self._broker = broker
        self._store = store
        self._config = config
        self._worker = worker
        self._clock = clock
        self._offer = offer

    def claimed(self, task: Delivered, attempt: int, workflow: str | None) -> None:
        """A worker began. Tried once, never raises: a broker that is away must not stop the GPU."""
        event = TaskClaimed(
            id=identity.claim_event_id(task.key, task.run, attempt),
            **self._about(task, attempt),
            workflow=workflow,
        )
        self._try(event, event.type)

    def progress(self, task: Delivered, attempt: int, value: float, node: str | None) -> None:
        """How far it is. Never raises, never waits."""
        event = TaskProgress(
            id=str(uuid.uuid4()),
            **self._about(task, attempt),
            value=value,
            node=node,
        )
        self._offer(event, event.type)

    def retried(self, task: Delivered, attempt: int, failure: TaskFailure, delay_seconds: int) -> None:
        """Another attempt follows. Tried once, never raises: the retry itself is on its way."""
        event = TaskRetried(
            id=str(uuid.uuid4()),
            **self._about(task, attempt),
            reason=failure.reason,
            message=failure.message,
            delay_seconds=delay_seconds,
        )
        self._try(event, event.type)

    def rejected(self, failure: TaskFailure) -> None:
        """A message was no task. Tried once, never raises: the dead letter says it too."""
        event = MessageRejected(
            id=str(uuid.uuid4()),
            pool=self._config.pool,
            worker=self._worker,
            time=self._clock.now(),
            reason=failure.reason,
            message=failure.message,
        )
        self._try(event, event.type)

    def ended(self, end: EndRecord) -> None:
        """The end of a run: the same event however often it is announced, and by whom."""
        event = TaskEnded(
            id=identity.end_id(end.task_key, end.run),
            pool=self._config.pool,
            worker=end.worker,
            time=end.ended_at,
            task_id=end.task_id,
            task_key=end.task_key,
            run=end.run,
            attempt=end.attempt,
            outcome=end.outcome,
            reason=end.reason,
            message=end.message,
            outputs=end.outputs,
        )
        self._broker.publish(event_message(event, event.type))

    def callback(self, end: EndRecord) -> None:
        """Ask the dispatcher to tell the receiver, if there is one. Links are signed anew each time."""
        if end.callback_url is None:
            return
        urls = {output.key: self._store.sign(output.key) for output in end.outputs}
        message = CallbackMessage(
            id=identity.end_id(end.task_key, end.run),
            url=end.callback_url,
            allow=self._config.callback_hosts,
            body=callback_body(end, self._config.pool, urls),
        )
        self._broker.publish(
            Outgoing(
                exchange=names.CALLBACKS_EXCHANGE,
                routing_key=names.CALLBACKS_QUEUE,
                body=message.model_dump_json().encode(),
                message_id=message.id,
                type="callback",
            )
        )

    def dead_letter(self, message: Message, reason: dict[str, headers.HeaderValue]) -> None:
        """Move a message to the dead-letter queue, with why in its headers."""
        own = {headers.SCHEMA: SCHEMA_VERSION, **reason}
        self._broker.publish(again(message, "", self._config.dead_queue, own))

    def _about(self, task: Delivered, attempt: int) -> _About:
        return {
            "pool": self._config.pool,
            "worker": self._worker,
            "time": self._clock.now(),
            "task_id": task.task_id,
            "task_key": task.key,
            "run": task.run,
            "attempt": attempt,
        }

    def _try(self, event: Event, kind: str) -> None:
        try:
            self._broker.publish(event_message(event, kind), timeout=_EVENT_SECONDS)
        except BrokerError as error:
            _log.warning("event_not_sent", type=kind, reason=error.reason, message=error.message)


def again(
    message: Message,
    exchange: str,
    routing_key: str,
    own: dict[str, headers.HeaderValue],
    *,
    new_id: str | None = None,
) -> Outgoing:
    """A message to be published again as it came, with our headers instead of those that it had."""
    return Outgoing(
        exchange=exchange,
        routing_key=routing_key,
        body=message.body,
        headers={**headers.theirs(message.headers), **own},
        message_id=new_id or message.message_id,
        type=message.type,
        content_type=message.content_type,
        priority=message.priority,
        origin=message.origin,
    )


def why(reason: str, message: str, *, attempts: int) -> dict[str, headers.HeaderValue]:
    """The headers that say why a message is a dead letter."""
    return {headers.REASON: reason, headers.MESSAGE: message[:_MAX_HEADER], headers.ATTEMPTS: attempts}
