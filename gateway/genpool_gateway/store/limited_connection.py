"""A connection to PostgreSQL that does not wait for ever.

The server's own limits end what it does for too long, and TCP's end a silence of its machine. Neither ends the wait for
a server that is frozen, or for a proxy whose server is gone: its machine goes on to confirm what it is sent.
"""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import PQGen
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from genpool_core import timing

T = TypeVar("T")


class LimitedConnection(psycopg.Connection[Any]):
    """Gives an answer up after :attr:`answer_seconds`, and itself with it."""

    answer_seconds: float | None = None
    """Longest wait for one answer; None: the usual one."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """As psycopg does, with a limit."""
        limit = self.answer_seconds or timing.TASK_STORE_SILENCE_SECONDS
        if timeout is not None:
            return super().wait(gen, interval=interval, timeout=timeout)
        try:
            return super().wait(gen, interval=interval, timeout=limit)
        except errors._WaitTimeout as error:  # noqa: SLF001 - the one that psycopg's documentation names
            self.pgconn.finish()
            raise psycopg.OperationalError(f"it did not answer within {limit:g} s") from error


def limit_answers(engine: Engine) -> None:
    """Let an engine make limited connections."""

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: object, _record: object, arguments: Any, options: Any) -> LimitedConnection:  # noqa: ANN401 - a driver's
        return LimitedConnection.connect(*arguments, **options)


def allow(connection: Connection, seconds: float) -> None:
    """Let answers on this connection take longer."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, LimitedConnection)  # noqa: S101 - its engine makes no others
    driver.answer_seconds = seconds
