"""A PostgreSQL server for tests and benchmarks: private, without a system service, gone when it is stopped.

Its programs are Debian's; its data lie in a folder of their own; it listens on a port of the loopback address. It
refuses to run as root, so root runs it as the user that comes with the package.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from genpool_dev.cluster.artifacts import packages
from genpool_dev.cluster.errors import ClusterError, tail
from genpool_dev.cluster.node.process import Identity, identify, is_alive, kill
from genpool_dev.progress import Steps

_PROGRAMS = "usr/lib/postgresql/*/bin"
NEEDS = (
    packages.Need("postgresql", f"/{_PROGRAMS}/initdb"),
    packages.Need("postgresql", f"/{_PROGRAMS}/postgres"),
)
USER = "genpool"
_SYSTEM_USER = "postgres"
_START_SECONDS = 60
_STOP_SECONDS = 30.0
#: Another program may take the port between the look and the start.
_TRIES = 3
#: A crash of the machine would lose data: nobody's, and three times as fast.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True)
class PostgresqlServer:
    """A server that runs."""

    port: int
    password: str
    folder: Path
    process: Identity
    host: str = "127.0.0.1"

    def url(self, database: str = "postgres", *, port: int | None = None) -> str:
        """URL of a database for SQLAlchemy; ``port`` of a proxy in between."""
        return f"postgresql+psycopg://{USER}:{self.password}@{self.host}:{port or self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection of its superuser."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=USER,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Make a database, and take it away after the block; its name."""
        quoted = sql.Identifier(name)
        self._run(sql.SQL("CREATE DATABASE {}").format(quoted))
        try:
            yield name
        finally:
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))

    def _run(self, statement: sql.Composed) -> None:
        with self.connect() as connection:
            connection.execute(statement)


@contextmanager
def running(*, durable: bool = True) -> Iterator[PostgresqlServer]:
    """Run a server as long as the block lasts. ``durable``: its commits are on the disk when they return."""
    server = start(durable=durable)
    try:
        yield server
    finally:
        stop(server)


def start(*, durable: bool = True) -> PostgresqlServer:
    """Install what is missing, make a data folder and start a server that outlives this process."""
    packages.install_missing(Steps(), NEEDS)
    folder = Path(tempfile.mkdtemp(prefix="genpool-postgresql-"))
    try:
        password = secrets.token_hex(8)
        _initialize(folder, password)
        return _started(folder, password, durable=durable)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _started(folder: Path, password: str, *, durable: bool) -> PostgresqlServer:
    for _ in range(_TRIES):
        if (server := _start(folder, password, durable=durable)) is not None:
            return server
    # The folder goes with the error, so its words are in it.
    raise ClusterError(f"PostgreSQL did not start:\n{tail(folder / 'data' / 'log')}")


def stop(server: PostgresqlServer) -> None:
    """Stop a server at once and delete its data."""
    if is_alive(server.process):
        os.kill(server.process.pid, signal.SIGQUIT)
    deadline = time.monotonic() + _STOP_SECONDS
    while is_alive(server.process):
        if time.monotonic() > deadline:
            kill([server.process])
        time.sleep(0.02)
    shutil.rmtree(server.folder, ignore_errors=True)


def _initialize(folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_SYSTEM_USER)
        for path in (folder, secret):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    words = ["--username", USER, "--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    words += ["--locale", "C", "--no-sync", "--no-instructions", "--pgdata", str(folder / "data")]
    if not _succeeds(folder, "initdb", words):
        raise ClusterError(f"PostgreSQL could not make its data folder:\n{tail(folder / 'log')}")
    secret.unlink()


def _start(folder: Path, password: str, *, durable: bool) -> PostgresqlServer | None:
    """The server, once it answers; None where it did not start."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = int(taken.getsockname()[1])
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "max_connections": 200,
        **({} if durable else _NOT_DURABLE),
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    words = ["start", "--wait", "--timeout", str(_START_SECONDS), "--pgdata", str(folder / "data")]
    # The server writes into the log itself, or the program that starts it would not end.
    words += ["--log", str(folder / "data" / "log"), "--options", options]
    if not _succeeds(folder, "pg_ctl", words):
        return None
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    identity = identify(pid)
    return None if identity is None else PostgresqlServer(port, password, folder, identity)


def _succeeds(folder: Path, program: str, words: Sequence[str]) -> bool:
    found = max(Path("/").glob(f"{_PROGRAMS}/{program}"), key=lambda path: int(path.parts[-3]))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": _SYSTEM_USER, "group": _SYSTEM_USER, "extra_groups": ()}
    with (folder / "log").open("ab") as log:
        done = subprocess.run(
            [str(found), *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
            **who,
        )
    return done.returncode == 0
