"""One PostgreSQL server for all processes of a test run; the last one that used it stops it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from genpool_dev import postgresql
from genpool_dev.cluster.artifacts.locks import locked
from genpool_dev.cluster.node.process import Identity, identify, is_alive
from genpool_dev.postgresql import PostgresqlServer


@contextmanager
def shared_server(folder: Path) -> Iterator[PostgresqlServer]:
    """A server without durability; processes that give the same folder share it."""
    with locked(folder / "postgresql.lock"):
        server, users = _read(folder) or (postgresql.start(durable=False), [])
        _write(folder, server, [*users, _me()])
    try:
        yield server
    finally:
        with locked(folder / "postgresql.lock"):
            _, users = _read(folder) or (server, [])
            # A process that was killed could not say that it is done.
            left = [user for user in users if user != _me() and is_alive(user)]
            if left:
                _write(folder, server, left)
            else:
                (folder / "postgresql.json").unlink()
                postgresql.stop(server)


def _me() -> Identity:
    identity = identify(os.getpid())
    assert identity is not None
    return identity


def _read(folder: Path) -> tuple[PostgresqlServer, list[Identity]] | None:
    file = folder / "postgresql.json"
    if not file.exists():
        return None
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    server = data["server"]
    made = {**server, "folder": Path(server["folder"]), "process": Identity(**server["process"])}
    return PostgresqlServer(**made), [Identity(**user) for user in data["users"]]


def _write(folder: Path, server: PostgresqlServer, users: list[Identity]) -> None:
    data = {
        "server": asdict(server) | {"folder": str(server.folder)},
        "users": [asdict(each) for each in users],
    }
    (folder / "postgresql.json").write_text(json.dumps(data), encoding="utf-8")
