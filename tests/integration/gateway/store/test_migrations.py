"""The tables come from migrations, are those that the code knows, and change at a start under a lock."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from genpool_core.errors import SettingsError, TaskStoreError
from genpool_gateway.store.opening import TaskStore, make_store, open_store
from genpool_gateway.store.tables import metadata

_OPENING = "import sys; from genpool_gateway.store.opening import open_store; open_store(sys.argv[1]).close()"


def test_the_migrations_make_what_the_code_knows(store: TaskStore) -> None:
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        found = inspect(connection)
        made = {
            (table, index["name"], str(options))
            for table in metadata.tables
            for index in found.get_indexes(table)
            for name, options in index.get("dialect_options", {}).items()
            if name.endswith("_where")
        }
    assert {name for _, name, _ in made} == {
        *("tasks_unfinished", "tasks_waiting", "tasks_accepting", "tasks_ended", "tasks_unsuccessful"),
        *("tasks_to_cancel", "tasks_to_start", "tasks_to_end", "tasks_message_left"),
        *("tasks_ended_by_pool", "tasks_begun"),
    }


def test_opened_again_everything_is_still_there(url: str) -> None:
    for _ in range(3):
        store = open_store(url)
        with store.database.writing() as connection:
            connection.execute(
                text("INSERT INTO audit (time, key, action, subject) VALUES (0, 'k', 'a', 's')")
            )
        store.close()
    store = open_store(url)
    assert len(store.keys.audit_log(limit=9)) == 3
    store.close()


def test_gateways_that_start_at_once_migrate_once(url: str) -> None:
    starting = [
        subprocess.Popen([sys.executable, "-c", _OPENING, url], stderr=subprocess.PIPE) for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[1].decode() for process in starting]
    assert [process.returncode for process in starting] == [0] * 3, "\n".join(said)
    open_store(url).close()


def test_tables_of_a_newer_release_are_left_alone(url: str) -> None:
    store = open_store(url)
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(SettingsError, match="written by a newer release of the gateway"):
        open_store(url)


def test_a_migration_that_fails_changes_nothing(url: str) -> None:
    store = open_store(url)
    with store.database.writing() as connection:
        of_tasks = ("idempotency", "task_events", "task_contents", "task_uploads", "tasks")
        for table in (
            "alembic_version",
            "rebuilds",
            "audit",
            "sessions",
            "loose_inputs",
            "pool_places",
            "pool_samples",
            *of_tasks,
        ):
            connection.execute(text(f"DROP TABLE {table}"))
    store.close()
    # The table of keys is in the way of the migration, after it has made others.
    with pytest.raises(TaskStoreError, match="api_keys"):
        open_store(url)
    other = make_store(url).database
    with other.reading() as connection:
        assert inspect(connection).get_table_names() == ["api_keys"]
    other.close()
