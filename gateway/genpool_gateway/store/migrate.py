"""Brings the tables into this release's form, at the start of each gateway."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import Connection

from genpool_core.errors import SettingsError
from genpool_gateway.store.database import Database

_HEAD = "head"


def migrate(database: Database) -> None:
    """Run the steps that are missing, in one transaction. Of two gateways that start at once one waits for the other.

    Raises SettingsError where a newer release has changed the tables, TaskStoreError where the database fails.
    """
    with database.starting() as connection:
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
