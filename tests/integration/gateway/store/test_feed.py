"""Watchers hear of changes, whichever gateway stored them, and are told when they may have missed some."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from genpool_dev.postgresql import PostgresqlServer
from genpool_gateway.store.opening import TaskStore, open_store
from genpool_gateway.tasks.ports import NewTask
from integration.broker import until
from support.task_changes import accepting, at, change, key
from support.tcpproxy import TcpProxy


@dataclass
class Heard:
    """What a subscriber was told."""

    tasks: list[str] = field(default_factory=list)
    missed: int = 0

    def changed(self, tasks: Collection[str]) -> None:
        self.tasks += tasks

    def was_missed(self) -> None:
        self.missed += 1


@contextmanager
def hearing(store: TaskStore) -> Iterator[Heard]:
    heard = Heard()
    end = store.feed.subscribe(heard.changed, heard.was_missed)
    yield heard
    end()


def test_what_changes_is_told_after_the_commit(store: TaskStore) -> None:
    with hearing(store) as heard:
        if store.database.address.path is None:
            until(lambda: heard.missed, "the start of the listening")
        store.accepting.accept([NewTask(accepting("a"))], {}, at(0))
        store.events.request_cancel(key("a"), at(1))
        until(lambda: heard.tasks == [key("a")], f"a request to cancel: {heard}")
        store.events.apply([change("a", "ended"), change("b", "claimed")])
        until(lambda: sorted(heard.tasks[1:]) == [key("a"), key("b")], f"changes: {heard}")
        # Nothing new, nothing told.
        store.events.apply([change("a", "ended"), change("b", "claimed")])
        store.retention.erase(key("a"), at(2))
        until(lambda: heard.tasks[3:] == [key("a")], f"what was erased: {heard}")
    store.events.apply([change("c", "claimed")])
    assert key("c") not in heard.tasks


def test_a_thousand_changes_are_more_than_one_notification_holds(store: TaskStore) -> None:
    with hearing(store) as heard:
        if store.database.address.path is None:
            until(lambda: heard.missed, "the start of the listening")
        names = {f"{number:04}" for number in range(1000)}
        store.events.apply([change(name, "claimed") for name in names])
        until(lambda: len(heard.tasks) == 1000, "all of them")
        assert set(heard.tasks) == {key(name) for name in names}


def test_another_gateway_hears_and_after_a_cut_knows_that_it_missed_some(
    postgresql_server: PostgresqlServer, postgresql_database: str
) -> None:
    proxy = TcpProxy(postgresql_server.host, postgresql_server.port)
    writer = open_store(postgresql_server.url(postgresql_database))
    watcher = open_store(postgresql_server.url(postgresql_database, port=proxy.port))
    with hearing(watcher) as heard:
        until(lambda: heard.missed == 1, "the start of the listening")
        writer.events.apply([change("a", "claimed")])
        until(lambda: heard.tasks == [key("a")], "another gateway's change")
        proxy.cut()
        writer.events.apply([change("b", "claimed")])
        proxy.mend()
        until(lambda: heard.missed == 2, "the next connection")
        assert watcher.reader.get(key("b")) is not None
        writer.events.apply([change("c", "claimed")])
        until(lambda: heard.tasks == [key("a"), key("c")], f"a change after the cut: {heard}")
    watcher.close()
    writer.close()
    proxy.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "task-store-listener"]
