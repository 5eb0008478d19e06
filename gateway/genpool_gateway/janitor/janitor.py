"""Takes what RabbitMQ dead-lettered by itself, and gives each task its one end.

The order is end record, dead letter, callback message, event, task store, acknowledgement. What comes again after a
crash finds its end, and is announced under the same ids. A message that cannot be settled now stays in hand and
is tried again; others go on.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from genpool_core import names, timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, GenPoolError, Lasts, UnreadableLedger
from genpool_core.ledger.records import EndRecord
from genpool_core.messages import headers
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.base import SCHEMA_VERSION
from genpool_core.messages.copies import bare, copy_of, reason_headers
from genpool_core.tasks.decode import TaskDelivery, Undecodable, decode
from genpool_gateway.janitor.announcer import Announcer
from genpool_gateway.janitor.dead_letters import (
    Announce,
    Hold,
    MakeEnd,
    Origin,
    about_message,
    fate_of,
    origin_of,
)
from genpool_gateway.janitor.ending import end_of
from genpool_gateway.janitor.lanes import Lanes
from genpool_gateway.janitor.ports import JanitorQueue
from genpool_gateway.pools.errors import how_to_list, not_listed
from genpool_gateway.pools.pool import Serving
from genpool_gateway.pools.ports import ListedLedgers
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.tasks.ports import UnendedStore

_log = structlog.get_logger(__name__)
_RETRY = Backoff(timing.END_RETRY_SECONDS, timing.END_RETRY_MOST_SECONDS, spread=0.0)
Own = dict[str, headers.HeaderValue]


class Janitor:
    """Of one vhost. Deliveries are handled in the threads of their pools."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it is put together of
        self,
        place: tuple[str, str],
        queue: JanitorQueue,
        pools: PoolSource,
        stores: ListedLedgers,
        announcer: Announcer,
        unended: UnendedStore,
        lanes: Lanes,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._place = place
        self._queue = queue
        self._pools = pools
        self._stores = stores
        self._announcer = announcer
        self._unended = unended
        self._lanes = lanes
        self._now = now
        self._said: set[tuple[str, str]] = set()

    def start(self) -> None:
        """Begin; returns at once."""
        self._queue.start(self.put)

    def stop(self, deadline: float) -> None:
        """Close, by ``deadline`` in monotonic seconds or soon after it; what is in hand is requeued."""
        self._queue.stop(deadline)

    def put(self, delivery: Delivery) -> None:
        """A delivery came; returns at once."""
        self._hand_over(delivery, 0)

    def _hand_over(self, delivery: Delivery, failures: int) -> None:
        origin = origin_of(delivery.headers)
        lane = "janitor" if origin is None else f"{self._place[1]} {origin.queue}"
        self._lanes.put(lane, partial(self._handle, delivery, origin, failures))

    def _handle(self, delivery: Delivery, origin: Origin | None, failures: int) -> None:
        if not self._queue.holds(delivery):
            return
        try:
            settled = self._settle(delivery, origin)
        except GenPoolError as error:
            log = _log.warning if failures == 0 else _log.debug
            log("dead_letter_not_settled", reason=error.reason, message=error.message)
            self._later(delivery, failures + 1, _RETRY.seconds(failures + 1))
        except Exception:  # noqa: BLE001 - logged with its traceback; the message stays, and others go on
            _log.exception("dead_letter_not_settled")
            self._later(delivery, failures + 1, timing.END_RETRY_MOST_SECONDS)
        else:
            if settled:
                self._queue.ack(delivery)
            else:
                self._later(delivery, 0, timing.PARK_SECONDS)

    def _later(self, delivery: Delivery, failures: int, seconds: float) -> None:
        timer = threading.Timer(seconds, self._hand_over, (delivery, failures))
        timer.daemon = True
        timer.start()

    def _settle(self, delivery: Delivery, origin: Origin | None) -> bool:
        """Whether the message is settled; False: its worker is awaited."""
        if origin is None:
            # Nobody but RabbitMQ has reason to publish here, and it says from which queue a message comes.
            _log.warning("message_dropped", queue=names.JANITOR_QUEUE, message="it came from no queue.")
            return True
        pool = self._pools.snapshot().on_queue(*self._place, origin.queue)
        if pool is None or pool.serving is None:
            text = f"{origin.cause.message} Queue {origin.queue} is no pool's now."
            self._place_only(delivery, origin, "", "QueueUnknown", text)
            self._say_once(origin.queue, "QueueUnknown", text)
            return True
        return self._settle_of_pool(delivery, origin, pool.serving)

    def _settle_of_pool(self, delivery: Delivery, origin: Origin, serving: Serving) -> bool:
        uid, cause = serving.config.pool.uid, origin.cause
        task = decode(delivery, uid)
        if isinstance(task, Undecodable):
            self._place_only(delivery, origin, uid, task.failure.reason, task.failure.message)
        elif not isinstance(task, TaskDelivery):
            self._place_only(delivery, origin, uid, cause.reason, cause.message)
        elif (ledger := self._stores.ledger(serving.config)) is None:
            text = (
                f"{cause.message} It has no end record: {not_listed(serving.config.store)}. "
                f"{how_to_list(serving.config.store)}."
            )
            self._place_only(delivery, origin, uid, "StoreNotListed", text)
            self._say_once(origin.queue, "StoreNotListed", text)
        else:
            try:
                state = ledger.read(task.ref.key, task.ref.run)
            except UnreadableLedger as error:
                self._place_only(delivery, origin, uid, error.reason, error.message)
                return True
            match fate_of(state.claims, state.end, state.ages, redelivered=delivery.redelivered):
                case Announce(end, place):
                    self._finish(task, serving, end, place=place)
                case Hold():
                    return False
                case MakeEnd():
                    about = about_message(task, serving, self._now())
                    made = end_of(task.ref, cause, about, state.claims, uuid.uuid4().hex, self._now())
                    end = ledger.end(made)
                    self._finish(task, serving, end, place=end.nonce == made.nonce)
        return True

    def _finish(self, task: TaskDelivery, serving: Serving, end: EndRecord, *, place: bool) -> None:
        if place:
            own: Own = {
                **reason_headers(end.reason, end.message, attempts=len(end.attempts)),
                headers.TASK_KEY: end.task_key,
                headers.RUN: end.run,
                headers.ENDED_AT: end.ended_at.isoformat(),
            }
            self._copy(task.delivery, serving.config.dead_queue, own, serving.config.pool.uid)
        if not end.worker and end.callback_url is None:
            # The gateway had ended it without its message.
            callback = about_message(task, serving, self._now()).callback_url
            end = end.model_copy(update={"callback_url": callback})
        self._unended.message_dropped([end.task_key])
        self._announcer.announce(serving, end)
        _log.info("task_ended", task_key=end.task_key, run=end.run, outcome=end.outcome, reason=end.reason)

    def _place_only(self, delivery: Delivery, origin: Origin, uid: str, reason: str, message: str) -> None:
        """A message that gets no end record goes to the dead letters of its queue with a reason."""
        own: Own = {
            **reason_headers(reason, message, attempts=0),
            headers.ENDED_AT: self._now().isoformat(),
        }
        self._copy(delivery, names.dead_queue(origin.queue), own, uid)

    def _copy(self, delivery: Delivery, queue: str, own: Own, uid: str) -> None:
        message = copy_of(delivery, "", queue, {headers.SCHEMA: SCHEMA_VERSION, **own}, pool_uid=uid)
        try:
            self._queue.publish(message)
        except BrokerError as error:
            if error.lasts is not Lasts.NEVER:
                raise
            _log.warning("copy_refused", message=error.message, target=message.target)
            self._queue.publish(bare(message))

    def _say_once(self, queue: str, reason: str, message: str) -> None:
        if (queue, reason) not in self._said:
            self._said.add((queue, reason))
            _log.warning("dead_letters_without_end", queue=queue, reason=reason, message=message)
