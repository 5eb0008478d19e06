"""The whole task store, opened."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from genpool_gateway.pools.samples import SampleStore
from genpool_gateway.store.accepting import SqlAcceptingStore
from genpool_gateway.store.address import parse_address
from genpool_gateway.store.applying import SqlEventStore
from genpool_gateway.store.inputs import SqlLooseInputs
from genpool_gateway.store.keys import SqlKeyStore
from genpool_gateway.store.known import SqlKnownTasks
from genpool_gateway.store.lost import SqlLostStore
from genpool_gateway.store.migrate import migrate
from genpool_gateway.store.places import SqlPlaceStore
from genpool_gateway.store.postgresql import PostgresqlDatabase
from genpool_gateway.store.reading import SqlTaskReader
from genpool_gateway.store.rebuilds import SqlRebuildStore
from genpool_gateway.store.remade import SqlRemadeStore
from genpool_gateway.store.replays import SqlReplayStore
from genpool_gateway.store.retention import SqlRetentionStore
from genpool_gateway.store.samples import SqlSampleStore
from genpool_gateway.store.sqlite import SqliteDatabase
from genpool_gateway.store.subscribers import Subscribers
from genpool_gateway.store.unended import SqlUnendedStore
from genpool_gateway.store.usage import SqlUsageStore
from genpool_gateway.tasks.key_ports import KeyStore
from genpool_gateway.tasks.places import LooseInputs, PlaceStore
from genpool_gateway.tasks.ports import (
    AcceptingStore,
    ChangeFeed,
    EventStore,
    KnownTasks,
    LostStore,
    RebuildStore,
    RemadeStore,
    ReplayStore,
    RetentionStore,
    TaskReader,
    UnendedStore,
    UsageStore,
)


@dataclass(frozen=True)
class TaskStore:
    """The ports of ``genpool_gateway.tasks.ports`` on one database."""

    database: SqliteDatabase | PostgresqlDatabase
    """What the ports share."""
    feed: ChangeFeed
    accepting: AcceptingStore
    known: KnownTasks
    reader: TaskReader
    events: EventStore
    unended: UnendedStore
    lost: LostStore
    remade: RemadeStore
    keys: KeyStore
    usage: UsageStore
    retention: RetentionStore
    loose: LooseInputs
    places: PlaceStore
    rebuilds: RebuildStore
    replays: ReplayStore
    samples: SampleStore

    def prepare(self) -> None:
        """Bring the tables into this release's form; nothing else works before.

        Raises SettingsError for tables of a newer release, TaskStoreError while the database is away: try again.
        """
        migrate(self.database)

    def check(self) -> None:
        """Ask the database for a sign of life; raises TaskStoreError."""
        with self.database.reading() as connection:
            connection.execute(select(1)).scalar_one()

    def close(self) -> None:
        """Close all connections."""
        self.database.close()


def make_store(url: str) -> TaskStore:
    """The task store at a URL; connects to nothing. Raises SettingsError for a URL that cannot serve."""
    address, subscribers = parse_address(url), Subscribers()
    database = (PostgresqlDatabase if address.path is None else SqliteDatabase)(address, subscribers)
    return TaskStore(
        database=database,
        feed=database,
        accepting=SqlAcceptingStore(database),
        known=SqlKnownTasks(database),
        reader=SqlTaskReader(database),
        events=SqlEventStore(database),
        unended=SqlUnendedStore(database),
        lost=SqlLostStore(database),
        remade=SqlRemadeStore(database),
        keys=SqlKeyStore(database),
        usage=SqlUsageStore(database),
        retention=SqlRetentionStore(database),
        loose=SqlLooseInputs(database),
        places=SqlPlaceStore(database),
        rebuilds=SqlRebuildStore(database),
        replays=SqlReplayStore(database),
        samples=SqlSampleStore(database),
    )


def open_store(url: str) -> TaskStore:
    """A task store that is prepared."""
    store = make_store(url)
    try:
        store.prepare()
    except BaseException:
        store.close()
        raise
    return store
