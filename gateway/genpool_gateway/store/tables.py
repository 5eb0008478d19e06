"""The tables. A change here needs a migration in ``migrations/versions``; a test compares the two.

What lists, counts and sums read is in ``tasks``, whose rows are small; what is large is in ``task_contents`` and is
read only for the tasks that are shown. Indexes with a condition hold only the rows that somebody still waits for.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.sql.elements import TextClause

from genpool_gateway.store.columns import AnyText, JsonText, UtcTime

metadata = MetaData()

#: Conditions of indexes. A query says them in the same words, or the index does not serve it.
UNFINISHED = text("state <> 'ended'")
WAITING = text("waiting = 1")
ACCEPTING = text("state = 'accepting'")
ENDED = text("ended_at IS NOT NULL")
UNSUCCESSFUL = text("outcome <> 'succeeded'")
BEGUN = text("waiting = 0 AND state <> 'ended'")
TO_CANCEL = text("cancel_requested_at IS NOT NULL AND state <> 'ended'")
TO_START = text("start_by IS NOT NULL AND waiting = 1")
TO_END = text("end_by IS NOT NULL AND state <> 'ended'")
MESSAGE_LEFT = text("message_left = 1")

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pool_uid", Text, nullable=False),
    Column("pool_namespace", Text, nullable=False),
    Column("pool_name", Text, nullable=False),
    Column("former_pool", Text),  # UID of the pool that accepted it, where that was made again
    Column("owner", AnyText),  # None: a plain producer's
    Column("task_id", AnyText, nullable=False),
    Column("workflow", AnyText),
    Column("priority", Integer),
    Column("state", Text, nullable=False),
    Column(
        "waiting", Integer, nullable=False
    ),  # 1: accepted or heard of, and no attempt of its run has begun
    Column("outcome", Text),
    Column("reason", AnyText),
    Column("run", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("sources", JsonText, nullable=False),
    Column("last_event", Integer, nullable=False),
    Column("worker", AnyText),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("ended_day", Text),  # UTC, 2026-03-01
    Column("cancel_requested_at", UtcTime),
    Column("erased_at", UtcTime),
    Column("discarded_at", UtcTime),
    Column("replaying_at", UtcTime),  # a next run is about to begin: see replays.py
    Column("erasing_at", UtcTime),  # its contents are being deleted
    Column("start_by", UtcTime),
    Column("end_by", UtcTime),
    Column("gpu_seconds", Float),
    Column("wait_seconds", Float),
    # 1: a gateway has ended it, and its message is still in the work queue. Not of the record: written by itself.
    Column("message_left", Integer, nullable=False, server_default=text("0")),
)

task_contents = Table(
    "task_contents",
    metadata,
    Column("task", Text, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("parameters", JsonText, nullable=False),
    Column("metadata", JsonText),
    Column("callback_url", AnyText),
    Column("callback_events", JsonText),
    Column("end", JsonText),
    Column("body", LargeBinary),  # last: reading the others does not read it
)

task_events = Table(
    "task_events",
    metadata,
    Column("task", Text, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("event_id", AnyText, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("data", JsonText, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("owner", AnyText, primary_key=True),
    Column("pool_uid", Text, primary_key=True),
    Column("key", AnyText, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("task", Text, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", UtcTime, nullable=False, index=True),
)

task_uploads = Table(
    "task_uploads",
    metadata,
    Column("task", Text, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("upload", Text, primary_key=True, index=True),  # what a parameter says for it
)

loose_inputs = Table(
    "loose_inputs",
    metadata,
    Column("endpoint", Text, primary_key=True),  # empty: AWS
    Column("bucket", Text, primary_key=True),
    Column("object_key", AnyText, primary_key=True),
    Column("region", Text, nullable=False),
    Column("task", Text),  # no foreign key: there may never be a row for it
    Column("upload", Text),
    Column("owner", AnyText),
    Column("made_at", UtcTime, nullable=False, index=True),
)

pool_places = Table(
    "pool_places",
    metadata,
    Column("pool_uid", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),  # empty: AWS
    Column("bucket", Text, primary_key=True),
    Column("prefix", AnyText, primary_key=True),
    Column("region", Text, nullable=False),
    Column("pool_namespace", Text, nullable=False),
    Column("pool_name", Text, nullable=False),
    Column("retention_seconds", BigInteger),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
)

pool_samples = Table(
    "pool_samples",
    metadata,
    # The time first: what is written is behind all other rows, and what is too old is before them.
    Column("time", UtcTime, primary_key=True),
    Column("pool_uid", Text, primary_key=True),
    Column("waiting", Integer),
    Column("running", Integer),
    Column("pods", Integer),
    Column("pods_ready", Integer),
    Column("pods_busy", Integer),
    Column("pods_wanted", Integer),
    sqlite_with_rowid=False,
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", AnyText, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("pools", JsonText),  # None: all
    Column("max_queued", Integer),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("key_digest", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False, index=True),
)

audit = Table(
    "audit",
    metadata,
    # SQLite numbers rows by itself only where the type is INTEGER.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("time", UtcTime, nullable=False),
    Column("key", AnyText, nullable=False),
    Column("action", AnyText, nullable=False),
    Column("subject", AnyText, nullable=False),
)

rebuilds = Table(
    "rebuilds",
    metadata,
    Column("pool_uid", Text, primary_key=True),
    Column("lost_at", UtcTime, nullable=False),
)


def _index(name: str, *columns: str, where: TextClause | None = None) -> None:
    Index(name, *(tasks.c[column] for column in columns), sqlite_where=where, postgresql_where=where)


_index("tasks_created", "created_at", "id")
_index("tasks_by_owner", "owner", "created_at", "id")
_index("tasks_by_pool", "pool_uid", "created_at", "id")
_index("tasks_by_task_id", "task_id")
_index("tasks_unfinished", "owner", where=UNFINISHED)
_index("tasks_waiting", "pool_uid", "created_at", "id", where=WAITING)
_index("tasks_begun", "pool_uid", where=BEGUN)
_index("tasks_accepting", "created_at", where=ACCEPTING)
_index("tasks_ended", "ended_at", where=ENDED)
_index("tasks_ended_by_pool", "pool_uid", "ended_at", where=ENDED)
_index("tasks_unsuccessful", "created_at", "id", where=UNSUCCESSFUL)
_index("tasks_to_cancel", "cancel_requested_at", where=TO_CANCEL)
_index("tasks_to_start", "start_by", where=TO_START)
_index("tasks_to_end", "end_by", where=TO_END)
_index("tasks_message_left", "pool_uid", where=MESSAGE_LEFT)
