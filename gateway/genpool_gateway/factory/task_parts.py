"""What works on tasks, put together: the store, accepting, events, ends. The API is put on top of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_core import timing
from genpool_core.brokers import BrokerConfig
from genpool_core.identity import TaskRef
from genpool_core.messages.base import PoolRef
from genpool_gateway.accepting.acceptor import Acceptor
from genpool_gateway.accepting.input_store import InputStore
from genpool_gateway.accepting.limits import Limits
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.adapters.publisher import ConfirmedPublisher
from genpool_gateway.adapters.queue_passes import RabbitDeadQueues
from genpool_gateway.adapters.stores import Stores
from genpool_gateway.adapters.task_queues import RabbitWorkQueues, VhostName
from genpool_gateway.dead_letters.work import DeadLetters
from genpool_gateway.erasing.housekeeping import Look
from genpool_gateway.events.hub import Hub
from genpool_gateway.events.passing import PassingEvents
from genpool_gateway.factory.callbacks import Place
from genpool_gateway.factory.erasing import Erasing, build_erasing
from genpool_gateway.factory.events import Events, build_events
from genpool_gateway.factory.figures import PoolFigures, build_figures
from genpool_gateway.factory.janitor import Endings, build_endings
from genpool_gateway.factory.limits import build_limits
from genpool_gateway.factory.pools import build_pool_source
from genpool_gateway.factory.rebuilding import Rebuilding, build_rebuilding
from genpool_gateway.factory.stores import StoreWatch, build_file_links, build_store_watch, build_stores
from genpool_gateway.factory.task_store import database_url
from genpool_gateway.janitor.due import DueEnds
from genpool_gateway.janitor.remade import RemadePools
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.file_links import FileLinks
from genpool_gateway.pools.links import Links
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.settings import GatewaySettings
from genpool_gateway.store.opening import TaskStore, make_store
from genpool_gateway.tasks.replay import accepted_again


@dataclass(frozen=True)
class TaskParts:
    """All of it, for those that are put together from it."""

    store: TaskStore
    stores: Stores
    store_watch: StoreWatch
    pools: PoolSource
    links: Links
    file_links: FileLinks
    hub: Hub
    publishing: Mapping[VhostName, AmqpConnection]
    publishers: Mapping[VhostName, ConfirmedPublisher]
    queues: RabbitWorkQueues
    acceptor: Acceptor
    limits: Limits
    inputs: InputStore
    endings: Endings
    events: Events
    figures: PoolFigures
    rebuilding: Rebuilding
    letters: DeadLetters
    erasing: Erasing


def build_parts(
    settings: GatewaySettings,
    brokers: Sequence[BrokerConfig],
    place: Place,
    metrics: GatewayMetrics,
    now: Callable[[], datetime],
) -> TaskParts:
    """Put them together. Connects to nothing.

    Raises
    ------
    SettingsError
        It cannot work as it is set up.
    """
    file_links = build_file_links(settings, now)
    stores = build_stores(settings, file_links)
    store, hub = make_store(database_url(settings)), Hub()
    pools = build_pool_source(settings)
    vhosts = {(broker.name, vhost): place(broker, vhost) for broker in brokers for vhost in broker.vhosts}
    publishing = {name: AmqpConnection(_named(parameters, "tasks")) for name, parameters in vhosts.items()}
    publishers = {name: ConfirmedPublisher(connection) for name, connection in publishing.items()}
    queues = RabbitWorkQueues(publishing, lambda uid: _pool(pools, uid))
    watch = build_store_watch(pools, stores, now)
    endings = build_endings(
        store, stores, pools, vhosts, publishing, now=now, refused=watch.checks.keeps_from_ending
    )
    keep = settings.task_keep_seconds
    due = Look(
        "ends that are due",
        timing.HOUSEKEEPING_SECONDS,
        DueEnds(store.unended, now, metrics.ends_waiting).look,
    )
    figures = build_figures(store, pools, now=now, keep_seconds=keep, also=[due])
    events = build_events(store, pools, endings, vhosts, publishers)
    takers = events.takers(PassingEvents(hub, figures.workers))

    def begin_run(pool: PoolRef, ref: TaskRef) -> None:
        store.events.apply([accepted_again(pool, ref, now())])
        store.replays.over([ref.key])

    remade = Look(
        "remade pools", timing.HOUSEKEEPING_SECONDS, RemadePools(pools, store.places, store.remade, now).look
    )
    lost = Look("lost tasks", timing.LOST_LOOK_SECONDS, endings.lost.look)
    letters = DeadLetters(
        RabbitDeadQueues(vhosts, publishing), begin_run, lambda tasks: store.replays.begin(tasks, now())
    )
    return TaskParts(
        store=store,
        stores=stores,
        store_watch=watch,
        pools=pools,
        links=Links(stores, pools, store.places, now),
        file_links=file_links,
        hub=hub,
        publishing=publishing,
        publishers=publishers,
        queues=queues,
        acceptor=Acceptor(store.accepting, queues, now=now),
        limits=build_limits(store, pools, publishing),
        inputs=InputStore(stores, store.loose, now),
        endings=endings,
        events=events,
        figures=figures,
        rebuilding=build_rebuilding(
            store, stores, pools, metrics, takers, now=now, most=settings.events_most
        ),
        letters=letters,
        erasing=build_erasing(
            store, stores, pools, letters, now=now, keep_seconds=keep, also=(*figures.sweeping, remade, lost)
        ),
    )


def _pool(pools: PoolSource, uid: str) -> ServedPool | None:
    try:
        return pools.snapshot().by_uid(uid)
    except PoolsUnknown:
        return None


def _named(parameters: AmqpParameters, what: str) -> AmqpParameters:
    return replace(parameters, connection_name=f"{parameters.connection_name}-{what}")
