"""Brings the tables into this release's form, at the start of each gateway."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.engine import Connection

from genpool_core import timing
from genpool_core.errors import SettingsError
from genpool_gateway.store.database import Database

#: The number of the advisory lock; those of owners have two numbers.
_LOCK = 0x67656E706F6F6C
_HEAD = "head"


def migrate(database: Database) -> None:
    """Run the steps that are missing, in one transaction. Of two gateways that start at once one waits for the other.

    Raises SettingsError where a newer release has changed the tables, TaskStoreError where the database fails.
    """
    path = database.address.path
    with nullcontext() if path is None else _only_one(path), database.writing() as connection:
        if path is None:
            _wait_for_others(connection)
        try:
            command.upgrade(_config(connection), _HEAD)
        except CommandError as error:
            raise SettingsError(
                f"The task store, {database.address.shown}, was written by a newer release of the gateway. Run that "
                "release, or restore a backup from before it."
            ) from error


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _wait_for_others(connection: Connection) -> None:
    limit = int(timing.TASK_STORE_MIGRATION_SECONDS * 1000)
    for name in ("statement_timeout", "lock_timeout"):
        connection.execute(text(f"SET LOCAL {name} = {limit}"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """SQLite's own lock does not cover the switch to a write-ahead log, which its first writer makes."""
    with path.with_name(path.name + ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
