"""Requests that wait for a bucket hold up no other, and are refused where too many wait already."""

from __future__ import annotations

import asyncio
import threading

from anyio import to_thread

from genpool_gateway.accepting.refusals import Overloaded
from genpool_gateway.api.slow import SlowRequests


async def _all(slow: SlowRequests, answers: threading.Event) -> list[object]:
    # The first eight have a thread, sixteen wait.
    waiting = [asyncio.create_task(slow.run(answers.wait)) for _ in range(30)]
    # The usual threads are free.
    assert await to_thread.run_sync(threading.active_count) > 0
    answers.set()
    return list(await asyncio.gather(*waiting, return_exceptions=True))


def test_others_are_answered_and_too_many_are_refused() -> None:
    found = asyncio.run(_all(SlowRequests(), threading.Event()))
    assert found.count(True) == 24
    refused = [one for one in found if isinstance(one, Overloaded)]
    assert len(refused) == 6
    assert refused[0].reason == "GatewayOverloaded"
