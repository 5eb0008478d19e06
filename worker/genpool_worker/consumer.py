"""The worker's main loop: one delivery after the other, and none while something that it needs is away."""

from __future__ import annotations

import queue
import threading

import structlog

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import BrokerError, InvalidMessage, SettingsError, StorageError
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.faults import FaultCounter
from genpool_core.tasks.decode import Decoded, TaskDelivery, Undecodable, decode
from genpool_worker.drain import Drain
from genpool_worker.errors import HandBack, NoCopy, Refused
from genpool_worker.pipeline.process import OWN_FAULT, Processor
from genpool_worker.ports import Broker, Clock, Consumption, Metrics
from genpool_worker.preconditions import Preconditions
from genpool_worker.status import Waits, WorkerStatus

_log = structlog.get_logger(__name__)
_REPEAT_CHECKS = 60
_STORE = Backoff(timing.OUTAGE_FIRST_SECONDS, timing.OUTAGE_LONGEST_SECONDS, spread=0.0)
#: Between hand-backs without a task in between: RabbitMQ counts them, and dead-letters what came too often.
_HAND_BACK = Backoff(timing.CLOSED_SECONDS, timing.FAULT_SECONDS, spread=0.0)


class Inbox:
    """Where the connection's thread leaves deliveries."""

    def __init__(self) -> None:
        self._items: queue.Queue[Delivery | None] = queue.Queue()

    def put(self, delivery: Delivery) -> None:
        """Called by the connection's thread; returns at once."""
        self._items.put(delivery)

    def wake(self) -> None:
        """End a wait."""
        self._items.put(None)

    def take(self, seconds: float) -> Delivery | None:
        """The next delivery, or None after so long, or when woken."""
        try:
            return self._items.get(timeout=seconds) if seconds > 0 else self._items.get_nowait()
        except queue.Empty:
            return None


