"""The tables of the first release."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.sql.elements import TextClause

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make everything."""
    _tasks()
    _belongings()
    _inputs()
    _samples()
    _keys()
    op.create_table(
        "rebuilds",
        Column("pool_uid", Text, primary_key=True),
        Column("lost_at", BigInteger, nullable=False),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("pool_uid", "pool_namespace", "pool_name")),
        Column("former_pool", Text),
        Column("owner", Text),
        Column("task_id", Text, nullable=False),
        Column("workflow", Text),
        Column("priority", Integer),
        Column("state", Text, nullable=False),
        Column("waiting", Integer, nullable=False),
        Column("outcome", Text),
        Column("reason", Text),
        *(Column(name, Integer, nullable=False) for name in ("run", "attempt", "rank")),
        Column("sources", Text, nullable=False),
        Column("last_event", Integer, nullable=False),
        Column("worker", Text),
        Column("created_at", BigInteger, nullable=False),
        Column("started_at", BigInteger),
        Column("ended_at", BigInteger),
        Column("ended_day", Text),
        *(
            Column(name, BigInteger)
            for name in (
                *("cancel_requested_at", "erased_at", "discarded_at"),
                *("replaying_at", "erasing_at", "start_by", "end_by"),
            )
        ),
        *(Column(name, Float) for name in ("gpu_seconds", "wait_seconds")),
        Column("message_left", Integer, nullable=False, server_default=text("0")),
    )
    _index("tasks_created", "created_at", "id")
    _index("tasks_by_owner", "owner", "created_at", "id")
    _index("tasks_by_pool", "pool_uid", "created_at", "id")
    _index("tasks_by_task_id", "task_id")
    _index("tasks_unfinished", "owner", where=text("state <> 'ended'"))
    _index("tasks_waiting", "pool_uid", "created_at", "id", where=text("waiting = 1"))
    _index("tasks_begun", "pool_uid", where=text("waiting = 0 AND state <> 'ended'"))
    _index("tasks_accepting", "created_at", where=text("state = 'accepting'"))
    _index("tasks_ended", "ended_at", where=text("ended_at IS NOT NULL"))
    _index("tasks_ended_by_pool", "pool_uid", "ended_at", where=text("ended_at IS NOT NULL"))
    _index("tasks_unsuccessful", "created_at", "id", where=text("outcome <> 'succeeded'"))
    _index(
        "tasks_to_cancel",
        "cancel_requested_at",
        where=text("cancel_requested_at IS NOT NULL AND state <> 'ended'"),
    )
    _index("tasks_to_start", "start_by", where=text("start_by IS NOT NULL AND waiting = 1"))
    _index("tasks_to_end", "end_by", where=text("end_by IS NOT NULL AND state <> 'ended'"))
    _index("tasks_message_left", "pool_uid", where=text("message_left = 1"))


def _index(name: str, *columns: str, where: TextClause | None = None) -> None:
    op.create_index(name, "tasks", list(columns), sqlite_where=where, postgresql_where=where)


def _task(*, key: bool) -> Column[str]:
    return Column("task", Text, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=key, nullable=False)


def _belongings() -> None:
    op.create_table(
        "task_contents",
        _task(key=True),
        Column("parameters", Text, nullable=False),
        *(Column(name, Text) for name in ("metadata", "callback_url", "callback_events", "end")),
        Column("body", LargeBinary),
    )
    op.create_table(
        "task_events",
        _task(key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("event_id", Text, nullable=False, unique=True),
        Column("type", Text, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("data", Text, nullable=False),
    )
    op.create_table(
        "idempotency",
        *(Column(name, Text, primary_key=True) for name in ("owner", "pool_uid", "key")),
        Column("digest", Text, nullable=False),
        _task(key=False),
        Column("expires_at", BigInteger, nullable=False),
    )
    op.create_index("ix_idempotency_task", "idempotency", ["task"])
    op.create_index("ix_idempotency_expires_at", "idempotency", ["expires_at"])


def _inputs() -> None:
    op.create_table("task_uploads", _task(key=True), Column("upload", Text, primary_key=True))
    op.create_index("ix_task_uploads_upload", "task_uploads", ["upload"])
    op.create_table(
        "loose_inputs",
        *(Column(name, Text, primary_key=True) for name in ("endpoint", "bucket", "object_key")),
        Column("region", Text, nullable=False),
        *(Column(name, Text) for name in ("task", "upload", "owner")),
        Column("made_at", BigInteger, nullable=False),
    )
    op.create_index("ix_loose_inputs_made_at", "loose_inputs", ["made_at"])
    op.create_table(
        "pool_places",
        *(Column(name, Text, primary_key=True) for name in ("pool_uid", "endpoint", "bucket", "prefix")),
        *(Column(name, Text, nullable=False) for name in ("region", "pool_namespace", "pool_name")),
        Column("retention_seconds", BigInteger),
        *(Column(name, BigInteger, nullable=False) for name in ("first_seen", "last_seen")),
    )


def _samples() -> None:
    op.create_table(
        "pool_samples",
        Column("time", BigInteger, primary_key=True),
        Column("pool_uid", Text, primary_key=True),
        *(
            Column(name, Integer)
            for name in ("waiting", "running", "pods", "pods_ready", "pods_busy", "pods_wanted")
        ),
        sqlite_with_rowid=False,
    )


def _keys() -> None:
    op.create_table(
        "api_keys",
        Column("id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("digest", Text, nullable=False, unique=True),
        Column("role", Text, nullable=False),
        Column("pools", Text),
        Column("max_queued", Integer),
        Column("created_at", BigInteger, nullable=False),
        Column("revoked_at", BigInteger),
    )
    op.create_table(
        "sessions",
        Column("digest", Text, primary_key=True),
        Column("key_digest", Text, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "audit",
        Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("time", BigInteger, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("key", "action", "subject")),
    )
