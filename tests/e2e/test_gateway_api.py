"""Tasks through the API of the gateway that the chart installed: real worker pods, and a gateway's pod that goes."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest

from e2e.lab import Lab
from e2e.manifests import POOL, task
from e2e.results import succeeded
from e2e.scenes import Scene
from genpool_core.jsontypes import JsonObject
from genpool_dev.stack import layout
from genpool_dev.stack.gateway import GatewayApi
from genpool_gateway.keys.identify import FIRST_KEY
from support.waiting import wait_until

SYSTEM = f"--namespace={layout.SYSTEM_NAMESPACE}"
GATEWAY_PODS = "--selector=app.kubernetes.io/component=gateway"
SECONDS = 150
AWAY = 503


@pytest.mark.together
def test_a_task_goes_from_202_to_its_file_and_is_watched_to_its_end(lab: Lab) -> None:
    with lab.warm() as scene:
        api = lab.api()
        # Progress is told as it passes: not while the gateway connects to the vhost, which is new.
        sent, events = wait_until(
            lambda: _watched(api, _task(scene, "watched", "slow=2", metadata={"album": 7})),
            lambda seen: [event for event in seen[1] if event["event"] == "progress"],
            "a task whose progress is told",
            seconds=SECONDS,
        )
        assert (sent["status"], sent["metadata"]) == ("queued", {"album": 7})
        assert _kinds(events) == ["accepted", "claimed", "output", "ended"]
        done = events[-1]["data"]["task"]
        assert (done["status"], done["error"]) == ("succeeded", None)

        end = succeeded(scene, scene.wait_ends(sent["task_id"])[sent["task_id"]])
        (output,) = done["outputs"]
        content = lab.bucket.read(end.outputs[0].key)
        assert (output["sha256"], output["size_bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        assert (output["width"], output["height"]) == (64, 64)
        (used,) = [
            row
            for row in api.get("/v1/usage")["rows"]
            if (row["pool"], row["owner"]) == (_pool(scene), FIRST_KEY)
        ]
        assert used["succeeded"] >= 1
        assert done["metrics"]["execution_ms"] >= 2000


@pytest.mark.together
def test_a_request_may_wait_for_the_end_and_the_pool_answers_with_its_figures(lab: Lab) -> None:
    with lab.warm() as scene:
        api = lab.api()
        headers = {"Prefer": "wait=60", "Idempotency-Key": "waited-for"}
        answer = wait_until(
            lambda: api.call("POST", "/v1/tasks", _task(scene, "waited-for"), headers=headers, seconds=90),
            lambda given: given.status_code != AWAY,
            "an answer with the task",
            seconds=SECONDS,
        )
        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
        pools = {pool["name"]: pool for pool in api.get("/v1/pools")["pools"]}
        found = pools[_pool(scene)]
        assert (found["ready"], found["accepts_tasks"], found["queue"]["name"]) == (True, True, scene.queue)
        assert found["replicas"]["existing"] == 1
        wide = api.call("POST", "/v1/tasks", _task(scene, "too-wide", width=100_000))
        assert (wide.status_code, wide.json()["parameter"]) == (422, "width")


@pytest.mark.together
def test_a_user_sees_its_own_tasks_and_pools_only(lab: Lab) -> None:
    with lab.warm() as scene:
        admin = lab.api()
        made = admin.call("POST", "/v1/keys", {"name": "e2e", "role": "user", "pools": [_pool(scene)]}).json()
        user = GatewayApi(admin.url, made["key"])
        mine, theirs = (_send(api, _task(scene, name)) for api, name in ((user, "mine"), (admin, "theirs")))
        scene.send(task("of-a-plain-producer"))
        scene.wait_ends(mine["task_id"], theirs["task_id"], "of-a-plain-producer")
        assert user.task(mine["id"], wait=60)["status"] == "succeeded"
        assert [found["id"] for found in user.tasks()] == [mine["id"]]
        assert user.call("GET", f"/v1/tasks/{theirs['id']}").status_code == 404
        assert [pool["name"] for pool in user.get("/v1/pools")["pools"]] == [_pool(scene)]
        assert user.call("GET", "/v1/keys").status_code == 403
        assert {row["owner"] for row in user.get("/v1/usage")["rows"]} == {made["id"]}
        wait_until(
            lambda: {found["task_id"] for found in admin.tasks(pool=_pool(scene))},
            lambda known: {mine["task_id"], theirs["task_id"], "of-a-plain-producer"} <= known,
            "the administrator to see all",
            seconds=30,
        )
        assert admin.call("DELETE", f"/v1/keys/{made['id']}").status_code == 200
        wait_until(
            lambda: user.call("GET", "/v1/tasks").status_code,
            lambda status: status == 401,
            "the revoked key to open nothing",
            seconds=30,
        )


@pytest.mark.alone
def test_a_gateways_pod_that_goes_loses_no_task_no_end_and_no_key(lab: Lab) -> None:
    with lab.scene("api-restart") as scene:
        scene.apply()
        before = lab.api()
        key = before.call("POST", "/v1/keys", {"name": "stays", "role": "user"}).json()["key"]
        user = GatewayApi(before.url, key)
        names = ["running", *(f"waiting-{number}" for number in range(4))]
        sent = [_send(user, _task(scene, name, *(["slow=6"] if name == "running" else []))) for name in names]
        scene.wait_claimed(sent[0]["task_id"])

        old = _gateway_pod(lab)
        lab.kubectl.run("delete", "pod", old, SYSTEM, "--timeout=60s", timeout=70)
        wait_until(lambda: _gateway_pod(lab), lambda pod: pod not in {"", old}, "another pod", seconds=60)
        # The way there is another one where kubectl forwards it.
        user = GatewayApi(wait_until(lambda: _answering(lab), bool, "the API to answer", seconds=90).url, key)

        scene.wait_ends(*(one["task_id"] for one in sent))
        for one in sent:
            done = wait_until(
                lambda one=one: user.task(one["id"])["status"],  # type: ignore[misc]
                lambda status: status not in {"queued", "running"},
                f"the end of {one['task_id']} to be told",
                seconds=SECONDS,
            )
            assert done == "succeeded"
            with user.watching(one["id"]) as stream:
                numbers = [int(event["id"]) for event in stream if "id" in event]
            assert numbers == list(range(1, len(numbers) + 1))
        assert len(scene.runs()) == len(sent)
        assert [len(run.claims) for run in scene.runs()] == [1] * len(sent)


def _task(scene: Scene, name: str, *commands: str, **fields: Any) -> JsonObject:  # noqa: ANN401 - of the request
    """A task for the API; ``commands`` are the stand-in's."""
    sent = task(f"{name}-of-the-api", *commands)
    parameters = {key: sent[key] for key in ("prompt", "width", "height", "steps")}
    parameters |= {key: fields.pop(key) for key in ("width",) if key in fields}
    return {"pool": _pool(scene), "parameters": parameters, **fields}


