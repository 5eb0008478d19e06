"""The worker's main loop: one message after the other, and none while something that it needs is away."""

from __future__ import annotations

import queue
import threading
from typing import Protocol

import structlog

from genpool_core.errors import BrokerError, StorageError
from genpool_worker.drain import Drain
from genpool_worker.errors import HandBack
from genpool_worker.gate import Gate
from genpool_worker.handler import Handler
from genpool_worker.metrics import Metrics
from genpool_worker.ports import Broker, Message
from genpool_worker.status import Status

_log = structlog.get_logger(__name__)
CHECK_SECONDS = 2.0
_CLOSED_SECONDS = 0.5
#: After a fault of our own before a claim: the message comes back, and must not come back at once.
_FAULT_SECONDS = 10.0
_REPEAT_CHECKS = 60


class Intake(Protocol):
    """Turns deliveries on and off; both may be called again and again. Raises BrokerError."""

    def trouble(self) -> str | None:
        """Why the broker cannot deliver; None when it can."""

    def pause(self) -> None:
        """Stop deliveries."""

    def resume(self) -> None:
        """Let the broker deliver."""


class Inbox:
    """Where the connection's thread leaves deliveries."""

    def __init__(self) -> None:
        self._items: queue.Queue[Message | None] = queue.Queue()

    def put(self, message: Message) -> None:
        """Called by the connection's thread; returns at once."""
        self._items.put(message)

    def wake(self) -> None:
        """End a wait."""
        self._items.put(None)

    def take(self, seconds: float) -> Message | None:
        """The next delivery, or None after so long, or when woken."""
        try:
            return self._items.get(timeout=seconds) if seconds > 0 else self._items.get_nowait()
        except queue.Empty:
            return None


class Consumer:
    """Runs in a thread of its own until the drain begins."""

    def __init__(  # noqa: PLR0913 - the parts that it joins
        self,
        *,
        inbox: Inbox,
        intake: Intake,
        broker: Broker,
        handler: Handler,
        gate: Gate,
        status: Status,
        drain: Drain,
        metrics: Metrics,
    ) -> None:
        self._inbox = inbox
        self._intake = intake
        self._broker = broker
        self._handler = handler
        self._gate = gate
        self._status = status
        self._drain = drain
        self._metrics = metrics
        self._lock = threading.Lock()
        self._busy = False
        self._told: str | None = None
        self._closed_checks = 0

    @property
    def busy(self) -> bool:
        """Whether a message is being worked on. After a drain began it never becomes true again."""
        with self._lock:
            return self._busy

    def run(self) -> None:
        """Work until the drain begins and the message in hand has ended.

        Raises
        ------
        SettingsError
            The store is not safe.
        """
        open_ = False
        while not self._drain.active:
            message = self._inbox.take(CHECK_SECONDS if open_ else 0)
            open_ = not self._drain.active and self._keep_open(self._gate.trouble() or self._intake.trouble())
            if message is not None:
                if open_ and self._begin():
                    self._work(message)
                else:
                    self._hand_back(message)
            if not open_:
                self._drain.rest(_CLOSED_SECONDS)
        # The drain may have begun while consumption was being turned on.
        self.stop_consuming()
        self.empty()

    def stop_consuming(self) -> None:
        """Have the broker deliver no more. Never raises: where it is away, it delivers nothing either."""
        try:
            self._intake.pause()
        except BrokerError as error:
            _log.info("broker_not_paused", message=error.message)

    def empty(self) -> None:
        """Give back what was delivered and not begun."""
        while (message := self._inbox.take(0)) is not None:
            self._hand_back(message)

    def _keep_open(self, trouble: str | None) -> bool:
        """Consume when nothing stands against it, and say so when that changes."""
        try:
            if trouble is None:
                self._intake.resume()
                if self._status.snapshot.state != "idle":
                    _log.info("worker_ready")
                    self._status.set("idle")
                self._told = None
                return True
            self._intake.pause()
        except BrokerError as error:
            trouble = trouble or error.message
        self._tell(trouble)
        return False

    def _tell(self, trouble: str) -> None:
        if self._status.snapshot.state != "starting":
            self._status.set("unready")
        self._closed_checks += 1
        if trouble != self._told or self._closed_checks % _REPEAT_CHECKS == 0:
            self._told = trouble
            _log.warning("worker_waits", message=trouble)

    def _begin(self) -> bool:
        with self._lock:
            self._busy = not self._drain.active
            return self._busy

    def _work(self, message: Message) -> None:
        self._status.set("busy", self._handler.key_of(message))
        try:
            self._handler.handle(message)
        except StorageError as error:
            _log.warning("store_failed", message=error.message)
            self._gate.suspect_store()
            self._intake.pause()
            self._hand_back(message)
        except HandBack as reason:
            _log.info("message_handed_back", message=reason.message)
            self._hand_back(message)
        except Exception:  # noqa: BLE001 - logged with its traceback; the loop must live
            _log.exception("message_not_handled")
            self._hand_back(message)
            self._drain.rest(_FAULT_SECONDS)
        finally:
            with self._lock:
                self._busy = False
            self._status.set("idle")

    def _hand_back(self, message: Message) -> None:
        self._metrics.message("handed_back")
        try:
            self._broker.hand_back(message)
        except BrokerError as error:
            # Its connection is gone or going, and with it the delivery: the broker has it back.
            _log.info("hand_back_unneeded", message=error.message)
