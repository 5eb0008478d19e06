"""Inputs in buckets: which tasks use which uploads, and what was put there and may come to nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.engine import Connection, RowMapping

from genpool_core.tasks.uploads import upload_values
from genpool_core.workerconfig import store_at
from genpool_gateway.store.database import Database
from genpool_gateway.store.queries import chunks, put_rows, store_columns
from genpool_gateway.store.tables import loose_inputs, task_uploads, tasks
from genpool_gateway.tasks.places import LooseInput
from genpool_gateway.tasks.record import TaskRecord

_KEY = tuple(loose_inputs.primary_key.columns)


def note_uploads(connection: Connection, records: Sequence[TaskRecord]) -> None:
    """Note which uploads new tasks use."""
    used = [
        {"task": record.id, "upload": upload}
        for record in records
        for upload in sorted(set(upload_values(record.parameters)))
    ]
    if used:
        connection.execute(insert(task_uploads), used)


class SqlLooseInputs:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, inputs: Sequence[LooseInput]) -> None:
        """As the port says."""
        rows = {_key(each): _row(each) for each in inputs}
        with self._database.writing() as connection:
            put_rows(connection, loose_inputs, [rows[key] for key in sorted(rows)])

    def places(self, *, before: datetime) -> list[tuple[str | None, str]]:
        """As the port says."""
        statement = select(loose_inputs.c.endpoint, loose_inputs.c.bucket).distinct()
        old = statement.where(loose_inputs.c.made_at < before)
        with self._database.reading() as connection:
            return [(row.endpoint or None, row.bucket) for row in connection.execute(old)]

    def due(self, place: tuple[str | None, str], *, before: datetime, limit: int) -> list[LooseInput]:
        """As the port says."""
        endpoint, bucket = place
        here = (loose_inputs.c.endpoint == (endpoint or ""), loose_inputs.c.bucket == bucket)
        statement = select(loose_inputs).where(*here, loose_inputs.c.made_at < before)
        oldest = statement.order_by(loose_inputs.c.made_at).limit(limit)
        with self._database.reading() as connection:
            return [_input(row) for row in connection.execute(oldest).mappings()]

    def used(self, inputs: Collection[LooseInput]) -> set[str]:
        """As the port says."""
        with self._database.reading() as connection:
            known = _tasks(connection, {each.task for each in inputs if each.task is not None})
            owners = _owners(connection, {each.upload for each in inputs if each.upload is not None})
        return {
            each.key
            for each in inputs
            if each.task in known or each.owner in owners.get(each.upload or "", ())
        }

    def forget(self, inputs: Collection[LooseInput]) -> None:
        """As the port says."""
        with self._database.writing() as connection:
            for part in chunks(sorted({_key(each) for each in inputs})):
                connection.execute(delete(loose_inputs).where(tuple_(*_KEY).in_(part)))


def _tasks(connection: Connection, ids: set[str]) -> set[str]:
    """Those of these tasks that are known and have contents."""
    found: set[str] = set()
    for part in chunks(ids):
        statement = select(tasks.c.id).where(tasks.c.id.in_(part), tasks.c.erased_at.is_(None))
        found.update(connection.execute(statement).scalars())
    return found


def _owners(connection: Connection, uploads: set[str]) -> dict[str, set[str | None]]:
    """Owners of the tasks that use each of these uploads and have contents."""
    found: dict[str, set[str | None]] = {}
    for part in chunks(uploads):
        statement = (
            select(task_uploads.c.upload, tasks.c.owner)
            .join_from(task_uploads, tasks)
            .where(task_uploads.c.upload.in_(part), tasks.c.erased_at.is_(None))
        )
        for row in connection.execute(statement.distinct()):
            found.setdefault(row.upload, set()).add(row.owner)
    return found


def _key(each: LooseInput) -> tuple[str, str, str]:
    endpoint, place = each.place
    return endpoint or "", place, each.key


def _row(each: LooseInput) -> dict[str, Any]:
    return {
        **store_columns(each.store),
        "object_key": each.key,
        "task": each.task,
        "upload": each.upload,
        "owner": each.owner,
        "made_at": each.made_at,
    }


def _input(row: RowMapping) -> LooseInput:
    return LooseInput(
        store_at((row["endpoint"] or None, row["bucket"]), prefix="", region=row["region"]),
        row["object_key"],
        row["made_at"],
        task=row["task"],
        upload=row["upload"],
        owner=row["owner"],
    )
