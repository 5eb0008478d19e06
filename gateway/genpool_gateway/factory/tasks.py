"""Tasks, put together: the store, accepting, events, the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from genpool_adapters.amqp import AmqpConnection, AmqpParameters
from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.login import load_configuration
from genpool_adapters.secret_files import read_secret
from genpool_adapters.settings import variable
from genpool_core import names, timing
from genpool_core.brokers import BrokerConfig
from genpool_core.errors import ClusterError, SettingsError, TaskStoreError
from genpool_core.identity import TaskRef
from genpool_core.messages.base import PoolRef
from genpool_gateway.accepting.acceptor import Acceptor
from genpool_gateway.accepting.input_store import InputStore
from genpool_gateway.accepting.limits import Limits
from genpool_gateway.accepting.replay import Replayer
from genpool_gateway.adapters.events_queue import RabbitEvents
from genpool_gateway.adapters.file_pools import FilePools
from genpool_gateway.adapters.kube_pools import KubePools
from genpool_gateway.adapters.login_words import LoginWords
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.adapters.publisher import ConfirmedPublisher
from genpool_gateway.adapters.queue_passes import RabbitDeadQueues
from genpool_gateway.adapters.task_queues import RabbitWorkQueues, VhostName
from genpool_gateway.api.app import create_app
from genpool_gateway.api.server import ApiServer
from genpool_gateway.api.services import ApiOptions, Services
from genpool_gateway.callbacks.replay import CallbackReplay
from genpool_gateway.dead_letters.work import DeadLetters
from genpool_gateway.erasing.housekeeping import Housekeeping
from genpool_gateway.events.asked import AskedCallbacks
from genpool_gateway.events.hub import Hub
from genpool_gateway.events.passing import PassingEvents
from genpool_gateway.events.state_events import StateEvents
from genpool_gateway.factory.callbacks import Place
from genpool_gateway.factory.erasing import build_erasing
from genpool_gateway.factory.figures import build_figures
from genpool_gateway.factory.janitor import Endings, build_endings
from genpool_gateway.factory.limits import build_limits
from genpool_gateway.factory.rebuilding import Rebuilding, build_rebuilding
from genpool_gateway.factory.stores import build_file_links, build_stores
from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.keys.sessions import SessionRing
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.linked_files import LinkedFiles
from genpool_gateway.pools.links import Links
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.source import PoolSource
from genpool_gateway.settings import GatewaySettings
from genpool_gateway.store.opening import TaskStore, make_store
from genpool_gateway.store.preparation import Preparation
from genpool_gateway.tasks.replay import accepted_again


@dataclass(frozen=True)
class Tasks:
    """What runs for tasks."""

    store: TaskStore
    pools: PoolSource
    acceptor: Acceptor
    limits: Limits
    inputs: InputStore
    publishing: dict[VhostName, AmqpConnection]
    events: tuple[tuple[RabbitEvents, StateEvents], ...]
    hub: Hub
    server: ApiServer
    endings: Endings
    housekeeping: Housekeeping
    sampling: Housekeeping
    rebuilding: Rebuilding
    links: Links
    preparation: Preparation

    def start(self) -> None:
        """Start all threads; what needs the store begins when it is open. Returns at once."""
        self.pools.start()
        for connection in self.publishing.values():
            connection.start()
        self.limits.start()
        self.server.start()
        self.preparation.start()

    def stop(self, deadline: float) -> None:
        """Answer what is in hand, by ``deadline`` in monotonic seconds; what was not acknowledged comes again."""

        def left() -> float:
            return max(0.5, deadline - time.monotonic())

        self.server.stop(left())
        self.limits.stop(left())
        self.inputs.stop()
        self.preparation.stop(left())
        if self.preparation.begun:
            self.acceptor.stop(left())
            self.endings.stop(deadline)
            self.housekeeping.stop(left())
            self.sampling.stop(left())
            self.rebuilding.stop(left())
            for queue, events in self.events:
                events.stop(left())
                queue.stop(deadline)
        for connection in self.publishing.values():
            connection.stop(timing.GATEWAY_CLOSE_SECONDS)
        self.pools.stop()

    def close(self) -> None:
        """Close the store, when nobody asks it any more."""
        self.store.close()

    def unready(self) -> str | None:
        """Why no task is accepted now; None when tasks are."""
        return (
            self.server.unready() or self._store_trouble() or self.pools.trouble() or self._broker_trouble()
        )

    def unhealthy(self) -> str | None:
        """Why this process should be restarted; None when it works."""
        checks = [self.server.unhealthy, self.preparation.unhealthy]
        if self.preparation.begun:
            checks += [self.acceptor.unhealthy, self.endings.unhealthy, self.housekeeping.unhealthy]
            checks += [self.rebuilding.unhealthy, self.sampling.unhealthy]
            checks += [events.unhealthy for _, events in self.events]
        return next((trouble for check in checks if (trouble := check()) is not None), None)

    def _store_trouble(self) -> str | None:
        try:
            self.preparation.check()
            self.store.check()
        except TaskStoreError as error:
            return error.message
        return None

    def _broker_trouble(self) -> str | None:
        """While one vhost works, the others' trouble is told by the answers for its pools."""
        connections = self.publishing.values()
        troubles = [None if one.connected or one.vhost_missing else one.last_sentence for one in connections]
        return None if None in troubles else next(iter(troubles), None)


