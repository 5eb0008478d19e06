"""Statements that several rooms of the store use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Executable, Insert, Select, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from genpool_core.workerconfig import S3Config, StoreConfig
from genpool_gateway.store.rows import record_of
from genpool_gateway.store.tables import task_contents, tasks
from genpool_gateway.tasks.record import TaskRecord

T = TypeVar("T")


def among(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a column is one of the values that a statement is executed with as ``ids``."""
    return column.in_(bindparam("ids", expanding=True))


#: Values in one statement; both databases take far more.
_CHUNK = 500
#: Which of ``ids`` there are.
_KNOWN = select(tasks.c.id).where(among(tasks.c.id))
_CONTENTS = tuple(column for column in task_contents.c if column.name not in {"task", "body"})


def chunks(values: Collection[T]) -> Iterator[Sequence[T]]:
    """The values in parts that one statement takes."""
    listed = list(values)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]


def store_columns(store: StoreConfig) -> dict[str, str]:
    """Columns that tell where a store is; of a folder the bucket is its path."""
    endpoint, place = store.address
    region = store.region if isinstance(store, S3Config) else ""
    return {"endpoint": endpoint or "", "bucket": place, "region": region}


def select_records(*, bodies: bool) -> Select[Any]:
    """Rows of which :func:`record_of` makes records."""
    contents = (*_CONTENTS, task_contents.c.body) if bodies else _CONTENTS
    return select(*tasks.c, *contents).join_from(tasks, task_contents)


def read_records(
    connection: Connection, ids: Collection[str], *, bodies: bool = True
) -> dict[str, TaskRecord]:
    """Records by id."""
    return {task: record for task, (record, _) in _read(connection, ids, bodies=bodies).items()}


def known_tasks(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids of which there is a row at this moment."""
    known: set[str] = set()
    for part in chunks(ids):
        known.update(connection.execute(_KNOWN, {"ids": part}).scalars())
    return known


def lock_records(
    connection: Connection, ids: Collection[str], *, bodies: bool = False
) -> dict[str, tuple[TaskRecord, int]]:
    """Records by id, each with the number of its last event; no other transaction changes them before this one ends."""
    # By itself: what a statement that had to wait has read of other tables is older than the row it then got.
    lock_tasks(connection, ids)
    return _read(connection, ids, bodies=bodies)


def lock_tasks(connection: Connection, ids: Collection[str]) -> None:
    """Keep other transactions from changing rows: always in the same order, or two would wait for each other."""
    if connection.dialect.name == "sqlite":
        # There is one writer.
        return
    for part in chunks(sorted(ids)):
        lock = select(tasks.c.id).where(tasks.c.id.in_(part)).order_by(tasks.c.id).with_for_update()
        connection.execute(lock).all()


def _read(connection: Connection, ids: Collection[str], *, bodies: bool) -> dict[str, tuple[TaskRecord, int]]:
    found: dict[str, tuple[TaskRecord, int]] = {}
    for part in chunks(ids):
        for row in connection.execute(_records_by_id(bodies=bodies), {"ids": part}).mappings():
            found[row["id"]] = (record_of(row), row["last_event"])
    return found


@cache
def _records_by_id(*, bodies: bool) -> Select[tuple[Any, ...]]:
    return select_records(bodies=bodies).where(among(tasks.c.id))


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows, but none whose primary key is there already; how many were inserted."""
    return _insert(connection, _inserting_new(connection.dialect.name, table), rows)


def insert_or_lock(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows by a primary key of one column, in their order; those that are there already stay, and are locked.

    Each in one step, so that none can come or go in between.
    """
    _insert(connection, _inserting_or_locking(connection.dialect.name, table), rows)


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of which none is there."""
    _insert(connection, _inserting(connection.dialect.name, table), rows)


def _insert(connection: Connection, statement: Executable, rows: Sequence[dict[str, Any]]) -> int:
    """Insert many rows; how many were inserted."""
    if not rows:
        return 0
    done = connection.execute(statement, rows)
    return done.rowcount if connection.dialect.name == "sqlite" else len(done.all())


# Built once: to build a statement and its cache key takes as long as to execute it.


@cache
def _inserting_new(dialect: str, table: Table) -> Executable:
    key = [column.name for column in table.primary_key]
    return _at_once(dialect, _insert_of(dialect, table).on_conflict_do_nothing(index_elements=key))


@cache
def _inserting_or_locking(dialect: str, table: Table) -> Executable:
    (key,) = table.primary_key
    statement = _insert_of(dialect, table)
    same = {key.name: statement.excluded[key.name]}
    return _at_once(dialect, statement.on_conflict_do_update(index_elements=[key], set_=same))


@cache
def _inserting(dialect: str, table: Table) -> Executable:
    return _at_once(dialect, insert(table))


def _insert_of(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def _at_once(dialect: str, statement: Insert) -> Executable:
    """A statement that SQLAlchemy executes for many rows at once on PostgreSQL: one that returns something.

    SQLite has no way to and fro, and takes rows one by one in half the time.
    """
    if dialect == "sqlite":
        return statement
    return statement.returning(*statement.table.primary_key)


def put_rows(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: Collection[str] = ()
) -> None:
    """Insert rows, or write all columns of those that are there but for ``keep``."""
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    key = [column.name for column in table.primary_key]
    statement = dialect.insert(table)
    written = {name: statement.excluded[name] for name in rows[0] if name not in {*key, *keep}}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=written), rows)


def update_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Write all columns of rows that have the same, by their primary key of one column."""
    if rows:
        new_rows = [{f"new_{name}": value for name, value in row.items()} for row in rows]
        connection.execute(_updating(table, tuple(rows[0])), new_rows)


@cache
def _updating(table: Table, names: tuple[str, ...]) -> Executable:
    (key,) = (column.name for column in table.primary_key)
    columns: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names if name != key}
    return update(table).where(table.c[key] == bindparam("new_" + key)).values(columns)
