"""Consumes one intake: decides for each message, publishes what follows, and acknowledges when that is confirmed.

One thread does all of it. Confirmations are pipelined, and order is kept: messages of one pool are in its work queue as
they came, except for those that a queue or a connection refused. It needs nothing of the task store.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.copies import bare
from genpool_core.messages.faults import FaultCounter
from genpool_gateway.intake.behind import Behind
from genpool_gateway.intake.flights import Flight, Next, after_failure, overdue
from genpool_gateway.intake.messages import message_for, rejected_event
from genpool_gateway.intake.ports import IntakeCounts, IntakeQueue
from genpool_gateway.intake.room import Rooms
from genpool_gateway.intake.route import Decision, Publish, PutAside, Refuse, put_aside, route

_log = structlog.get_logger(__name__)
#: Messages that the broker gives out ahead; all may be large. More would not be faster: a confirmation takes a moment.
WINDOW = 64
#: Messages that are published in one go.
_GROUP = 32
_RETRY = Backoff(timing.INTAKE_RETRY_SECONDS, timing.INTAKE_RETRY_MOST_SECONDS, spread=0.0)
OWN_FAULT = "the gateway met a fault of its own: its log has the traceback. Please report it."


@dataclass(frozen=True)
class _Ended:
    """The broker has answered for a message."""

    number: int
    error: BaseException | None


@dataclass(frozen=True)
class _Lost:
    """The connection that brought the deliveries is gone, and they come again."""


class IntakeConsumer:
    """See the module. ``behind`` may be replaced at any time, by :meth:`update`."""

    def __init__(
        self, queue_: IntakeQueue, behind: Behind, metrics: IntakeCounts, *, now: Callable[[], datetime]
    ) -> None:
        self._queue = queue_
        self._behind = behind
        self._metrics = metrics
        self._now = now
        self._clock: Callable[[], float] = time.monotonic
        self._rooms = Rooms(queue_.waiting)
        self._faults = FaultCounter()
        self._inbox: queue.Queue[Delivery | _Ended | _Lost | None] = queue.Queue()
        self._waiting: deque[Delivery] = deque()
        self._flights: dict[int, Flight] = {}
        self._again: deque[Flight] = deque()
        self._later: list[tuple[float, Flight]] = []
        self._number = 0
        self._confirmed_at = 0.0
        self._outages = 0
        self._pause_until = 0.0
        self._told: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"intake {behind.queue}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()
        self._queue.start(self._inbox.put, lambda: self._inbox.put(_Lost()))

    def update(self, behind: Behind) -> None:
        """Other pools are behind the intake from now on."""
        self._behind = behind

    def begin_stop(self) -> None:
        """Take no more messages."""
        self._stopping.set()
        self._inbox.put(None)

    def stop(self, seconds: float) -> None:
        """Wait for what is on its way, and close; the broker requeues the rest. Call :meth:`begin_stop` before."""
        deadline = time.monotonic() + seconds
        try:
            self._queue.pause()
        except BrokerError as error:
            _log.info("intake_not_paused", intake=self._behind.queue, message=error.message)
        self._thread.join(max(0.0, deadline - time.monotonic() - timing.GATEWAY_CLOSE_SECONDS))
        self._queue.stop(max(timing.GATEWAY_CLOSE_SECONDS, deadline - time.monotonic()))

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        alive = self._thread.is_alive() or self._stopping.is_set()
        return None if alive else f"the thread of intake {self._behind.queue} has ended: see the log."

    # In the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not (self._stopping.is_set() and not self._flights):
            try:
                self._step(self._items())
            except Exception:  # noqa: BLE001 - logged with its traceback; the thread must live
                _log.exception("intake_failed", intake=self._behind.queue)
                self._stopping.wait(timing.INTAKE_RETRY_SECONDS)

    def _items(self) -> list[Delivery | _Ended | _Lost | None]:
        """What came; at the latest after a moment, so that what is overdue is seen."""
        found = []
        with suppress(queue.Empty):
            found.append(self._inbox.get(timeout=timing.INTAKE_IDLE_SECONDS))
            while len(found) < WINDOW:
                found.append(self._inbox.get_nowait())
        return found

    def _step(self, items: Sequence[Delivery | _Ended | _Lost | None]) -> None:
        confirmed: list[Flight] = []
        for item in items:
            if isinstance(item, Delivery):
                self._waiting.append(item)
            elif isinstance(item, _Lost):
                self._forget()
            elif item is not None:
                self._ended(item, confirmed)
        self._settle(confirmed)
        self._give_up_overdue()
        if not self._stopping.is_set():
            self._publish_next()

    def _forget(self) -> None:
        """What is on its way may still arrive: it is the same task when it comes again."""
        self._waiting.clear()
        self._again.clear()
        self._later.clear()
        for flight in self._flights.values():
            flight.lost = True

    # Publishing -----------------------------------------------------------------------------------------------------

    def _publish_next(self) -> None:
        now = self._clock()
        if now < self._pause_until or not self._queue.connected:
            return
        self._again.extend(flight for at, flight in self._later if at <= now)
        self._later = [(at, flight) for at, flight in self._later if at > now]
        if self._again:
            if not self._flights:
                self._launch([self._again.popleft()], alone=True)
            return
        group = [self._waiting.popleft() for _ in range(min(_GROUP, len(self._waiting)))]
        self._launch([flight for each in group if (flight := self._flight(each)) is not None])
        if self._waiting:
            self._inbox.put(None)

    def _launch(self, flights: Sequence[Flight], *, alone: bool = False) -> None:
        if not flights:
            return
        now = self._clock()
        for flight, future in zip(
            flights, self._queue.publish([flight.message for flight in flights]), strict=True
        ):
            self._number += 1
            flight.sent_at, flight.alone = now, alone
            self._flights[self._number] = flight
            future.add_done_callback(self._listener(self._number))

    def _listener(self, number: int) -> Callable[[Future[None]], None]:
        return lambda done: self._inbox.put(_Ended(number, done.exception()))

    def _flight(self, delivery: Delivery) -> Flight | None:
        """The message that follows from a delivery; None where it was given back."""
        new_id = str(uuid.uuid4())
        try:
            return self._prepared(delivery, self._decide(delivery), new_id)
        except Exception:  # noqa: BLE001 - one message must not stop the others
            _log.exception("intake_message_failed", intake=self._behind.queue)
        if not self._faults.add(delivery):
            self._queue.requeue(delivery)
            return None
        try:
            return self._prepared(delivery, Refuse("InternalError", OWN_FAULT), new_id)
        except Exception:  # noqa: BLE001 - not even its dead letter can be made: the broker has the message as it came
            _log.exception("intake_message_rejected", intake=self._behind.queue)
            self._queue.reject(delivery)
            return None

    def _decide(self, delivery: Delivery) -> Decision:
        decision = route(delivery, self._behind, self._now())
        return self._rooms.admit(decision, self._clock()) if isinstance(decision, Publish) else decision

    def _prepared(self, delivery: Delivery, decision: Decision, new_id: str) -> Flight:
        message = message_for(decision, delivery, self._behind.queue, self._now(), new_id=new_id)
        return Flight(delivery, decision, message, new_id)

    # Afterwards -----------------------------------------------------------------------------------------------------

    def _ended(self, ended: _Ended, confirmed: list[Flight]) -> None:
        flight = self._flights.pop(ended.number, None)
        if flight is None:
            return
        if ended.error is None:
            self._outages = 0
            self._confirmed_at = max(self._confirmed_at, flight.sent_at)
            confirmed.append(flight)
        else:
            self._failed(flight, ended.error)

    def _settle(self, confirmed: Sequence[Flight]) -> None:
        if not confirmed:
            return
        self._queue.ack([flight.delivery for flight in confirmed])
        events = []
        for flight in confirmed:
            self._tell(flight.decision)
            if isinstance(flight.decision, Refuse):
                events.append(rejected_event(flight.decision, self._now()))
        self._queue.publish([event for event in events if event is not None])

    def _failed(self, flight: Flight, cause: BaseException) -> None:
        if flight.lost:
            return
        error = cause if isinstance(cause, BrokerError) else BrokerError(f"not published: {cause}")
        following = after_failure(error, flight)
        # In an outage all that is on its way fails, of which one is told.
        if following is not Next.AGAIN or self._clock() >= self._pause_until:
            _log.warning(
                "intake_publish_failed",
                intake=self._behind.queue,
                reason=error.reason,
                message=error.message,
                following=following.name.lower(),
            )
        flight.failures += 1
        match following:
            case Next.AGAIN:
                self._outage()
                self._again.append(flight)
            case Next.LATER:
                self._later.append((self._clock() + _RETRY.seconds(flight.failures), flight))
            case Next.BARE:
                self._launch([replace(flight, message=bare(flight.message), bare=True)])
            case Next.REJECT:
                self._queue.reject(flight.delivery)
            case Next.ASIDE:
                self._set_aside(flight, error.message)

    def _outage(self) -> None:
        if self._clock() >= self._pause_until:
            self._outages += 1
            self._pause_until = self._clock() + _RETRY.seconds(self._outages)

    def _set_aside(self, flight: Flight, why: str) -> None:
        if not isinstance(flight.decision, Publish):
            return
        sentence = f"the queue of pool {flight.decision.pool.name} does not take its task: {why}"
        aside = put_aside(flight.decision, "PoolUnavailable", sentence)
        self._launch([self._prepared(flight.delivery, aside, flight.new_id)])

    def _give_up_overdue(self) -> None:
        late = overdue(list(self._flights.values()), self._confirmed_at, self._clock())
        for flight in late:
            number = next(number for number, each in self._flights.items() if each is flight)
            del self._flights[number]
            self._set_aside(flight, "it has not confirmed it in time.")

    def _tell(self, decision: Decision) -> None:
        intake = self._behind.queue
        match decision:
            case Publish(pool=pool):
                self._metrics.routed(pool.name)
                if self._told.pop(pool.name, None) is not None:
                    _log.info("intake_pool_takes_tasks", intake=intake, pool=pool.name)
            case PutAside(pool, reason, sentence):
                self._metrics.put_aside(reason)
                if self._told.get(pool.name) != reason:
                    self._told[pool.name] = reason
                    _log.warning("intake_pool_waits", intake=intake, reason=reason, message=sentence)
            case Refuse(reason, sentence):
                self._metrics.dead(reason)
                _log.warning("message_rejected", intake=intake, reason=reason, message=sentence)
