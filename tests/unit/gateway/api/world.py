"""The whole application over fakes, asked as a server asks it, without a socket."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fastapi import FastAPI

from genpool_adapters.metrics import Registry
from genpool_gateway.accepting.in_flight import Accepting, Outcome
from genpool_gateway.adapters.api_metrics import PrometheusApiMetrics
from genpool_gateway.api.app import create_app
from genpool_gateway.api.bridge import Bridge
from genpool_gateway.api.services import ApiOptions, Services
from genpool_gateway.api.shared_looks import SharedLooks
from genpool_gateway.events.hub import Hub
from genpool_gateway.keys.identify import KeyRing
from genpool_gateway.keys.sessions import SessionRing
from genpool_gateway.pools.links import Links
from genpool_gateway.tasks.ports import NewTask
from support.pool_objects import pool_object, served
from unit.gateway.fakes import FakeReader
from unit.gateway.keys.key_fakes import FIRST, MemoryKeys
from unit.gateway.link_fakes import FakeBuckets, FakePlaces, FakePools
from unit.gateway.samples import NOW

POOL = served(pool_object("pictures", storage={"s3": {"bucket": "results"}}))
TASK: dict[str, Any] = {"pool": "team/pictures", "parameters": {"prompt": "a lake"}}


class FakeAcceptor:
    """Accepts all, or fails as it was told to."""

    def __init__(self) -> None:
        self.tasks: list[NewTask] = []
        self.refusal: Exception | None = None
        self.repeated = False

    def submit(self, task: NewTask, *, cap: int | None = None, full: object = None) -> Accepting:  # noqa: ARG002 - as of the real one
        done = Accepting(task.record.id)
        self.tasks.append(task)
        if self.refusal is not None:
            done.set_exception(self.refusal)
        else:
            done.set_result(Outcome(task.record, self.repeated))
        return done


class ApiWorld:
    """An application, and what it was told. ``key``: what is sent, where nothing else is said."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - of ApiOptions
        self.registry = Registry()
        self.acceptor, self.reader, self.hub = FakeAcceptor(), FakeReader(), Hub()
        self.keys = MemoryKeys()
        self.keyring = KeyRing(self.keys, lambda: (FIRST,))
        self.pools, self.places = FakePools([POOL]), FakePlaces()
        made = SimpleNamespace(
            acceptor=self.acceptor,
            reader=self.reader,
            hub=self.hub,
            keyring=self.keyring,
            sessions=SessionRing(self.keys, self.keyring, lambda: NOW),
            pools=self.pools,
            limits=SimpleNamespace(take=lambda _pool: None),
            links=Links(FakeBuckets(), self.pools, self.places, lambda: NOW),
            metrics=PrometheusApiMetrics(self.registry),
            bridge=Bridge(),
            looks=SharedLooks(),
            options=ApiOptions(**options),
            check_store=lambda: None,
            now=lambda: NOW,
        )
        self.services = cast("Services", made)
        self.app: FastAPI = create_app(self.services)

    def client(self, **headers: str) -> httpx.AsyncClient:
        """For requests in a loop of the caller's, which its watchers live in."""
        self.hub.bind(asyncio.get_running_loop())
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        sent = {"authorization": f"Bearer {FIRST}", **headers}
        return httpx.AsyncClient(transport=transport, base_url="http://gen.example", headers=sent)

    def call(self, method: str, url: str, **how: Any) -> httpx.Response:  # noqa: ANN401 - of httpx
        """One request."""

        async def ask() -> httpx.Response:
            async with self.client() as client:
                return await client.request(method, url, **how)

        return asyncio.run(ask())

    def figures(self, name: str) -> dict[str, float]:
        """The samples of a metric that are not zero, by their labels as Prometheus writes them."""
        lines = (line.rpartition(" ") for line in self.registry.render().decode().splitlines())
        found = {
            key.removeprefix(name): float(value) for key, _, value in lines if key.partition("{")[0] == name
        }
        return {labels: value for labels, value in found.items() if value}
