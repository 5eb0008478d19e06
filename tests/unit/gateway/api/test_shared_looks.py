"""Looks of many requests at once: one of them looks for all, and none suffers for another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import FastAPI, Request

from genpool_core.errors import TaskStoreError
from genpool_gateway.api.callers import caller_of_request, is_still
from genpool_gateway.api.rates import Rates
from genpool_gateway.api.services import ApiOptions, Services
from genpool_gateway.api.shared_looks import SharedLooks
from genpool_gateway.keys.access import Caller
from genpool_gateway.keys.identify import KeyRing
from unit.gateway.keys.key_fakes import KEY, MemoryKeys


class Slow:
    """A look that ends when it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.words: list[str] = []
        self.began = threading.Event()
        self.go_on = threading.Event()
        self._error = error

    def look(self, word: str) -> int:
        self.words.append(word)
        self.began.set()
        assert self.go_on.wait(10)
        if self._error is not None:
            raise self._error
        return len(self.words)


async def all_of(slow: Slow, *asked: Awaitable[int]) -> list[int | BaseException]:
    tasks = [asyncio.ensure_future(each) for each in asked]
    assert await asyncio.to_thread(slow.began.wait, 10)
    slow.go_on.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_those_who_ask_meanwhile_get_the_same_answer_and_later_ones_a_new_one() -> None:
    async def run() -> None:
        slow, looks = Slow(), SharedLooks()
        assert await all_of(slow, *(looks.ask(slow.look, "a") for _ in range(50))) == [1] * 50
        assert await looks.ask(slow.look, "a") == 2
        assert slow.words == ["a", "a"]

    asyncio.run(run())


def test_other_words_are_looked_up_by_themselves() -> None:
    async def run() -> None:
        slow, looks = Slow(), SharedLooks()
        await all_of(slow, looks.ask(slow.look, "a"), looks.ask(slow.look, "b"))
        assert sorted(slow.words) == ["a", "b"]

    asyncio.run(run())


def test_a_failure_is_everybodys_and_is_not_remembered() -> None:
    async def run() -> None:
        slow, looks = Slow(TaskStoreError("the database is away.")), SharedLooks()
        failed = await all_of(slow, looks.ask(slow.look, "a"), looks.ask(slow.look, "a"))
        assert [type(each) for each in failed] == [TaskStoreError, TaskStoreError]
        with pytest.raises(TaskStoreError):
            await looks.ask(slow.look, "a")
        assert slow.words == ["a", "a"]

    asyncio.run(run())


def test_that_the_first_is_gone_ends_it_for_nobody_else() -> None:
    async def run() -> None:
        slow, looks = Slow(), SharedLooks()
        first, second = (asyncio.ensure_future(looks.ask(slow.look, "a")) for _ in range(2))
        assert await asyncio.to_thread(slow.began.wait, 10)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        slow.go_on.set()
        assert await second == 1

    asyncio.run(run())


def test_a_thousand_watchers_that_wake_up_together_look_their_key_up_once() -> None:
    keys, seconds = MemoryKeys(), [0.0]
    ring = KeyRing(keys, tuple, clock=lambda: seconds[0])
    services = SimpleNamespace(keyring=ring, options=ApiOptions(), looks=SharedLooks())
    app = FastAPI()
    app.state.services, app.state.rates = cast("Services", services), Rates(0.0)
    request = Request({"type": "http", "app": app, "headers": [(b"authorization", f"Bearer {KEY}".encode())]})

    async def run() -> None:
        caller: Caller = await caller_of_request(request)
        assert keys.looks == 1
        seconds[0] = 1e6
        assert all(await asyncio.gather(*(is_still(request, caller) for _ in range(1000))))
        assert keys.looks == 2

    asyncio.run(run())
