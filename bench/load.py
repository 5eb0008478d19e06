"""A cheap client: raw HTTP/1.1 over asyncio, with requests that were made before and answers that are hardly read."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

_LENGTH = b"content-length: "


@dataclass
class Answers:
    """What came back."""

    accepted: int = 0
    others: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def percentile(self, part: float) -> float:
        """Milliseconds within which this part of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000


def submission(port: int, key: str, number: int) -> bytes:
    """A request to accept a task, the same for every server under test."""
    body = json.dumps(
        {
            "pool": "text",
            "parameters": {"prompt": f"a lake at dawn, number {number}", "width": 768, "height": 512},
            "metadata": {"album": number},
        }
    ).encode()
    head = (
        f"POST /v1/tasks HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Caller(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiter: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request; the whole answer."""
        assert self.transport is not None
        self._waiter = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._waiter

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0 or self._waiter is None:
            return
        at = self._buffer.find(_LENGTH, 0, head) + len(_LENGTH)
        length = int(self._buffer[at : self._buffer.find(b"\r", at)])
        if len(self._buffer) >= head + 4 + length:
            answer, self._buffer = self._buffer, b""
            self._waiter.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionError(f"the server closed the connection: {exc}"))


async def connect(port: int) -> _Caller:
    """A connection to a server on this machine."""
    _, caller = await asyncio.get_running_loop().create_connection(_Caller, "127.0.0.1", port)
    return caller


def _note(answers: Answers, answer: bytes, since: float) -> None:
    answers.seconds.append(time.perf_counter() - since)
    if answer.startswith(b"HTTP/1.1 202"):
        answers.accepted += 1
    else:
        status = answer[9:12].decode()
        answers.others[status] = answers.others.get(status, 0) + 1


async def closed_loop(
    port: int, key: str, numbers: Iterator[int], clients: int, until: Callable[[], bool]
) -> Answers:
    """So many clients, each of which sends its next task as soon as the one before is answered."""
    answers = Answers()

    async def run() -> None:
        caller = await connect(port)
        while not until():
            since = time.perf_counter()
            _note(answers, await caller.ask(submission(port, key, next(numbers))), since)
        assert caller.transport is not None
        caller.transport.close()

    await asyncio.gather(*(run() for _ in range(clients)))
    return answers


async def open_loop(
    port: int, key: str, numbers: Iterator[int], per_second: float, seconds: float
) -> Answers:
    """A task each so often, whether those before are answered or not. Times count from when each was due."""
    answers = Answers()
    idle = [await connect(port) for _ in range(32)]

    async def connection() -> _Caller:
        # The server closes connections that were idle for some seconds.
        while idle:
            if (caller := idle.pop()).is_open:
                return caller
        return await connect(port)

    async def one(due: float) -> None:
        caller = await connection()
        _note(answers, await caller.ask(submission(port, key, next(numbers))), due)
        idle.append(caller)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(per_second * seconds)):
            due = began + number / per_second
            left = due - time.perf_counter()
            if left > 0:
                await asyncio.sleep(left)
            group.create_task(one(due))
    for caller in idle:
        assert caller.transport is not None
        caller.transport.close()
    return answers


class _Watcher(asyncio.Protocol):
    def __init__(self, request: bytes, seen: Callable[[int], None]) -> None:
        self._request = request
        self._seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._seen(data.count(b"event: "))


@dataclass
class Watchers:
    """Streams of events, one for each task."""

    events: int = 0
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """All have told of their task."""
    open: list[asyncio.Transport] = field(default_factory=list)
    _wanted: int = 0

    async def watch(self, port: int, key: str, tasks: list[dict[str, Any]]) -> None:
        """Open the streams, and wait until each has told of its task."""
        loop = asyncio.get_running_loop()
        self._wanted = len(tasks)
        for task in tasks:
            head = f"GET /v1/tasks/{task['id']}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
            transport, _ = await loop.create_connection(
                lambda head=head: _Watcher(head.encode(), self._count),  # type: ignore[misc]
                "127.0.0.1",
                port,
            )
            self.open.append(transport)
        await self.told.wait()

    def _count(self, events: int) -> None:
        self.events += events
        if self.events >= self._wanted:
            self.told.set()

    @property
    def alive(self) -> int:
        """Streams that are open."""
        return sum(not transport.is_closing() for transport in self.open)

    def close(self) -> None:
        """End them all."""
        for transport in self.open:
            transport.close()
