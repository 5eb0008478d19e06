"""The task store on a real SQLite file and a real PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from genpool_dev.postgresql import PostgresqlServer
from genpool_gateway.store.opening import TaskStore, open_store
from support.shared_postgresql import shared_server


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlServer]:
    """The server of this run; each test has a database of its own in it."""
    folder = tmp_path_factory.getbasetemp()
    with shared_server(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) as server:
        yield server


@pytest.fixture
def postgresql_database(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """Name of an empty database."""
    with postgresql_server.database(f"test_{uuid.uuid4().hex[:12]}") as name:
        yield name


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer, postgresql_database: str) -> str:
    return postgresql_server.url(postgresql_database)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tasks.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Of an empty task store, in each database."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(url: str) -> Iterator[TaskStore]:
    made = open_store(url)
    yield made
    made.close()
