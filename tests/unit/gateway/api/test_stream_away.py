"""The stream of a task's events."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from genpool_core.errors import TaskStoreError
from genpool_gateway.api.services import Services
from genpool_gateway.api.stream import task_stream
from genpool_gateway.events.hub import Hub
from unit.gateway.samples import record


class _Away:
    """A task store whose database is away."""

    def events(self, task: str, *, after: int = 0) -> list[Any]:
        raise TaskStoreError(f"no events of {task} behind {after}: the database is away.")


class _Services:
    def __init__(self) -> None:
        self.hub = Hub()
        self.reader = _Away()


async def always() -> bool:
    return True


def test_a_stream_ends_where_the_store_is_away() -> None:
    async def run() -> list[bytes]:
        services = cast("Services", _Services())
        return [part async for part in task_stream(services, record(), 0, always)]

    assert asyncio.run(run()) == [b"retry: 2000\n\n"]
