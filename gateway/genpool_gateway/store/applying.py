"""What the broker brings, folded into records: each event once, in one commit for a group."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from genpool_gateway.store import rows
from genpool_gateway.store.database import Database
from genpool_gateway.store.overtaken import overtaken, until_not_overtaken
from genpool_gateway.store.queries import (
    among,
    chunks,
    insert_new,
    insert_or_lock,
    insert_rows,
    known_tasks,
    lock_records,
    update_rows,
)
from genpool_gateway.store.retention import erase_contents
from genpool_gateway.store.tables import ENDED, task_contents, task_events, tasks
from genpool_gateway.tasks.change import Change, apply_change, erased_data, heard_of, may_tell, moves
from genpool_gateway.tasks.record import StoredEvent, TaskRecord, TaskState

_log = structlog.get_logger(__name__)
#: Which of ``ids`` are events that are stored.
_SEEN = select(task_events.c.event_id).where(among(task_events.c.event_id))


@dataclass
class _Fold:
    """One task while a group of changes is applied."""

    before: TaskRecord
    record: TaskRecord
    last_event: int
    fresh: list[tuple[StoredEvent, str]] = field(default_factory=list)

    def apply(self, change: Change) -> StoredEvent | None:
        """Fold a change in; the event that it is to watchers, if it is one."""
        if not may_tell(self.record, change):
            _log.warning(
                "event_of_another_pool", task_key=change.task, pool=change.pool.uid, type=change.type
            )
            return None
        event = None
        if moves(self.record, change):
            self.last_event += 1
            data = change.data if self.record.erased_at is None else erased_data(change.data)
            event = StoredEvent(change.task, self.last_event, change.type, change.time, data)
            self.fresh.append((event, change.id))
        self.record = apply_change(self.record, change)
        return event


class SqlEventStore:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def apply(self, changes: Sequence[Change]) -> list[StoredEvent]:
        """As the port says."""
        if not changes:
            return []
        tries = itertools.count()
        return until_not_overtaken(lambda: self._apply(changes, hold=next(tries) > 0))

    def _apply(self, changes: Sequence[Change], *, hold: bool) -> list[StoredEvent]:
        """``hold``: whatever others do to these rows meanwhile."""
        with self._database.writing() as connection:
            ids = {change.task for change in changes}
            _make_unknown(connection, changes, hold=hold)
            folds = _lock(connection, ids)
            if len(folds) < len(ids):
                raise overtaken(self._database, "made or deleted one of these tasks")
            seen = _seen(connection, {change.id for change in changes})
            fresh = []
            for change in changes:
                if change.id not in seen:
                    fresh.append(folds[change.task].apply(change))
                    seen.add(change.id)
            changed = [each for each in folds.values() if each.fresh or each.record != each.before]
            _write(connection, changed)
            self._database.tell(connection, [each.record.id for each in changed])
        return [event for event in fresh if event is not None]

    def discard(self, ids: Sequence[str], at: datetime) -> None:
        """As the port says."""
        with self._database.writing() as connection:
            for part in chunks(ids):
                ended = update(tasks).where(
                    tasks.c.id.in_(sorted(part)), ENDED, tasks.c.discarded_at.is_(None)
                )
                connection.execute(ended.values(discarded_at=at))
            self._database.tell(connection, ids)

    def request_cancel(self, task: str, at: datetime) -> TaskRecord | None:
        """As the port says. The first request counts."""
        with self._database.writing() as connection:
            record, _ = lock_records(connection, [task], bodies=True).get(task, (None, 0))
            if record is None:
                return None
            if record.state is not TaskState.ENDED and record.cancel_requested_at is None:
                record = replace(record, cancel_requested_at=at)
                connection.execute(update(tasks).where(tasks.c.id == task).values(cancel_requested_at=at))
                self._database.tell(connection, [task])
        return record


def _make_unknown(connection: Connection, changes: Sequence[Change], *, hold: bool) -> None:
    """Rows of tasks that nobody had heard of, so that there is something to lock.

    Where there may be one, the rows of all tasks are made or locked, in one order: who made some and then locked others
    would wait in a circle with somebody who does the same, and what was seen a moment before may be wrong each time.
    It writes each row once more, so it is not done where all are known.
    """
    first: dict[str, Change] = {}
    for change in changes:
        first.setdefault(change.task, change)
    if not hold and known_tasks(connection, first) == first.keys():
        return
    records = [heard_of(first[task]) for task in sorted(first)]
    insert_or_lock(connection, tasks, [rows.task_row(each, last_event=0) for each in records])
    insert_new(connection, task_contents, [rows.contents_row(each) for each in records])


def _lock(connection: Connection, ids: Collection[str]) -> dict[str, _Fold]:
    locked = lock_records(connection, ids)
    return {task: _Fold(record, record, last_event) for task, (record, last_event) in locked.items()}


def _seen(connection: Connection, ids: Collection[str]) -> set[str]:
    seen: set[str] = set()
    for part in chunks(ids):
        seen.update(connection.execute(_SEEN, {"ids": part}).scalars())
    return seen


def _write(connection: Connection, folds: Sequence[_Fold]) -> None:
    update_rows(connection, tasks, [rows.task_row(each.record, each.last_event) for each in folds])
    contents = [(_contents(each.record), _contents(each.before)) for each in folds]
    update_rows(connection, task_contents, [row for row, before in contents if row != before])
    for each in folds:
        if each.record.erased_at is not None and each.before.erased_at is None:
            erase_contents(connection, each.record.id)
    events = [rows.event_row(*event) for each in folds for event in each.fresh]
    insert_rows(connection, task_events, events)


def _contents(record: TaskRecord) -> rows.Row:
    """Without the body, which was not read and stays as it is."""
    row = rows.contents_row(record)
    del row["body"]
    return row
