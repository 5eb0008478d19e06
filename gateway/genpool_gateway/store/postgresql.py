"""PostgreSQL: for several gateways. Rows are locked, owners with a cap are counted one group at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection, Engine

from genpool_core import timing
from genpool_gateway.store.address import DatabaseAddress
from genpool_gateway.store.database import explained
from genpool_gateway.store.limited_connection import allow, limit_answers
from genpool_gateway.store.listener import CHANNEL, Listener
from genpool_gateway.store.subscribers import Subscribers

#: Connections of one gateway that read, and that write, at the same time; one more listens.
READERS = 8
WRITERS = 4
#: A notification may have 8000 bytes.
_PAYLOAD_BYTES = 7900
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")
#: The number of an advisory lock; those of owners have two, of which this is the first.
_TABLES_LOCK = 0x67656E706F6F6C
_LOCK_TABLES = text("SELECT pg_advisory_xact_lock(:lock)")
_ALONE_LOCK = _TABLES_LOCK + 1
_TRY_ALONE = text("SELECT pg_try_advisory_lock(:lock)")
_END_ALONE = text("SELECT pg_advisory_unlock(:lock)")
_OWNERS_LOCK = 0x6770
_LOCK_OWNER = text("SELECT pg_advisory_xact_lock(:space, hashtext(:owner))")


class PostgresqlDatabase:
    """A database on a server, shared by the gateways of an installation."""

    def __init__(self, address: DatabaseAddress, subscribers: Subscribers) -> None:
        self.address = address
        self._subscribers = subscribers
        self._writer = _engine(address, WRITERS)
        self._readers = _engine(address, READERS, isolation_level="AUTOCOMMIT")
        self._listener = Listener(address, connect_arguments(), subscribers)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection on which every statement is its own transaction."""
        with explained(self.address), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction."""
        with explained(self.address), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def starting(self) -> Iterator[Connection]:
        """As the protocol says, by an advisory lock; it may take longer than a request."""
        with self.writing() as connection:
            allow(connection, timing.TASK_STORE_MIGRATION_SECONDS)
            for name in ("statement_timeout", "lock_timeout"):
                connection.exec_driver_sql(
                    f"SET LOCAL {name} = {int(timing.TASK_STORE_MIGRATION_SECONDS * 1000)}"
                )
            connection.execute(_LOCK_TABLES, {"lock": _TABLES_LOCK})
            yield connection
            # It goes back to the others only now; a failure has closed it.
            allow(connection, timing.TASK_STORE_SILENCE_SECONDS)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """By an advisory lock of a connection: should that break, another gateway may begin."""
        with self.reading() as connection:
            alone = bool(connection.execute(_TRY_ALONE, {"lock": _ALONE_LOCK}).scalar_one())
            try:
                yield alone
            finally:
                if alone:
                    connection.execute(_END_ALONE, {"lock": _ALONE_LOCK})

    def lock_owners(self, connection: Connection, owners: Collection[str]) -> None:
        """By advisory locks, until the transaction ends: in one order, so that two groups never wait in a circle."""
        for owner in sorted(owners):
            connection.execute(_LOCK_OWNER, {"space": _OWNERS_LOCK, "owner": repr(owner)})

    def tell(self, connection: Connection, tasks: Collection[str]) -> None:
        """Notify; PostgreSQL delivers it at the commit, and drops it with the transaction."""
        for payload in payloads(tasks):
            connection.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})

    def subscribe(
        self, changed: Callable[[Collection[str]], None], missed: Callable[[], None]
    ) -> Callable[[], None]:
        """As the port says."""
        end = self._subscribers.add(changed, missed)
        self._listener.start()
        return end

    def close(self) -> None:
        """Close all connections."""
        self._listener.stop()
        self._readers.dispose()
        self._writer.dispose()


def payloads(tasks: Collection[str]) -> Iterator[str]:
    """The ids in as few notifications as they fit in. Pure."""
    payload = ""
    for task in tasks:
        longer = f"{payload} {task}" if payload else task
        if len(longer.encode()) > _PAYLOAD_BYTES and payload:
            yield payload
            longer = task
        payload = longer
    if payload:
        yield payload


def connect_arguments() -> dict[str, Any]:
    """Time limits of a connection: those of the server for what it does, those of TCP for a server that is gone."""
    limits = {
        "statement_timeout": timing.TASK_STORE_STATEMENT_SECONDS,
        "lock_timeout": timing.TASK_STORE_LOCK_SECONDS,
        "idle_in_transaction_session_timeout": timing.TASK_STORE_STATEMENT_SECONDS,
    }
    return {
        "application_name": "genpool-gateway",
        "connect_timeout": timing.TASK_STORE_CONNECT_SECONDS,
        "options": " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in limits.items()),
        "tcp_user_timeout": int(timing.TASK_STORE_SILENCE_SECONDS * 1000),
        "keepalives_idle": timing.TASK_STORE_KEEPALIVE_SECONDS,
        "keepalives_interval": timing.TASK_STORE_KEEPALIVE_SECONDS,
        "keepalives_count": 2,
    }


def _engine(address: DatabaseAddress, connections: int, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's
    engine = create_engine(
        address.url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=timing.TASK_STORE_POOL_SECONDS,
        # A connection that broke while nobody used it is replaced before somebody does.
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=connect_arguments(),
        **options,
    )
    limit_answers(engine)
    return engine