def build_tasks(
    settings: GatewaySettings,
    brokers: Sequence[BrokerConfig],
    place: Place,
    metrics: GatewayMetrics,
    now: Callable[[], datetime],
) -> Tasks:
    """Put them together. Connects to nothing, and takes the API's port.

    Raises
    ------
    SettingsError
        It cannot work as it is set up.
    """
    file_links = build_file_links(settings, now)
    stores = build_stores(settings, file_links)
    store, hub = make_store(database_url(settings)), Hub()
    pools = build_pool_source(settings)
    links = Links(stores, pools, now)
    vhosts = {(broker.name, vhost): place(broker, vhost) for broker in brokers for vhost in broker.vhosts}
    publishing = {name: AmqpConnection(_named(parameters, "tasks")) for name, parameters in vhosts.items()}
    queues = RabbitWorkQueues(publishing, lambda uid: _pool(pools, uid))
    publishers = {name: ConfirmedPublisher(connection) for name, connection in publishing.items()}
    acceptor = Acceptor(store.accepting, queues, now=now)
    endings = build_endings(store, stores, pools, vhosts, publishing, now=now)
    limits = build_limits(store, pools, publishing)
    inputs = InputStore(stores, store.loose, now)

    def begin_run(pool: PoolRef, ref: TaskRef) -> None:
        store.events.apply([accepted_again(pool, ref, now())])

    events = {
        name: _events(store, endings, parameters, AskedCallbacks(store.reader, pools, publishers[name]))
        for name, parameters in vhosts.items()
    }
    figures = build_figures(store, pools, now=now, keep_seconds=settings.task_keep_seconds)
    passing = PassingEvents(hub, figures.workers)
    taking = {
        name: (queue, partial(queue.take, stored.put, passing.put))
        for name, (queue, stored) in events.items()
    }
    rebuilding = build_rebuilding(store, stores, pools, metrics, taking, now=now, most=settings.events_most)

    letters = DeadLetters(RabbitDeadQueues(vhosts, publishing), begin_run)
    erasing = build_erasing(
        store,
        stores,
        pools,
        letters,
        now=now,
        keep_seconds=settings.task_keep_seconds,
        also=figures.sweeping,
    )

    def begin() -> None:
        for queue, stored in events.values():
            queue.connect()
            stored.start()
        rebuilding.start()
        store.database.subscribe(hub.look, hub.look_all)
        acceptor.start()
        endings.start()
        erasing.housekeeping.start()
        figures.sampling.start()

    preparation = Preparation(store.prepare, begin)
    first_keys = partial(_first_keys, settings.gateway_secret_dir)
    keyring = KeyRing(store.keys, first_keys)
    words = LoginWords(settings.gateway_secret_dir, first_keys)
    services = Services(
        acceptor=acceptor,
        limits=limits,
        inputs=inputs,
        known=store.known,
        loose=store.loose,
        ends=endings.ends,
        look_at_ends=endings.sweeper.soon,
        reader=store.reader,
        events=store.events,
        keys=store.keys,
        usage=store.usage,
        hub=hub,
        pools=pools,
        pools_over_time=figures.over_time,
        workers=figures.workers,
        links=links,
        linked_files=LinkedFiles(file_links, stores.folder),
        dead_letters=letters,
        keyring=keyring,
        sessions=SessionRing(store.keys, keyring, now, redeem=words.redeem),
        replayer=Replayer(queues, store.events, now, room=limits.take, unfinished=store.reader.count_owned),
        callback_replay=CallbackReplay(pools, stores, lambda broker, vhost: publishers.get((broker, vhost))),
        eraser=erasing.eraser,
        now=now,
        check_store=preparation.check,
        options=_options(settings),
    )
    return Tasks(
        store=store,
        pools=pools,
        acceptor=acceptor,
        limits=limits,
        inputs=inputs,
        publishing=publishing,
        events=tuple(events.values()),
        hub=hub,
        server=ApiServer(
            create_app(services),
            hub,
            host=settings.api_host,
            port=settings.api_port,
            headers_seconds=settings.headers_seconds,
        ),
        endings=endings,
        housekeeping=erasing.housekeeping,
        sampling=figures.sampling,
        rebuilding=rebuilding,
        links=links,
        preparation=preparation,
    )


