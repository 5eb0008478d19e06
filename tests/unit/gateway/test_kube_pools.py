"""Pools of a Kubernetes that answers, refuses, breaks off and forgets; the API server is our own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kubernetes.client import Configuration

from genpool_adapters.kube.api import KubeApi
from genpool_adapters.kube.list_watch import ListWatchTimes
from genpool_core import names
from genpool_gateway.adapters.kube_pools import KubePools
from genpool_gateway.pools.errors import PoolsUnknown
from support.kube_server import KubeServer
from support.pool_objects import PEOPLE, TEXT, config_map_object, pool_object

POOLS = f"/apis/{names.API_VERSION}/{names.PLURAL}"
MAPS = "/api/v1/configmaps"
QUICK = ListWatchTimes(watch=30, relist=0.01, retries=(0.01, 0.05))
FORBIDDEN = b'{"kind": "Status", "message": "pools is forbidden", "reason": "Forbidden", "code": 403}'
LATE = 20.0


def until(check: Callable[[], Any], what: str) -> None:
    ends = time.monotonic() + LATE
    waiting = threading.Event()
    while not check():
        assert time.monotonic() < ends, f"not in time: {what}"
        waiting.wait(0.01)


@pytest.fixture
def server() -> Iterator[KubeServer]:
    with KubeServer() as server:
        yield server


@contextmanager
def watching(
    server: KubeServer, *namespaces: str, waits: ListWatchTimes = QUICK, seconds: float = LATE
) -> Iterator[KubePools]:
    api = KubeApi(Configuration(host=server.url), "test", seconds=seconds)
    pools = KubePools(api, namespaces, waits=waits)
    pools.start()
    try:
        yield pools
    finally:
        began = time.monotonic()
        pools.stop()
        assert time.monotonic() - began < LATE / 2, "a stop does not wait for the end of a watch"


def add(server: KubeServer, pool: dict[str, Any]) -> None:
    server.put(POOLS, pool)
    server.put(MAPS, config_map_object(pool))


def served(pools: KubePools) -> list[str]:
    """Pools that take tasks; none while they are not known."""
    try:
        return [pool.name for pool in pools.snapshot().pools if pool.serving is not None]
    except PoolsUnknown:
        return []


def test_unknown_is_not_empty(server: KubeServer) -> None:
    server.at(POOLS)
    server.at(MAPS).refusal = (403, FORBIDDEN)
    with watching(server) as pools:
        until(lambda: "forbidden" in (pools.trouble() or ""), "the refusal is told")
        with pytest.raises(PoolsUnknown, match="Give the gateway's ServiceAccount the rights"):
            pools.snapshot()
        server.at(MAPS).refusal = None
        until(lambda: pools.trouble() is None, "known")
        assert pools.snapshot().pools == ()
        assert pools.outdated() is None


def test_before_anything_is_read(server: KubeServer) -> None:
    pools = KubePools(KubeApi(Configuration(host=server.url), "test"))
    assert "have not been read" in (pools.trouble() or "")
    with pytest.raises(PoolsUnknown, match="have not been read"):
        pools.snapshot()
    pools.stop()


def test_a_definition_that_is_missing_is_told(server: KubeServer) -> None:
    server.at(MAPS)
    with watching(server) as pools:
        until(lambda: "Install GenPool's CustomResourceDefinition" in (pools.trouble() or ""), "told")
        add(server, pool_object())
        until(lambda: served(pools) == ["team/pictures"], "it is there now")


def test_what_happens_is_seen(server: KubeServer) -> None:
    add(server, pool_object())
    with watching(server) as pools:
        until(lambda: served(pools) == ["team/pictures"], "listed")
        before = pools.snapshot()
        assert pools.snapshot() is before, "the same until something changes"
        photos = pool_object("photos", PEOPLE, queue="photos")
        until(lambda: server.at(POOLS).watches and server.at(MAPS).watches, "watches")
        server.put(POOLS, photos)
        until(lambda: len(pools.snapshot().pools) == 2, "the pool is seen")
        assert "no ConfigMap photos-workflows yet" in (pools.snapshot().find("photos").trouble or "")
        server.put(MAPS, config_map_object(photos))
        until(lambda: served(pools) == ["team/photos", "team/pictures"], "its ConfigMap is seen")
        server.put(MAPS, config_map_object(pool_object("photos", TEXT, queue="photos")))
        until(lambda: pools.snapshot().serving(TEXT)[0].ref.name == "photos", "an edit counts")
        server.delete(POOLS, photos)
        until(lambda: served(pools) == ["team/pictures"], "the deletion is seen")
        assert [pool.name for pool in before.pools] == ["team/pictures"], "a snapshot stays as it is"
    assert server.at(MAPS).selectors == {names.objects_selector()}, "no ConfigMap of others is read"


@pytest.mark.parametrize("how", ["cut", "expired", "nonsense", "refused"])
def test_after_a_watch_that_broke_all_is_listed_anew(server: KubeServer, how: str) -> None:
    add(server, pool_object())
    with watching(server) as pools:
        until(lambda: server.at(POOLS).watches and server.at(MAPS).watches, "watches")
        # What happens now is told by no watch.
        server.at(POOLS).silent = server.at(MAPS).silent = True
        server.delete(POOLS, pool_object())
        add(server, pool_object("photos", PEOPLE))
        before = server.at(POOLS).lists
        if how == "refused":
            server.at(POOLS).refusal = (403, FORBIDDEN)
        for path in (POOLS, MAPS):
            if how == "expired":
                server.expire(path)
            elif how == "nonsense":
                server.raw(path, b"<html>\n")
            else:
                server.end_watches(path)
        if how == "refused":
            until(lambda: "forbidden" in (pools.outdated() or ""), "the refusal is told")
            assert pools.trouble() is None, "what was known is still known"
            assert [pool.name for pool in pools.snapshot().pools] == ["team/pictures"]
            server.at(POOLS).refusal = None
        until(lambda: served(pools) == ["team/photos"], "listed anew")
        until(lambda: pools.outdated() is None, "nothing is old now")
        assert server.at(POOLS).lists > before


def test_watches_are_for_a_time_only(server: KubeServer) -> None:
    """A server that fell silent: the watch is given up, and the list tells what it did not."""
    add(server, pool_object())
    server.at(POOLS).silent = True
    with watching(server, waits=ListWatchTimes(watch=0, relist=0.01, retries=(0.01,)), seconds=0.5) as pools:
        until(lambda: served(pools) == ["team/pictures"], "listed")
        server.delete(POOLS, pool_object())
        until(lambda: served(pools) == [], "listed again")
        assert pools.outdated() is None


def test_only_the_namespaces_that_are_named(server: KubeServer) -> None:
    scoped = {
        team: [
            path.replace("/configmaps", f"/namespaces/{team}/configmaps").replace(
                "/generationpools", f"/namespaces/{team}/generationpools"
            )
            for path in (POOLS, MAPS)
        ]
        for team in ("art", "photos")
    }
    for team, paths in scoped.items():
        pool = pool_object(namespace=team, queue=team)
        server.put(paths[0], pool)
        server.put(paths[1], config_map_object(pool))
    with watching(server, "art", "photos") as pools:
        until(lambda: served(pools) == ["art/pictures", "photos/pictures"], "both")


def test_a_proxys_page_is_no_empty_list(server: KubeServer) -> None:
    server.at(MAPS)
    server.at(POOLS).refusal = (200, b"{}")
    with watching(server) as pools:
        until(lambda: "is no list" in (pools.trouble() or ""), "told")
