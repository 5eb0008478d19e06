"""The accepting of tasks: groups in one commit each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.engine import Connection

from genpool_core import timing
from genpool_core.identity import accepted_event_id
from genpool_gateway.store import rows
from genpool_gateway.store.admission import Admission, IdempotencyScope, Known, admit, scope_of
from genpool_gateway.store.database import Database
from genpool_gateway.store.inputs import note_uploads
from genpool_gateway.store.overtaken import overtaken, until_not_overtaken
from genpool_gateway.store.queries import (
    among,
    chunks,
    insert_new,
    insert_rows,
    lock_tasks,
    read_records,
    select_records,
)
from genpool_gateway.store.tables import (
    ACCEPTING,
    UNFINISHED,
    idempotency,
    task_contents,
    task_events,
    tasks,
)
from genpool_gateway.tasks.ports import Acceptance, Accepted, NewTask
from genpool_gateway.tasks.record import StoredEvent, TaskRecord, TaskState

#: Of ``ids``. Built once: to build a statement takes as long as to execute it.
_PUBLISHED = update(tasks).where(among(tasks.c.id), ACCEPTING).values(state=TaskState.QUEUED.value)
_SCOPE = tuple_(idempotency.c.owner, idempotency.c.pool_uid, idempotency.c.key)


class SqlAcceptingStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(
        self,
        tasks: Sequence[NewTask],
        caps: Mapping[str, int],
        now: datetime,
        *,
        published: Sequence[str] = (),
    ) -> list[Accepted]:
        """As the port says."""
        if not tasks and not published:
            return []
        return until_not_overtaken(lambda: self._accept(tasks, caps, now, published))

    def _accept(
        self, group: Sequence[NewTask], caps: Mapping[str, int], now: datetime, published: Sequence[str]
    ) -> list[Accepted]:
        capped = {owner for new in group if (owner := new.record.owner) is not None and owner in caps}
        with self._database.writing() as connection:
            self._database.lock_owners(connection, capped)
            _mark_published(connection, published)
            admissions = admit(group, _known(connection, group, capped, now), caps)
            stored = _store(connection, group, admissions, now)
            records = {new.record.id: new.record for new in _created(group, admissions)}
            if stored:
                note_uploads(connection, list(records.values()))
            wanted = {each.task for each in admissions if each.task is not None}
            records |= read_records(connection, wanted - set(records))
            if not stored or len(records) < len(wanted):
                raise overtaken(self._database, "made or deleted one of these tasks, or used its key")
            return _answers(admissions, records)

    def published(self, ids: Sequence[str]) -> None:
        """As the port says."""
        if ids:
            until_not_overtaken(lambda: self._published(ids))

    def _published(self, ids: Sequence[str]) -> None:
        with self._database.writing() as connection:
            _mark_published(connection, ids)

    def refused(self, ids: Sequence[str]) -> None:
        """As the port says; what belongs to a row goes with it."""
        until_not_overtaken(lambda: self._refused(ids))

    def _refused(self, ids: Sequence[str]) -> None:
        with self._database.writing() as connection:
            lock_tasks(connection, ids)
            for part in chunks(ids):
                connection.execute(delete(tasks).where(tasks.c.id.in_(part), ACCEPTING))
            self._database.tell(connection, ids)

    def unpublished(self, *, older_than: datetime, limit: int) -> list[TaskRecord]:
        """As the port says."""
        statement = (
            select_records(bodies=True)
            .where(ACCEPTING, tasks.c.created_at < older_than)
            .order_by(tasks.c.created_at)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [rows.record_of(row) for row in connection.execute(statement).mappings()]


def _mark_published(connection: Connection, ids: Sequence[str]) -> None:
    lock_tasks(connection, ids)
    for part in chunks(ids):
        connection.execute(_PUBLISHED, {"ids": part})


def _known(connection: Connection, group: Sequence[NewTask], capped: Collection[str], now: datetime) -> Known:
    counts: dict[str, int] = {}
    if capped:
        statement = select(tasks.c.owner, func.count()).where(UNFINISHED, tasks.c.owner.in_(capped))
        grouped = connection.execute(statement.group_by(tasks.c.owner))
        counts = {row[0]: row[1] for row in grouped}
    scopes = {scope for new in group if (scope := scope_of(new)) is not None}
    promises = _promises(connection, scopes, now)
    wanted = {new.record.id for new in group} | {task for _, task in promises.values()}
    return Known(read_records(connection, wanted, bodies=False), promises, counts)


def _promises(
    connection: Connection, scopes: Collection[IdempotencyScope], now: datetime
) -> dict[IdempotencyScope, tuple[str, str]]:
    found: dict[IdempotencyScope, tuple[str, str]] = {}
    for part in chunks(sorted(scopes)):
        expired = idempotency.c.expires_at <= now
        connection.execute(delete(idempotency).where(_SCOPE.in_(part), expired))
        for row in connection.execute(select(idempotency).where(_SCOPE.in_(part))):
            found[row.owner, row.pool_uid, row.key] = (row.digest, row.task)
    return found


def _created(group: Sequence[NewTask], admissions: Sequence[Admission]) -> list[NewTask]:
    pairs = zip(group, admissions, strict=True)
    return [new for new, admission in pairs if admission.acceptance is Acceptance.CREATED]


def _store(
    connection: Connection, group: Sequence[NewTask], admissions: Sequence[Admission], now: datetime
) -> bool:
    """Whether nobody had stored any of it."""
    # In the order of the ids, so that two gateways that meet wait for each other and never in a circle.
    records = sorted((new.record for new in _created(group, admissions)), key=lambda record: record.id)
    if records:
        inserted = insert_new(connection, tasks, [rows.task_row(each, last_event=1) for each in records])
        if inserted < len(records):
            return False
        insert_rows(connection, task_contents, [rows.contents_row(each) for each in records])
        insert_rows(connection, task_events, [_accepted_row(each) for each in records])
    promises = [
        _promise_row(new, now) for new, admission in zip(group, admissions, strict=True) if admission.promises
    ]
    promises.sort(key=lambda row: (row["owner"], row["pool_uid"], row["key"]))
    return insert_new(connection, idempotency, promises) == len(promises)


def _accepted_row(record: TaskRecord) -> rows.Row:
    run = record.position.run
    event = StoredEvent(record.id, 1, "accepted", record.created_at, {"run": run, "attempt": 0})
    return rows.event_row(event, accepted_event_id(record.id, run))


def _promise_row(new: NewTask, now: datetime) -> dict[str, Any]:
    assert new.idempotency is not None  # noqa: S101 - it promises
    return {
        "owner": new.record.owner,
        "pool_uid": new.record.pool.uid,
        "key": new.idempotency.key,
        "digest": new.idempotency.digest,
        "task": new.record.id,
        "expires_at": now + timedelta(seconds=timing.IDEMPOTENCY_SECONDS),
    }


def _answers(admissions: Sequence[Admission], records: Mapping[str, TaskRecord]) -> list[Accepted]:
    return [
        Accepted(each.acceptance, None if each.task is None else records[each.task]) for each in admissions
    ]
