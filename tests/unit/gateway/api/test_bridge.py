"""Futures of other threads in an event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from genpool_gateway.api.bridge import Bridge


def test_results_and_faults_come_over() -> None:
    async def run() -> list[object]:
        bridge = Bridge()
        futures: list[Future[int]] = [Future() for _ in range(100)]

        def end() -> None:
            for number, future in enumerate(futures):
                if number % 10:
                    future.set_result(number)
                else:
                    future.set_exception(ValueError(str(number)))

        threading.Thread(target=end).start()
        waits = (bridge.result(future, 10) for future in futures)
        return await asyncio.gather(*waits, return_exceptions=True)

    found = asyncio.run(run())
    assert [one for one in found if isinstance(one, int)] == [n for n in range(100) if n % 10]
    assert [str(one) for one in found if isinstance(one, ValueError)] == [str(n) for n in range(0, 100, 10)]


def test_one_that_is_late_is_given_up_and_not_cancelled() -> None:
    async def run() -> Future[int]:
        bridge, future = Bridge(), Future[int]()
        with pytest.raises(TimeoutError):
            await bridge.result(future, 0.01)
        return future

    future = asyncio.run(run())
    assert not future.cancelled()
    # Nor does it matter that the loop is closed.
    future.set_result(1)


def test_one_that_has_ended_before() -> None:
    future: Future[int] = Future()
    future.set_result(7)
    assert asyncio.run(Bridge().result(future, 10)) == 7
