"""The API, put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from genpool_adapters.secret_files import read_secret
from genpool_core import names
from genpool_core.errors import SettingsError
from genpool_gateway.accepting.replay import Replayer
from genpool_gateway.adapters.login_words import LoginWords
from genpool_gateway.api.app import create_app
from genpool_gateway.api.metrics import ApiMetrics
from genpool_gateway.api.server import ApiServer
from genpool_gateway.api.services import ApiOptions, Services
from genpool_gateway.callbacks.replay import CallbackReplay
from genpool_gateway.factory.task_parts import TaskParts
from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.keys.sessions import SessionRing
from genpool_gateway.pools.linked_files import LinkedFiles
from genpool_gateway.settings import GatewaySettings


def build_server(
    settings: GatewaySettings,
    parts: TaskParts,
    check_store: Callable[[], None],
    metrics: ApiMetrics,
    now: Callable[[], datetime],
) -> ApiServer:
    """Put the API on its parts. Takes the port; raises SettingsError where it cannot.

    ``check_store`` raises TaskStoreError while the task store was not opened yet.
    """
    return ApiServer(
        create_app(_services(settings, parts, check_store, metrics, now)),
        parts.hub,
        host=settings.api_host,
        port=settings.api_port,
        headers_seconds=settings.headers_seconds,
    )


def _services(
    settings: GatewaySettings,
    parts: TaskParts,
    check_store: Callable[[], None],
    metrics: ApiMetrics,
    now: Callable[[], datetime],
) -> Services:
    store, publishers = parts.store, parts.publishers
    first_keys = partial(_first_keys, settings.gateway_secret_dir)
    keyring = KeyRing(store.keys, first_keys)
    words = LoginWords(settings.gateway_secret_dir, first_keys)
    return Services(
        acceptor=parts.acceptor,
        limits=parts.limits,
        inputs=parts.inputs,
        known=store.known,
        loose=store.loose,
        ends=parts.endings.ends,
        look_at_ends=parts.endings.sweeper.soon,
        reader=store.reader,
        events=store.events,
        keys=store.keys,
        usage=store.usage,
        hub=parts.hub,
        pools=parts.pools,
        pools_over_time=parts.figures.over_time,
        workers=parts.figures.workers,
        links=parts.links,
        linked_files=LinkedFiles(parts.file_links, parts.stores.folder),
        store_checks=parts.store_watch.checks,
        dead_letters=parts.letters,
        keyring=keyring,
        sessions=SessionRing(store.keys, keyring, now, redeem=words.redeem),
        replayer=Replayer(
            parts.queues,
            store.events,
            store.replays,
            now,
            room=parts.limits.take,
            unfinished=store.reader.count_owned,
        ),
        callback_replay=CallbackReplay(
            parts.pools, parts.stores, lambda broker, vhost: publishers.get((broker, vhost))
        ),
        eraser=parts.erasing.eraser,
        metrics=metrics,
        now=now,
        check_store=check_store,
        options=_options(settings),
    )


def _first_keys(folder: Path) -> tuple[str, ...]:
    """The key of the installation; none while the operator has not written it."""
    try:
        return read_secret(folder, names.ADMIN_API_KEY, whose="the first API key", reason="ApiKeyMissing")
    except SettingsError:
        return ()


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
