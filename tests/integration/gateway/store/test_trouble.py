"""A database that is away, full, foreign or damaged: a sentence, no password, and work goes on when it is back."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from genpool_core import timing
from genpool_core.errors import SettingsError, TaskStoreError
from genpool_dev.postgresql import PostgresqlServer
from genpool_gateway.store import tables
from genpool_gateway.store.opening import TaskStore, open_store
from genpool_gateway.tasks.ports import Acceptance, NewTask
from support.task_changes import accepting, at, change, key
from support.tcpproxy import TcpProxy


def test_postgresql_away_and_back(postgresql_server: PostgresqlServer, postgresql_database: str) -> None:
    proxy = TcpProxy(postgresql_server.host, postgresql_server.port)
    store = open_store(postgresql_server.url(postgresql_database, port=proxy.port))
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    proxy.cut()
    for ask in (
        store.check,
        lambda: store.reader.get(key("a")),
        lambda: store.events.apply([change("a", "claimed")]),
        lambda: store.accepting.accept([NewTask(accepting("b"))], {}, at(0)),
    ):
        with pytest.raises(TaskStoreError) as away:
            ask()
        said = away.value.message
        assert f"the PostgreSQL database {postgresql_database} at 127.0.0.1:{proxy.port}, failed: " in said
        assert "goes on by itself" in said
        assert postgresql_server.password not in said
    proxy.mend()
    store.check()
    assert [each.type for each in store.events.apply([change("a", "claimed")])] == ["claimed"]
    store.close()
    proxy.close()


def test_idle_connections_that_broke_are_no_error(
    postgresql_server: PostgresqlServer, postgresql_database: str
) -> None:
    proxy = TcpProxy(postgresql_server.host, postgresql_server.port)
    store = open_store(postgresql_server.url(postgresql_database, port=proxy.port))
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    assert store.reader.get(key("a")) is not None
    proxy.break_connections()
    assert store.reader.get(key("a")) is not None
    store.accepting.accept([NewTask(accepting("b"))], {}, at(0))
    store.close()
    proxy.close()


def test_a_server_that_answers_no_more_is_not_waited_for_for_ever(
    postgresql_server: PostgresqlServer, postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "TASK_STORE_SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(timing, "TASK_STORE_CONNECT_SECONDS", 2)
    proxy = TcpProxy(postgresql_server.host, postgresql_server.port)
    store = open_store(postgresql_server.url(postgresql_database, port=proxy.port))
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    with store.database.reading() as connection:
        proxy.hang()
        with pytest.raises(OperationalError, match=r"did not answer within 0\.3 s"):
            connection.execute(text("SELECT 1"))
    with pytest.raises(TaskStoreError):
        store.reader.get(key("a"))
    proxy.break_connections()
    proxy.mend()
    assert store.reader.get(key("a")) is not None
    store.accepting.accept([NewTask(accepting("b"))], {}, at(0))
    store.close()
    proxy.close()


def test_a_login_that_postgresql_refuses(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.url("nothing").replace(postgresql_server.password, quote("s3cr3t/word"))
    with pytest.raises(TaskStoreError, match="Correct user and password") as refused:
        open_store(url)
    assert "s3cr3t" not in refused.value.message


def test_a_database_that_is_not_there(postgresql_server: PostgresqlServer) -> None:
    with pytest.raises(TaskStoreError, match=r'"nothing" does not exist\. Create the database'):
        open_store(postgresql_server.url("nothing"))


def test_a_row_that_somebody_holds_is_waited_for_a_little(
    postgresql_server: PostgresqlServer, postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "TASK_STORE_LOCK_SECONDS", 0.2)
    store = open_store(postgresql_server.url(postgresql_database))
    store.events.apply([change("a", "claimed")])
    with postgresql_server.connect(postgresql_database) as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT * FROM tasks FOR UPDATE")
        with pytest.raises(TaskStoreError, match="pg_locks"):
            store.events.apply([change("a", "ended")])
    assert len(store.events.apply([change("a", "ended")])) == 1
    store.close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TaskStoreError, match=r"none/tasks\.db, cannot be opened: No such file") as refused:
        open_store(f"sqlite:///{tmp_path}/none/tasks.db")
    assert "its folder is there" in refused.value.message


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "tasks.db").write_bytes(b"This is no database.\n" * 100)
    with pytest.raises(TaskStoreError, match="restore a backup"):
        open_store(f"sqlite:///{tmp_path}/tasks.db")


def test_a_full_volume(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.database.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=60")
    with pytest.raises(TaskStoreError, match="Make room on its volume"):
        store.accepting.accept([NewTask(accepting(f"t{number}")) for number in range(1000)], {}, at(0))
    assert store.reader.get(key("t0")) is None
    store.close()


def test_an_sqlite_file_that_another_program_writes(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "TASK_STORE_LOCK_SECONDS", 0.2)
    store = open_store(sqlite_url)
    other = sqlite3.connect(tmp_path / "tasks.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TaskStoreError, match="only one gateway may use an SQLite file"):
        store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    assert store.reader.get(key("a")) is None
    other.close()
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    store.close()


def test_an_sqlite_file_is_only_its_owners_and_is_synced(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    files = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if "lock" not in path.name
    }
    assert files.keys() == {"tasks.db", "tasks.db-wal", "tasks.db-shm"}
    assert set(files.values()) == {0o600}
    for pragma, value in (("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")):
        with store.database.writing() as connection:
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value
    with pytest.raises(TaskStoreError, match="readonly"), store.database.reading() as reader:
        reader.execute(text("DELETE FROM tasks"))
    store.close()


def test_readers_do_not_wait_for_a_writer(store: TaskStore) -> None:
    store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
    seen = []
    with store.database.writing() as connection:
        connection.execute(text("UPDATE tasks SET state = 'queued'"))
        reader = threading.Thread(target=lambda: seen.append(store.reader.get(key("a"))))
        reader.start()
        reader.join(10)
    assert seen == [accepting("a")]


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true", "mysql://u:s3cr3t@h/d"),
        *("no url s3cr3t", "postgresql://u:s3cr3t@h", ""),
    ],
)
def test_urls_that_cannot_serve(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        open_store(url)
    assert "s3cr3t" not in refused.value.message


# A crash -------------------------------------------------------------------------------------------------------------

_ACCEPTING = """
import sys

