"""Tasks that end while no pod is up, on the installed chart: their ends come, and no pod comes for them."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.lab import Lab
from e2e.manifests import POOL, task
from e2e.scenes import Scene, is_reconciled
from genpool_core import identity
from genpool_core.jsontypes import JsonObject
from genpool_core.messages.events import GatewayBacklog, TaskEnded
from genpool_dev.stack.gateway import GatewayApi
from support.waiting import wait_until

NO_PODS: JsonObject = {"mode": "Pinned", "replicas": 0}


@pytest.mark.together
def test_cancelled_tasks_end_with_no_pod_up_and_start_none_afterwards(lab: Lab) -> None:
    with lab.scene("cancelled", scaling=NO_PODS) as scene:
        api = _pinned(lab, scene)
        hook = lab.receivers[0].url("cancelled-in-the-queue")
        tasks = [_send(api, scene, f"cancelled-{number}", hook) for number in range(5)]
        for one in tasks:
            assert api.call("POST", f"/v1/tasks/{one}/cancel").status_code == 202
        for one in tasks:
            _until_status(api, one, "canceled")
        _until_told(lab, tasks, "cancelled-in-the-queue")

        # The messages may still be in the queue. They are nobody's work, and within seconds the operator is told so.
        wait_until(
            lambda: _not_counted(lab, scene), lambda most: most == len(tasks), "the figure", seconds=30
        )
        lab.kubectl.apply_plain(scene.manifest(scaling={"mode": "Auto", "replicas": None, "maxReplicas": 2}))
        scene.wait_queue_empty()
        wait_until(
            scene.pool,
            lambda pool: is_reconciled(pool) and _scaled_by_the_queue(pool),
            "mode Auto",
            seconds=60,
        )
        for one in tasks:
            assert _ends(lab, one) == {identity.end_id(one, 1)}
        assert [run.end.outcome for run in scene.runs() if run.end is not None] == ["cancelled"] * len(tasks)
        assert [run.claims for run in scene.runs()] == [()] * len(tasks)
        assert (scene.replicas_seen(), scene.pods()) == ([0], [])


@pytest.mark.together
def test_an_overdue_task_expires_with_no_pod_up(lab: Lab) -> None:
    with lab.scene("overdue", scaling=NO_PODS) as scene:
        api = _pinned(lab, scene)
        hook = lab.receivers[0].url("overdue")
        one = _send(api, scene, "overdue", hook, start_within_seconds=2)
        _until_status(api, one, "expired")
        _until_told(lab, [one], "overdue")
        found = api.task(one)
        assert found["error"]["reason"] == "StartDeadlineExceeded"
        assert _ends(lab, one) == {identity.end_id(one, 1)}
        assert {each.webhook_id for each in lab.receivers[0].deliveries("overdue")} == {
            identity.end_id(one, 1)
        }
        scene.wait_queue_empty()
        assert (scene.replicas_seen(), scene.pods()) == ([0], [])


def _pinned(lab: Lab, scene: Scene) -> GatewayApi:
    """The API, which knows the scene's pool at no pods."""
    lab.kubectl.apply_plain(scene.manifest())
    wait_until(scene.pool, is_reconciled, f"{scene.place}: the pool at no pods", seconds=60)
    api = lab.api()
    wait_until(
        lambda: {pool["name"] for pool in api.get("/v1/pools")["pools"]},
        lambda known: f"{scene.place}/{POOL}" in known,
        "the gateway to know the pool",
        seconds=60,
    )
    return api


def _send(api: GatewayApi, scene: Scene, name: str, hook: str, **fields: Any) -> str:  # noqa: ANN401 - of the request
    """The id of a task that was accepted."""
    sent = task(name)
    parameters = {key: sent[key] for key in ("prompt", "width", "height", "steps")}
    body = {"pool": f"{scene.place}/{POOL}", "parameters": parameters, "callback_url": hook, **fields}
    found = wait_until(lambda: api.submit(body, idempotency_key=name), bool, "a task to be taken", seconds=60)
    return str(found["id"])


def _until_status(api: GatewayApi, one: str, status: str) -> None:
    wait_until(
        lambda: api.task(one)["status"], lambda now: now == status, f"a task to be {status}", seconds=30
    )


def _until_told(lab: Lab, tasks: list[str], path: str) -> None:
    """Wait for one callback of each task, and for its event."""
    wait_until(
        lambda: {each.webhook_id for each in lab.receivers[0].deliveries(path)},
        lambda known: {identity.end_id(one, 1) for one in tasks} <= known,
        "the callbacks",
        seconds=30,
        pause=0.1,
    )
    for one in tasks:
        wait_until(lambda one=one: _ends(lab, one), bool, "the event", seconds=30)  # type: ignore[misc]


def _ends(lab: Lab, one: str) -> set[str]:
    """The ids under which a task's end was announced."""
    return {event.id for event in lab.events.of(TaskEnded, lambda event: event.task_key == one)}


def _not_counted(lab: Lab, scene: Scene) -> int:
    """The largest number of messages of cancelled tasks in the scene's queue that was told."""
    told = lab.events.of(GatewayBacklog, lambda event: event.pool.namespace == scene.place)
    return max((event.cancelled for event in told), default=0)


def _scaled_by_the_queue(pool: dict[str, Any]) -> bool:
    return pool["status"].get("scaling", {}).get("reason") not in {None, "Pinned"}