class TaskConsumer:
    """Runs in a thread of its own until the drain begins."""

    def __init__(  # noqa: PLR0913 - the parts that it joins
        self,
        *,
        inbox: Inbox,
        consumption: Consumption,
        broker: Broker,
        processor: Processor,
        preconditions: Preconditions,
        status: WorkerStatus,
        drain: Drain,
        metrics: Metrics,
        clock: Clock,
        pool_uid: str,
    ) -> None:
        self._inbox = inbox
        self._consumption = consumption
        self._broker = broker
        self._processor = processor
        self._preconditions = preconditions
        self._status = status
        self._drain = drain
        self._metrics = metrics
        self._clock = clock
        self._pool_uid = pool_uid
        self._faults = FaultCounter()
        self._refusal: Waits | None = None
        self._refused_until = float("-inf")
        self._handed_back = 0
        self._lock = threading.Lock()
        self._busy = False
        self._told: Waits | None = None
        self._closed_checks = 0

    @property
    def busy(self) -> bool:
        """Whether a delivery is being worked on. After a drain began it never becomes true again."""
        with self._lock:
            return self._busy

    def run(self) -> None:
        """Work until the drain begins and the delivery in hand has ended.

        Raises
        ------
        SettingsError
            The store is not safe.
        """
        open_ = False
        while not self._drain.active:
            delivery = self._inbox.take(timing.CHECK_SECONDS if open_ else 0)
            open_ = not self._drain.active and self._keep_open(self._trouble())
            if delivery is not None:
                if open_ and self._begin():
                    self._work(delivery)
                else:
                    self._not_begun(delivery)
            if not open_:
                self._drain.rest(timing.CLOSED_SECONDS)
        # The drain may have begun while consumption was being turned on.
        self.stop_consuming()
        self.empty()

    def stop_consuming(self) -> None:
        """Have the broker deliver no more. Never raises: where it is away, it delivers nothing either."""
        try:
            self._consumption.pause()
        except BrokerError as error:
            _log.info("broker_not_paused", message=error.message)

    def empty(self) -> None:
        """Give back what was delivered and not begun."""
        while (delivery := self._inbox.take(0)) is not None:
            self._requeue(delivery)

    def _trouble(self) -> Waits | None:
        """What stands against taking a task. What there is no use in waiting for is told before the worker ends."""
        if self._clock.monotonic() < self._refused_until:
            return self._refusal
        try:
            found = self._preconditions.trouble()
        except SettingsError as error:
            self._status.wait_for(Waits(error.reason, error.message))
            raise
        sentence = self._consumption.trouble() if found is None else None
        return found if sentence is None else Waits(BrokerError.reason, sentence)

    def _keep_open(self, trouble: Waits | None) -> bool:
        """Consume when nothing stands against it, and say so when that changes."""
        try:
            if trouble is None:
                self._consumption.resume()
                if self._status.snapshot.state != "idle":
                    _log.info("worker_ready")
                    self._status.set("idle")
                self._told = None
                return True
            self._consumption.pause()
        except BrokerError as error:
            trouble = trouble or Waits(error.reason, error.message)
        self._tell(trouble)
        return False

    def _tell(self, trouble: Waits) -> None:
        self._status.wait_for(trouble)
        self._closed_checks += 1
        if trouble != self._told or self._closed_checks % _REPEAT_CHECKS == 0:
            self._told = trouble
            _log.warning("worker_waits", reason=trouble.reason, message=trouble.message)

    def _begin(self) -> bool:
        with self._lock:
            self._busy = not self._drain.active
            return self._busy

    def _work(self, delivery: Delivery) -> None:
        """Bring a delivery to its end, or hand it back. Raises nothing, whatever the delivery holds."""
        try:
            self._process(self._decoded(delivery))
            self._handed_back = 0
        except StorageError:
            self._requeue(delivery)
        except HandBack as reason:
            _log.info("message_handed_back", message=reason.message)
            self._requeue(delivery)
        except NoCopy as error:
            # The message's own fault: other tasks go on. RabbitMQ's delivery limit ends it; a reject would delete it
            # where the queue has no dead-letter target.
            _log.error("message_not_copied", reason=error.reason, message=error.message)
            self._drain.rest(timing.FAULT_SECONDS)
            self._requeue(delivery)
        except Refused as error:
            self._close(error)
            self._requeue(delivery)
        except Exception:  # noqa: BLE001 - logged with its traceback; the loop must live
            _log.exception("message_not_handled")
            self._after_fault(delivery)
        finally:
            with self._lock:
                self._busy = False
            # Never idle in between: that would say that what failed works again.
            if self._status.snapshot.waits is None:
                self._after_work()

    def _after_work(self) -> None:
        known = self._preconditions.known()
        if known is None or self._drain.active:
            self._status.set("idle")
        else:
            self._status.wait_for(known)

    def _decoded(self, delivery: Delivery) -> Decoded:
        try:
            return decode(delivery, self._pool_uid)
        except Exception:  # noqa: BLE001 - handed back it would come again for ever
            _log.exception("message_not_decoded")
            return Undecodable(delivery, InvalidMessage(OWN_FAULT, reason="InternalError"))

    def _process(self, decoded: Decoded) -> None:
        """Process a delivery. A store that fails before the claim is tried again for a while, with the task in hand."""
        if self._processor.put_off(decoded):
            return
        key = decoded.ref.key if isinstance(decoded, TaskDelivery) else None
        give_up = self._clock.monotonic() + timing.STORE_HOLD_SECONDS
        failures = 0
        while True:
            self._status.set("busy", key)
            try:
                self._processor.process(decoded)
            except StorageError as error:
                failures += 1
                _log.warning("store_failed", message=error.message)
                self._preconditions.suspect_store()
                self.stop_consuming()
                self._tell(Waits(error.reason, error.message))
                if self._clock.monotonic() >= give_up:
                    raise
                self._drain.rest(_STORE.seconds(failures))
                if self._drain.active:
                    raise
            else:
                return

    def _close(self, error: Refused) -> None:
        """Take nothing for a while: what is refused now would be refused for the next task too."""
        _log.error("end_refused", reason=error.reason, message=error.message)
        self._refusal = Waits(error.reason, error.message)
        self._refused_until = self._clock.monotonic() + timing.REFUSED_SECONDS
        self.stop_consuming()
        self._tell(self._refusal)

    def _after_fault(self, delivery: Delivery) -> None:
        """Hand back after a pause, with the message in hand; one that tripped us often becomes a dead letter."""
        if self._faults.add(delivery):
            try:
                self._processor.process(
                    Undecodable(delivery, InvalidMessage(OWN_FAULT, reason="InternalError"))
                )
            except Exception:  # noqa: BLE001 - logged with its traceback; it is handed back
                _log.exception("message_not_rejected")
            else:
                return
        self._drain.rest(timing.FAULT_SECONDS)
        self._requeue(delivery)

    def _not_begun(self, delivery: Delivery) -> None:
        """Hand back what came while something was away: at once the first time, then more and more slowly."""
        if self._handed_back:
            self._drain.rest(_HAND_BACK.seconds(self._handed_back))
        self._handed_back += 1
        self._requeue(delivery)

    def _requeue(self, delivery: Delivery) -> None:
        self._metrics.message("handed_back")
        try:
            self._broker.requeue(delivery)
        except BrokerError as error:
            # Its connection is gone or going, and with it the delivery: the broker has it back.
            _log.info("hand_back_unneeded", message=error.message)