def _send(api: GatewayApi, body: JsonObject) -> dict[str, Any]:
    """Send a task as a program does: again, under the same key, while the gateway has no connection to a new vhost."""
    key = uuid.uuid4().hex
    return wait_until(lambda: api.submit(body, idempotency_key=key), bool, "a task to be taken", seconds=60)


def _watched(api: GatewayApi, body: JsonObject) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A task that was sent, and all events until its end."""
    sent = _send(api, body)
    with api.watching(sent["id"]) as stream:
        return sent, list(stream)


def _pool(scene: Scene) -> str:
    return f"{scene.place}/{POOL}"


def _kinds(events: list[dict[str, Any]]) -> list[str]:
    """What was stored of a task, in order."""
    return [event["data"]["type"] for event in events if "id" in event]


def _gateway_pod(lab: Lab) -> str:
    """The gateway's pod that is not ending; empty while there is none."""
    pods = lab.kubectl.get("pods", SYSTEM, GATEWAY_PODS)["items"]
    return next((str(p["metadata"]["name"]) for p in pods if "deletionTimestamp" not in p["metadata"]), "")


def _answering(lab: Lab) -> GatewayApi:
    """The API, which answers; raises StackError while it does not."""
    api = lab.api()
    api.get("/v1/pools")
    return api
