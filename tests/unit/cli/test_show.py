"""What people read of tasks and pools."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from genpool_cli.client.sse import Event
from genpool_cli.follow import describe, latest
from genpool_cli.show.output import age, duration, plain
from genpool_cli.show.pools import pod_does
from genpool_cli.show.pools import row as pool_row
from genpool_cli.show.tasks import row, waits

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
ID = "0" * 40


def task(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of the API
    return {
        "id": ID,
        "status": "queued",
        "pool": {"namespace": "art", "name": "text"},
        "workflow": "text-to-image",
        "created_at": (NOW - timedelta(minutes=5)).isoformat(),
        "metrics": {},
        "outputs": [],
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "took", "what"),
    [
        ({}, None, None),
        ({"queue_position": 0}, None, "next"),
        ({"queue_position": 12}, None, "12 before it"),
        (
            {"queue_position": 12, "expected_start_at": (NOW + timedelta(minutes=3)).isoformat()},
            None,
            "12 before it, starts in about 3m",
        ),
        ({"status": "running", "progress": {"value": 0.42, "message": "KSampler"}}, None, "42% KSampler"),
        ({"status": "running", "progress": None}, None, None),
        (
            {
                "status": "succeeded",
                "metrics": {"execution_ms": 12_400},
                "outputs": [{"name": "a.png"}, {"name": "b.png"}],
            },
            "12s",
            "a.png, b.png",
        ),
        (
            {"status": "failed", "error": {"reason": "NodeFailed", "message": "Node 17 failed."}},
            None,
            "NodeFailed: Node 17 failed.",
        ),
    ],
)
def test_a_task_in_the_table(fields: dict[str, Any], took: str | None, what: str | None) -> None:
    status = fields.get("status", "queued")
    assert row(task(**fields), NOW) == (ID, status, "art/text", "text-to-image", "5m", took, what)


def pool(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of the API
    return {
        "name": "art/text",
        "ready": True,
        "trouble": None,
        "replicas": {"existing": 2, "busy": 1},
        "queue": {"waiting": 4, "running": 1, "dead_lettered": None},
        "scaling": {"desired": 2, "message": "4 tasks waiting."},
        "conditions": [{"type": "Ready", "status": "True", "reason": "Ready", "message": "Fine."}],
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "pods", "why"),
    [
        ({}, 2, "4 tasks waiting."),
        ({"scaling": {"desired": 5, "message": "Five."}}, "2 of 5", "Five."),
        ({"scaling": {"desired": None, "message": None}}, 2, None),
        ({"replicas": {"existing": None, "busy": 1}}, "- of 2", "4 tasks waiting."),
        ({"trouble": "There is no ConfigMap."}, 2, "There is no ConfigMap."),
        (
            {"conditions": [{"type": "Ready", "status": "False", "reason": "Lost", "message": "No broker."}]},
            2,
            "Lost: No broker.",
        ),
    ],
)
def test_a_pool_in_the_table(fields: dict[str, Any], pods: object, why: str | None) -> None:
    assert pool_row(pool(**fields)) == ("art/text", True, pods, 1, 4, 1, None, why)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0.4, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (200_000, "2d")],
)
def test_durations_are_said_as_kubectl_says_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_ages_and_cells() -> None:
    assert age(None) is None
    assert age((NOW - timedelta(hours=3)).isoformat(), NOW) == "3h"
    assert [plain(value) for value in (None, "", 0, True, "[red]x")] == ["-", "-", "0", "yes", r"\[red]x"]


def test_a_task_that_is_followed() -> None:
    queued = task(queue_position=2)
    assert describe(queued) == f"queued: {waits(queued)}"
    running = latest(queued, Event("status", {"type": "claimed", "task": task(status="running")}, "2"))
    assert describe(running) == "running"
    seen = latest(running, Event("progress", {"value": 0.5, "message": "KSampler"}))
    assert describe(seen) == "running: KSampler"
    assert latest(seen, Event("log", {"type": "retried"})) is seen


@pytest.mark.parametrize(
    ("fields", "does"),
    [
        ({"state": "idle"}, None),
        ({"state": "unready", "message": "ComfyUI does not answer."}, "ComfyUI does not answer."),
        ({"state": "silent"}, "not heard since then: what it does is not known"),
        ({"state": "busy", "works": True}, "a task that this key may not see"),
        (
            {"works": True, "task": {"id": ID, "workflow": "wide", "progress": {"value": 0.42}}},
            f"wide, 42%, task {ID}",
        ),
        (
            {"works": True, "task": {"id": ID, "workflow": None, "progress": None}},
            f"a graph of its own, task {ID}",
        ),
    ],
)
def test_what_a_pod_does(fields: dict[str, Any], does: str | None) -> None:
    pod = {"name": "p", "state": "busy", "works": False, "task": None, "message": None}
    assert pod_does({**pod, **fields}) == does
