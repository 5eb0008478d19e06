"""What the rooms of the store ask of a database, and what its errors mean to people."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from genpool_core.errors import TaskStoreError
from genpool_gateway.store.address import DatabaseAddress


class Database(Protocol):
    """A database that keeps the task store."""

    address: DatabaseAddress

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection on which each statement reads what is committed. Raises TaskStoreError."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that is committed at the end of the block. Raises TaskStoreError; then nothing is promised."""

    def starting(self) -> AbstractContextManager[Connection]:
        """A transaction in which this release may make and change the tables, while no other gateway does."""

    def alone(self) -> AbstractContextManager[bool]:
        """Whether no other gateway is in this block, for as long as it runs; it does not wait."""

    def lock_owners(self, connection: Connection, owners: Collection[str]) -> None:
        """Let no other transaction count or add tasks of these owners before this one has ended."""

    def tell(self, connection: Connection, tasks: Collection[str]) -> None:
        """Tell the subscribers of all gateways, once this transaction is committed, that these tasks changed."""

    def close(self) -> None:
        """Close all connections."""


class Overtaken(TaskStoreError):  # noqa: N818 - no trouble: look again
    """A transaction met another gateway's at the same rows and was rolled back. It goes well when it is done again."""


#: A deadlock, a failure to serialize, a row gone that another one needs: PostgreSQL's codes for two that met.
_MET = frozenset({"40P01", "40001", "23503"})
#: What a driver says, in small letters, and what to do about it.
_ADVICE = (
    ("unable to open database file", "See that its folder is there and that the gateway may write into it."),
    ("readonly database", "See that the gateway may write into the file and its folder."),
    ("disk is full", "Make room on its volume."),
    ("no space left", "Make room on its volume."),
    ("disk i/o error", "See whether its volume is full or broken."),
    ("database is locked", "Another program writes into it: only one gateway may use an SQLite file."),
    ("not a database", "The file is something else, or was damaged: restore a backup."),
    ("malformed", "The file was damaged: restore a backup."),
    ("authentication failed", "Correct user and password in the URL of the task store."),
    ("no password supplied", "Give user and password in the URL of the task store."),
    ("does not exist", "Create the database, or correct its name in the URL of the task store."),
    ("permission denied", "Give the gateway's user the right to it: it must own its tables."),
    ("too many clients", "Raise max_connections of the server, or run fewer gateways."),
    ("remaining connection slots", "Raise max_connections of the server, or run fewer gateways."),
    ("read-only transaction", "Its server is a standby: give the address of the primary."),
    ("statement timeout", "It is slow or overloaded: see what else it does."),
    ("lock timeout", "Something holds its tables or rows: see pg_locks and pg_stat_activity."),
)
_ELSE = "See that it runs and that the gateway can reach it; the gateway goes on by itself when it answers."


@contextmanager
def explained(address: DatabaseAddress) -> Iterator[None]:
    """Raise what SQLAlchemy raises in the block as a TaskStoreError."""
    try:
        yield
    except PoolTimeout as error:
        said = "all connections to it are in use"
        raise TaskStoreError(_sentence(address, said, "It is slow or overloaded: try again.")) from error
    except SQLAlchemyError as error:
        said = said_by_driver(error, address)
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _MET:
            raise Overtaken(_sentence(address, said, "Try again.")) from error
        raise TaskStoreError(_sentence(address, said, _advice(said))) from error


def said_by_driver(error: Exception, address: DatabaseAddress) -> str:
    """The driver's words in one line, without the statement, its values and the password."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(original).strip().splitlines()
    said = lines[0].strip().rstrip(".") if lines else type(original).__name__
    password = address.url.password
    return said.replace(str(password), "***") if password else said


def unreachable(address: DatabaseAddress, error: Exception) -> TaskStoreError:
    """The error for what a driver raised outside of SQLAlchemy."""
    said = said_by_driver(error, address)
    return TaskStoreError(_sentence(address, said, _advice(said)))


def _sentence(address: DatabaseAddress, said: str, advice: str) -> str:
    return f"The task store, {address.shown}, failed: {said}. {advice}"


def _advice(said: str) -> str:
    return next((advice for words, advice in _ADVICE if words in said.lower()), _ELSE)
