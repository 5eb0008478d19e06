"""SQLite: one writer at a time, readers beside it, and a commit is on the disk when it returns."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

from genpool_core import timing
from genpool_core.errors import TaskStoreError
from genpool_gateway.store.address import DatabaseAddress
from genpool_gateway.store.database import explained
from genpool_gateway.store.subscribers import Subscribers

#: Connections that read at the same time.
READERS = 8
#: The write-ahead log is cut to this many bytes after a checkpoint.
_LOG_BYTES = 64 * 1024 * 1024
_PENDING = "genpool_changed_tasks"


class SqliteDatabase:
    """A file, written by this process alone."""

    def __init__(self, address: DatabaseAddress, subscribers: Subscribers) -> None:
        self.address = address
        self._subscribers = subscribers
        self._lock = threading.Lock()
        # The log is switched on by the first writer, which is the one that starts.
        pragmas = ("PRAGMA journal_mode=WAL", f"PRAGMA journal_size_limit={_LOG_BYTES}")
        self._writer = _engine(address, pragmas, 1)
        event.listen(self._writer, "begin", _begin_immediate)
        self._readers = _engine(address, ("PRAGMA query_only=ON",), READERS)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection of this reader's own."""
        with explained(self.address), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one transaction that writes."""
        with explained(self.address), self._turn(), self._writer.begin() as connection:
            changed: set[str] = set()
            connection.info[_PENDING] = changed
            yield connection
        if changed:
            self._subscribers.changed(changed)

    @contextmanager
    def starting(self) -> Iterator[Connection]:
        """As the protocol says, by a lock file: SQLite's own lock does not cover the switch to a write-ahead log."""
        path = Path(str(self.address.url.database))
        try:
            # Only its owner may read it: prompts and the digests of keys will be in it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            handle = path.with_name(path.name + ".lock").open("w")
        except OSError as error:
            raise TaskStoreError(
                f"The task store, {self.address.shown}, cannot be opened: {error.strerror}. See that its folder is "
                "there and that the gateway may write into it."
            ) from error
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            with self.writing() as connection:
                yield connection

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """There is one gateway, and in it one thread that asks."""
        yield True

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=timing.TASK_STORE_LOCK_SECONDS):
            raise TaskStoreError(
                f"The task store, {self.address.shown}, failed: a write waited {timing.TASK_STORE_LOCK_SECONDS:g} s "
                "for the one before it. Its volume is slow: see what else uses it."
            )
        try:
            yield
        finally:
            self._lock.release()

    def lock_owners(self, connection: Connection, owners: Collection[str]) -> None:
        """Nothing to do: there is one writer."""

    def tell(self, connection: Connection, tasks: Collection[str]) -> None:
        """Remember them until the commit."""
        pending: set[str] = connection.info[_PENDING]
        pending.update(tasks)

    def subscribe(
        self, changed: Callable[[Collection[str]], None], missed: Callable[[], None]
    ) -> Callable[[], None]:
        """As the port says. Nothing is missed: all changes are this process's own."""
        return self._subscribers.add(changed, missed)

    def close(self) -> None:
        """Close all connections; the last one puts the log into the file."""
        self._readers.dispose()
        self._writer.dispose()


def _engine(address: DatabaseAddress, pragmas: tuple[str, ...], connections: int) -> Engine:
    made = create_engine(
        address.url,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=timing.TASK_STORE_POOL_SECONDS,
        hide_parameters=True,
        connect_args={"timeout": timing.TASK_STORE_LOCK_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(made, "connect")
    def _on_connect(connection: Any, _: object) -> None:  # noqa: ANN401 - sqlite3's
        # Transactions begin where SQLAlchemy says, not at the first statement that writes.
        connection.isolation_level = None
        for pragma in (*pragmas, "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON"):
            connection.execute(pragma).close()

    return made


def _begin_immediate(connection: Connection) -> None:
    # The write lock at once: a transaction that begins with a read could not take it later beside another program.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