from genpool_gateway.store.opening import open_store
from genpool_gateway.tasks.ports import Idempotency, NewTask
from support.task_changes import accepting, at
store = open_store(sys.argv[1])
group = 0
while True:
    tasks = [NewTask(accepting(f"{group}-{number}"), Idempotency(f"{group}-{number}", "d")) for number in range(20)]
    store.accepting.accept(tasks, {}, at(group))
    print(group, flush=True)
    group += 1
"""


def test_killed_while_it_accepts_all_that_was_confirmed_is_there(url: str) -> None:
    path = os.pathsep.join(["tests", os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-c", _ACCEPTING, url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[4],
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        assert process.stdout is not None
        confirmed = -1
        for line in process.stdout:
            confirmed = int(line)
            if confirmed == 25:
                process.send_signal(signal.SIGKILL)
    assert confirmed >= 25
    store = open_store(url)
    group_size = 20
    for group in range(confirmed + 1):
        tasks = [NewTask(accepting(f"{group}-{number}")) for number in range(group_size)]
        said = {each.acceptance for each in store.accepting.accept(tasks, {}, at(999))}
        assert said == {Acceptance.SAME}, group
    # A group is there whole or not at all, with its events.
    with store.database.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (tables.tasks, tables.task_contents, tables.task_events, tables.idempotency)
        ]
    assert len(set(counts)) == 1
    assert counts[0] % group_size == 0
    assert store.reader.count_unfinished("uid-1") == counts[0]
    store.close()
