"""What is counted of requests: by route and not by path, streams and waits apart, and what became of tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi.responses import StreamingResponse
from structlog.testing import capture_logs

from genpool_core.errors import TaskStoreError
from genpool_gateway.accepting.refusals import QueueFull, Unconfirmed
from genpool_gateway.api.measured import may_wait, method_of, route_of
from genpool_gateway.tasks.record import TaskState
from unit.gateway.api.world import TASK, ApiWorld
from unit.gateway.samples import record

TASK_ID = "a" * 40


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", f"/v1/tasks/{TASK_ID}", 'method="GET",route="/v1/tasks/{task}",status="200"'),
        ("GET", "/v1/tasks/abc", 'method="GET",route="/v1/tasks/{task}",status="404"'),
        ("DELETE", "/v1/tasks", 'method="DELETE",route="/v1/tasks",status="405"'),
        ("POST", "/v1/tasks", 'method="POST",route="/v1/tasks",status="415"'),
        ("GET", "/", 'method="GET",route="/",status="200"'),
        ("GET", "/wp-admin/s3cr3t", 'method="GET",route="unmatched",status="404"'),
        ("BREW", "/v1/tasks", 'method="other",route="/v1/tasks",status="405"'),
    ],
)
def test_a_request_is_counted_by_its_route(method: str, path: str, labels: str) -> None:
    world = ApiWorld()
    world.reader.records = [record(TASK_ID, state=TaskState.ENDED)]
    world.call(method, path)
    assert world.figures("genpool_api_requests_total") == {f"{{{labels}}}": 1}
    timed = labels.rpartition(",")[0]
    assert world.figures("genpool_api_request_seconds_count") == {f"{{{timed}}}": 1}


def test_a_fault_of_the_gateway_is_a_500() -> None:
    world = ApiWorld()
    world.reader.fault = ZeroDivisionError()  # type: ignore[assignment]
    with capture_logs() as logs:
        assert world.call("GET", "/v1/tasks/abc").status_code == 500
    assert [line["event"] for line in logs] == ["request_failed"]
    labels = '{method="GET",route="/v1/tasks/{task}",status="500"}'
    assert world.figures("genpool_api_requests_total") == {labels: 1}


def test_an_answer_that_breaks_off_is_counted_once() -> None:
    world = ApiWorld()

    @world.app.get("/broken")
    async def broken() -> StreamingResponse:
        async def told() -> AsyncIterator[bytes]:
            yield b"a part"
            raise ZeroDivisionError

        return StreamingResponse(told())

    with capture_logs():
        world.call("GET", "/broken")
    assert world.figures("genpool_api_requests_total") == {'{method="GET",route="/broken",status="200"}': 1}


def test_without_the_task_store_it_is_counted_too() -> None:
    world = ApiWorld()
    world.reader.fault = TaskStoreError("the database is away.")
    world.call("GET", "/v1/tasks/abc")
    (labels,) = world.figures("genpool_api_requests_total")
    assert 'status="503"' in labels


@pytest.mark.parametrize("how", [{"params": {"wait": "0.01"}}, {"headers": {"Prefer": "wait=0"}}])
def test_a_request_that_waits_for_a_task_is_counted_and_not_timed(how: dict[str, Any]) -> None:
    world = ApiWorld()
    world.reader.records = [record(TASK_ID)]
    world.call("GET", f"/v1/tasks/{TASK_ID}", **how)
    assert len(world.figures("genpool_api_requests_total")) == 1
    assert world.figures("genpool_api_request_seconds_count") == {}


def test_a_stream_is_a_watcher_while_it_is_open() -> None:
    world = ApiWorld()
    seen: list[dict[str, float]] = []

    @world.app.get("/events")
    async def events() -> StreamingResponse:
        async def told() -> AsyncIterator[bytes]:
            seen.append(world.figures("genpool_api_watchers"))
            yield b"event: status\n\n"

        return StreamingResponse(told(), media_type="text/event-stream")

    world.call("GET", "/events")
    assert seen == [{"": 1}]
    assert world.figures("genpool_api_watchers") == {}
    assert len(world.figures("genpool_api_request_seconds_count")) == 1


@pytest.mark.parametrize("way", [{}, {"params": {"wait": "0"}}])
def test_new_tasks_are_counted_by_pool(way: dict[str, Any]) -> None:
    world = ApiWorld()
    assert world.call("POST", "/v1/tasks", json=TASK, **way).status_code == 202
    world.acceptor.repeated = True
    world.call("POST", "/v1/tasks", json=TASK, **way)
    assert world.figures("genpool_api_tasks_accepted_total") == {'{pool="team/pictures"}': 1}


def test_refused_tasks_are_counted_by_reason() -> None:
    world = ApiWorld()
    world.call("POST", "/v1/tasks", json={**TASK, "parameters": {}})
    world.acceptor.refusal = QueueFull("full.")
    world.call("POST", "/v1/tasks", json=TASK)
    world.acceptor.refusal = Unconfirmed("not known.", task=TASK_ID)
    world.call("POST", "/v1/tasks/batch", json={"tasks": [TASK, TASK]})
    assert world.figures("genpool_api_tasks_accepted_total") == {}
    assert world.figures("genpool_api_tasks_refused_total") == {
        '{reason="InvalidTask"}': 1,
        '{reason="QueueFull"}': 1,
        '{reason="NotConfirmed"}': 2,
    }


def test_a_reason_of_nobodys_is_no_label() -> None:
    world = ApiWorld()
    world.services.metrics.refused("Whatever")
    assert world.figures("genpool_api_tasks_refused_total") == {'{reason="InternalError"}': 1}


@pytest.mark.parametrize(
    ("query", "headers", "waits"),
    [
        (b"", [], False),
        (b"status=queued", [(b"accept", b"*/*")], False),
        (b"await=1&x=wait=", [], False),
        (b"x=1&wait=30", [], True),
        (b"", [(b"prefer", b"wait=30")], True),
    ],
)
def test_what_waits(query: bytes, headers: list[tuple[bytes, bytes]], *, waits: bool) -> None:
    assert may_wait({"query_string": query, "headers": headers}) is waits


def test_labels_are_none_of_the_callers() -> None:
    assert method_of({"method": "PROPFIND"}) == "other"
    assert route_of({"path": "/v1/anything"}) == "unmatched"
