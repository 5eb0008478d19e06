"""Listens to PostgreSQL on a connection of its own for tasks that any gateway changed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from typing import Any

import psycopg
import structlog
from psycopg import sql

from genpool_core import timing
from genpool_core.backoff import Backoff
from genpool_gateway.store.address import DatabaseAddress
from genpool_gateway.store.database import unreachable
from genpool_gateway.store.limited_connection import LimitedConnection
from genpool_gateway.store.subscribers import Subscribers

CHANNEL = "genpool_tasks"
_LISTEN = sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL))
_BACKOFF = Backoff(timing.TASK_STORE_LISTEN_RETRY_SECONDS, timing.TASK_STORE_LISTEN_RETRY_MOST_SECONDS)
log = structlog.get_logger(__name__)


class Listener:
    """A thread that passes notifications on, and after each connecting says that some may have been missed."""

    def __init__(
        self, address: DatabaseAddress, arguments: Mapping[str, Any], subscribers: Subscribers
    ) -> None:
        self._address = address
        # The URL's own options win, as they do for SQLAlchemy's connections.
        self._arguments = {
            **arguments,
            **address.url.translate_connect_args(username="user", database="dbname"),
            **address.url.query,
        }
        self._subscribers = subscribers
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen; returns at once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="task-store-listener", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timing.TASK_STORE_CONNECT_SECONDS)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with LimitedConnection.connect(autocommit=True, **self._arguments) as connection:
                    connection.execute(_LISTEN)
                    failures = 0
                    self._subscribers.missed()
                    self._listen(connection)
            except psycopg.Error as error:
                failures += 1
                log.warning("task_store_not_heard", message=unreachable(self._address, error).message)
                self._stopping.wait(_BACKOFF.seconds(failures, random.random()))  # noqa: S311 - spreads tries

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        checked = time.monotonic()
        while not self._stopping.is_set():
            for notice in connection.notifies(timeout=timing.TASK_STORE_LISTEN_SECONDS, stop_after=1):
                self._subscribers.changed(notice.payload.split(" "))
            if time.monotonic() - checked > timing.TASK_STORE_SILENCE_SECONDS:
                connection.execute("SELECT 1")
                checked = time.monotonic()