def _events(
    store: TaskStore, endings: Endings, parameters: AmqpParameters, callbacks: AskedCallbacks
) -> tuple[RabbitEvents, StateEvents]:
    queue = RabbitEvents(parameters)
    stored = StateEvents(
        store.events,
        store.unended,
        queue,
        callbacks,
        place=parameters.place,
        on_dropped=endings.backlog.soon,
    )
    return queue, stored


def build_pool_source(settings: GatewaySettings) -> PoolSource:
    """Where the pools come from: files where they are set, else Kubernetes. Connects to nothing.

    Raises
    ------
    SettingsError
        There is no way to log in to Kubernetes.
    """
    if settings.pools_file is not None:
        return FilePools(settings.pools_file, settings.builtin_workflows)
    try:
        api = KubeApi(load_configuration(), "genpool-gateway")
    except ClusterError as error:
        raise SettingsError(
            f"{error.message} Or set {variable('pools_file')} to a file with GenerationPools."
        ) from error
    return KubePools(api, settings.namespaces)


def _pool(pools: PoolSource, uid: str) -> ServedPool | None:
    try:
        return pools.snapshot().by_uid(uid)
    except PoolsUnknown:
        return None


def _first_keys(folder: Path) -> tuple[str, ...]:
    """The key of the installation; none while the operator has not written it."""
    try:
        return read_secret(folder, names.ADMIN_API_KEY, whose="the first API key", reason="ApiKeyMissing")
    except SettingsError:
        return ()


def database_url(settings: GatewaySettings) -> str:
    """The task store's URL; raises SettingsError where its file cannot be read."""
    file = settings.database_url_file
    if file is None:
        return settings.database_url
    (url,) = read_secret(file.parent, file.name, whose="the task store's URL", reason="DatabaseUrlMissing")
    return url


def _named(parameters: AmqpParameters, what: str) -> AmqpParameters:
    return replace(parameters, connection_name=f"{parameters.connection_name}-{what}")


def _options(settings: GatewaySettings) -> ApiOptions:
    return ApiOptions(
        authenticate=settings.authentication == "keys",
        proxies=settings.trusted_proxies,
        proxy_header=settings.trusted_proxy_header,
        cors_origins=settings.cors_origins,
        max_body_bytes=settings.max_body_bytes,
        body_seconds=settings.body_seconds,
        requests_per_second=settings.requests_per_second,
        public_url=settings.public_url,
    )
