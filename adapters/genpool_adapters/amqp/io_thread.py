"""The thread that owns a connection: it connects, runs pika's loop, and connects again.

Work from other threads is queued and always done by this thread, with or without a connection, so that every caller
gets an answer: the parts that do the work (publisher, declarer, consumers) know whether they are attached.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

import pika
import structlog
from pika.adapters.select_connection import IOLoop

from genpool_adapters.amqp.failures import complete, explain_connection, fail
from genpool_adapters.amqp.tolerant import TolerantConnection
from genpool_adapters.amqp.values import AmqpParameters, parameters
from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_core.errors import SettingsError

_log = structlog.get_logger(__name__)
T = TypeVar("T")
OnChange = Callable[[bool, str], None]


class Part(Protocol):
    """What lives on a connection. Called in the owning thread only."""

    def attach(self, connection: pika.SelectConnection) -> None:
        """A connection has opened."""

    def detach(self, sentence: str) -> None:
        """It is gone; ``sentence`` says why."""

    def try_now(self) -> None:
        """What waits on the connection before it tries again shall try at once."""


class IoThread:
    """Keeps one connection for ``part``. It counts as connected once the part has called :meth:`ready`."""

    def __init__(
        self, settings: AmqpParameters, part: Part, on_change: OnChange | None, backoff: Backoff
    ) -> None:
        self.settings = settings
        """With the login that was used last."""
        self._part = part
        self._on_change = on_change
        self._backoff = backoff
        self._state = threading.Condition()
        self._work: deque[Callable[[], None]] = deque()
        self._loop: IOLoop | None = None
        self._connection: pika.SelectConnection | None = None
        self._running = False
        self._stopping = False
        self._rung = False
        self.connected = False
        self.sentence = f"RabbitMQ at {settings.place}: not connected yet."
        name = f"amqp-{settings.connection_name or settings.host}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        if settings.bell is not None:
            settings.bell.add(self)

    # From any thread --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._running = True
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Close the connection and end the thread, at the latest after ``timeout`` seconds."""
        with self._state:
            self._stopping = True
            self._state.notify_all()
        if not self._thread.is_alive():
            return
        self.post(self._close)
        self._thread.join(timeout)
        if self._thread.is_alive():
            _log.warning("amqp_stop_forced", broker=self.settings.place, waited_seconds=timeout)
            self.post(self._abort)
            self._thread.join(timing.BROKER_ABORT_SECONDS)

    def try_now(self) -> None:
        """Connect at once, if it waits for its next attempt; an attempt that fails is followed by the next at once."""
        with self._state:
            if not self._running:
                return
            self._rung = not self.connected
            self._state.notify_all()
        self.post(self._part.try_now)

    def post(self, work: Callable[[], None]) -> None:
        """Have ``work`` done by the owning thread; in this thread before its start and after its end."""
        with self._state:
            if self._running:
                self._work.append(work)
                self._state.notify_all()
                if self._loop is not None:
                    self._loop.add_callback_threadsafe(self._drain)
                return
        work()

    def call(self, work: Callable[[], T]) -> Future[T]:
        """Have ``work`` done by the owning thread and get its result. Within that thread it is done at once."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                complete(future, work())
            except Exception as error:  # noqa: BLE001 - it is the caller's, who waits for it
                fail(future, error)

        if threading.current_thread() is self._thread:
            run()
        else:
            self.post(run)
        return future

    def wait_connected(self, timeout: float) -> bool:
        """Wait until there is a connection; False after ``timeout`` seconds or when stopping."""
        with self._state:
            self._state.wait_for(lambda: self.connected or self._stopping, timeout)
            return self.connected

    # In the owning thread ---------------------------------------------------------------------------------------

    def ready(self) -> None:
        """The part can work: say so."""
        self._rung = False
        if not self.connected:
            self._change(connected=True, sentence=f"connected to RabbitMQ at {self.settings.place}.")

    def _run(self) -> None:
        failures = 0
        while not self._stopping:
            was_connected = self._session()
            failures = 1 if was_connected else failures + 1
            self._drain()
            if self._wait(self._backoff.seconds(failures, random.random())):  # noqa: S311 - spreads load only
                failures = 0
        with self._state:
            self._running = False
        self._drain()

    def _session(self) -> bool:
        """One connection, from the attempt to its end. Whether it was ever ready."""
        ended: list[BaseException | None] = []
        loop = IOLoop()

        def end(_connection: pika.SelectConnection, error: BaseException | None) -> None:
            ended.append(error)
            loop.stop()

        try:
            # A rotated login counts from the next attempt on.
            self.settings = self.settings.current()
            self._connection = TolerantConnection(
                parameters(self.settings),
                on_open_callback=self._part.attach,
                on_open_error_callback=end,
                on_close_callback=end,
                custom_ioloop=loop,
            )
            with self._state:
                self._loop = loop
            loop.add_callback_threadsafe(self._drain)
            loop.start()
        except SettingsError as error:
            ended.append(error)
        except Exception as defect:  # noqa: BLE001 - a defect must not end the connection for ever
            _log.exception("amqp_connection_failed", broker=self.settings.place)
            ended.append(defect)
        was_connected = self.connected
        cause = ended[0] if ended else None
        sentence = "stopped." if self._stopping else explain_connection(cause, self.settings)
        with self._state:
            self._loop = None
        self._connection = None
        self._change(connected=False, sentence=sentence)
        self._part.detach(sentence)
        loop.close()
        return was_connected

    def _drain(self) -> None:
        while self._work:
            try:
                self._work.popleft()()
            except Exception:  # noqa: BLE001 - its caller hears of it by the time-out; the thread lives
                _log.exception("amqp_work_failed", broker=self.settings.place)

    def _wait(self, seconds: float) -> bool:
        """Wait for the next attempt, and whether it was rung for; work that comes in is done, stopping ends it."""
        deadline = time.monotonic() + seconds
        while not self._stopping and not self._rung and (left := deadline - time.monotonic()) > 0:
            with self._state:
                self._state.wait_for(lambda: self._stopping or self._rung or self._work, left)
            self._drain()
        with self._state:
            rung, self._rung = self._rung, False
        return rung

    def _close(self) -> None:
        connection = self._connection
        if connection is not None and not (connection.is_closing or connection.is_closed):
            connection.close()

    def _abort(self) -> None:
        """Drop a connection whose other side does not answer the close."""
        transport = getattr(self._connection, "_transport", None)  # pika has no public way to do this
        if transport is not None:
            transport.abort()
        elif self._loop is not None:
            self._loop.stop()

    def _change(self, *, connected: bool, sentence: str) -> None:
        same = connected == self.connected and sentence == self.sentence
        with self._state:
            self.connected = connected
            self.sentence = sentence
            self._state.notify_all()
        if same:
            return
        level = _log.info if connected or self._stopping else _log.warning
        level("amqp_connected" if connected else "amqp_disconnected", message=sentence)
        if self._on_change is not None:
            try:
                self._on_change(connected, sentence)
            except Exception:  # noqa: BLE001 - a listener's defect must not end the connection
                _log.exception("amqp_listener_failed", broker=self.settings.place)
