"""Statements that several rooms of the store use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Insert, Select, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from genpool_core.workerconfig import S3Config, StoreConfig
from genpool_gateway.store.rows import record_of
from genpool_gateway.store.tables import task_contents, tasks
from genpool_gateway.tasks.record import TaskRecord

T = TypeVar("T")

#: Values in one statement; both databases take far more.
_CHUNK = 500
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
        known.update(connection.execute(select(tasks.c.id).where(tasks.c.id.in_(part))).scalars())
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
        statement = select_records(bodies=bodies).where(tasks.c.id.in_(part))
        for row in connection.execute(statement).mappings():
            found[row["id"]] = (record_of(row), row["last_event"])
    return found


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows, but none whose primary key is there already; how many were inserted."""
    if not rows:
        return 0
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    key = [column.name for column in table.primary_key]
    statement = dialect.insert(table).on_conflict_do_nothing(index_elements=key)
    return _insert(connection, statement, table, rows)


def insert_or_lock(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows by a primary key of one column, in their order; those that are there already stay, and are locked.

    Each in one step, so that none can come or go in between.
    """
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    (key,) = table.primary_key
    statement = dialect.insert(table)
    locked = statement.on_conflict_do_update(
        index_elements=[key], set_={key.name: statement.excluded[key.name]}
    )
    _insert(connection, locked, table, rows)


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows of which none is there."""
    if rows:
        _insert(connection, insert(table), table, rows)


def _insert(
    connection: Connection,
    statement: Insert,
    table: Table,
    rows: Sequence[dict[str, Any]],
) -> int:
    """Insert many rows with one statement, which SQLAlchemy makes only of one that returns something; how many were."""
    return len(connection.execute(statement.returning(*table.primary_key), rows).all())


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
    if not rows:
        return
    (key,) = (column.name for column in table.primary_key)
    columns: dict[str, Any] = {name: bindparam(f"new_{name}") for name in rows[0] if name != key}
    statement = update(table).where(table.c[key] == bindparam("new_" + key)).values(columns)
    connection.execute(statement, [{f"new_{name}": value for name, value in row.items()} for row in rows])
