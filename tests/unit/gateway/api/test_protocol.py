"""Whoever sends headers slowly, without end or not at all holds no connection; whoever waits for an answer does."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request

from genpool_gateway.api.protocol import MOST_HEAD
from genpool_gateway.api.server import ApiServer
from genpool_gateway.events.hub import Hub

SECONDS = 0.3
WHOLE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server whose answers take longer than headers may."""
    app = FastAPI()

    @app.get("/slow")
    async def _slow() -> str:
        await asyncio.sleep(3 * SECONDS)
        return "slow"

    @app.get("/")
    async def _quick() -> str:
        return "quick"

    @app.post("/")
    async def _body(request: Request) -> int:
        return len(await request.body())

    server = ApiServer(app, Hub(), port=0, host="127.0.0.1", headers_seconds=SECONDS)
    server.start()
    yield server.port
    server.stop(5)


def talk(port: int, *parts: bytes, pause: float = 0.0, drip: bytes = b"") -> tuple[bytes, float]:
    """Send parts, then drip until the connection is closed; all that was answered, and after how long."""
    began, answer = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        client.settimeout(0.03)
        while time.monotonic() < began + 10:
            try:
                if drip:
                    client.sendall(drip)
                read = client.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                read = b""
            if not read:
                return answer, time.monotonic() - began
            answer += read
    raise AssertionError(f"it was not closed: {answer!r}")


def refusal(answer: bytes) -> tuple[int, str]:
    """Status and reason of a problem, with which the connection ends."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    assert b"content-type: application/problem+json" in lines
    assert b"connection: close" in lines
    assert f"content-length: {len(body)}".encode() in lines
    problem = json.loads(body)
    assert lines[0] == f"http/1.1 {problem['status']} {problem['title']}".lower().encode()
    assert problem["detail"].endswith(".")
    return problem["status"], problem["reason"]


@pytest.mark.parametrize(
    ("parts", "drip"),
    [
        pytest.param([], b"", id="silence"),
        pytest.param([], b"\r\n", id="empty lines"),
        pytest.param([b"GET /"], b"a", id="a path without end"),
        pytest.param([b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: "], b"x", id="a header without end"),
        pytest.param([b"GET / HTTP/1.1\r\nHost: a\r\n"], b"X-A: b\r\n", id="headers without end"),
        pytest.param([WHOLE], b"\r\n", id="empty lines after an answer"),
        pytest.param([WHOLE, b"GET / HTTP/1.1\r\nX-Long: "], b"x", id="the next request's headers"),
    ],
)
def test_who_drips_is_cut_off(port: int, parts: list[bytes], drip: bytes) -> None:
    answer, seconds = talk(port, *parts, drip=drip)
    # The event loop may end a wait a clock tick early.
    assert 0.9 * SECONDS < seconds < 10 * SECONDS
    assert answer.count(b"HTTP/1.1 200") == parts.count(WHOLE)
    if not drip:
        assert refusal(answer) == (408, "RequestTimeout")


def test_headers_have_a_size(port: int) -> None:
    answer, _ = talk(port, b"GET / HTTP/1.1\r\nX-Long: " + b"x" * (MOST_HEAD + 1))
    assert refusal(answer) == (431, "HeadersTooLarge")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"hello\r\n\r\n", id="no request"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", id="a length that is no number"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nno colon\r\n\r\n", id="a header that is none"),
    ],
)
def test_what_is_no_request_is_answered_like_everything_else(port: int, sent: bytes) -> None:
    answer, _ = talk(port, sent)
    assert refusal(answer) == (400, "MalformedRequest")
    answer, _ = talk(port, WHOLE, sent, pause=0.1)
    first, _, second = answer.partition(b'"quick"')
    assert first.startswith(b"HTTP/1.1 200 ")
    assert refusal(second) == (400, "MalformedRequest")


def test_a_refusal_is_not_written_into_an_answer(port: int) -> None:
    answer, _ = talk(port, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", b"hello\r\n\r\n", pause=SECONDS)
    assert b"MalformedRequest" not in answer


@pytest.mark.parametrize(
    ("parts", "pause", "said"),
    [
        pytest.param([b"GET /slow HTTP/1.1\r\nConnection: close\r\n\r\n"], 0.0, b'"slow"', id="an answer"),
        pytest.param(
            [b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 4\r\n\r\n", b"a", b"b", b"c", b"d"],
            SECONDS / 2,
            b"4",
            id="a body",
        ),
        pytest.param(
            [b"GET / HTTP/1.1\r\nConnection: close\r\n", b"\r\n"], SECONDS / 3, b'"quick"', id="two parts"
        ),
    ],
)
def test_what_is_slow_after_the_headers_goes_on(
    port: int, parts: list[bytes], pause: float, said: bytes
) -> None:
    answer, _ = talk(port, *parts, pause=pause)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(said)
