"""Watchers: told that there is something to read, and given what passes; a slow one misses only what was overtaken."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from genpool_gateway.events.hub import Hub, Watch

POOL = "uid-1"


def run(play: Callable[[Hub], Awaitable[None]]) -> None:
    async def bound() -> None:
        hub = Hub()
        hub.bind(asyncio.get_running_loop())
        await play(hub)

    asyncio.run(bound())


async def heard(watch: Watch) -> None:
    await asyncio.wait_for(watch.changed.wait(), 5)
    watch.changed.clear()


def test_only_who_watches_a_task_is_told() -> None:
    async def play(hub: Hub) -> None:
        with (
            hub.watching("a", POOL) as first,
            hub.watching("a", POOL) as second,
            hub.watching("b", POOL) as other,
        ):
            await asyncio.to_thread(hub.look, ["a"])
            await heard(first)
            await heard(second)
            assert (first.stored, second.stored, other.stored) == (True, True, False)
            assert len(hub) == 3
        assert len(hub) == 0

    run(play)


def test_all_are_told_when_something_may_have_been_missed() -> None:
    async def play(hub: Hub) -> None:
        with hub.watching("a", POOL) as first, hub.watching("b", POOL) as second:
            hub.look_all()
            await heard(first)
            await heard(second)
            assert first.stored
            assert second.stored

    run(play)


def test_progress_is_passed_on_and_its_latest_is_kept() -> None:
    async def play(hub: Hub) -> None:
        with hub.watching("a", POOL) as watch:
            for value in (0.1, 0.2, 0.3):
                hub.pass_on("a", POOL, "progress", {"value": value})
            hub.pass_on("a", POOL, "preview", {"image": "x"})
            hub.pass_on("b", POOL, "progress", {"value": 0.9})
            await heard(watch)
            assert dict(watch.passing) == {"progress": {"value": 0.3}, "preview": {"image": "x"}}
        assert hub.progress("a", POOL) == {"value": 0.3}
        assert hub.progress("b", POOL) == {"value": 0.9}
        assert hub.progress("c", POOL) is None

    run(play)


def test_the_latest_progress_is_kept_of_so_many_tasks_only() -> None:
    async def play(hub: Hub) -> None:
        for number in range(10_001):
            hub.pass_on(str(number), POOL, "progress", {"value": 0.5})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert hub.progress("0", POOL) is None
        assert hub.progress("10000", POOL) is not None

    run(play)


def test_at_the_end_all_watches_are_closed() -> None:
    async def play(hub: Hub) -> None:
        with hub.watching("a", POOL) as watch:
            hub.close_soon()
            await heard(watch)
            assert watch.closed

    run(play)


def test_nothing_is_told_into_a_loop_that_has_ended() -> None:
    hub = Hub()
    hub.look(["a"])

    async def bind() -> None:
        hub.bind(asyncio.get_running_loop())

    thread = threading.Thread(target=lambda: asyncio.run(bind()))
    thread.start()
    thread.join()
    hub.look(["a"])
    hub.look_all()
    hub.pass_on("a", POOL, "progress", {})
    hub.close_soon()


def test_workers_of_another_pool_pass_on_nothing() -> None:
    async def play(hub: Hub) -> None:
        with hub.watching("a", POOL) as watch:
            hub.pass_on("a", "uid-2", "preview", {"image": "x"})
            hub.pass_on("a", "uid-2", "progress", {"value": 0.9})
            hub.pass_on("a", POOL, "progress", {"value": 0.1})
            await heard(watch)
            assert dict(watch.passing) == {"progress": {"value": 0.1}}
        assert hub.progress("a", POOL) == {"value": 0.1}

    run(play)
