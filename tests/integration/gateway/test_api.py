"""The API against a real RabbitMQ: accepted means queued, a status is what workers announced, and nobody sees more."""

from __future__ import annotations

from genpool_core import names
from genpool_core.identity import task_key
from integration.broker import until
from integration.gateway.api import POOL, QUEUE, Api


def test_an_accepted_task_is_in_its_queue_as_any_producers(api: Api) -> None:
    task = api.submit("a lake", metadata={"album": 7}, priority=3)
    assert (task["status"], task["workflow"], task["metadata"]) == ("queued", "text-to-image", {"album": 7})
    ((properties, body),) = api.queued()
    assert body["parameters"] == {"prompt": "a lake"}
    assert (properties.delivery_mode, properties.priority, properties.message_id) == (2, 3, task["id"])
    owner = properties.headers["x-genpool-owner"]
    assert task["id"] == task_key(POOL.uid, body["task_id"], body, tenant=owner)
    assert names.is_gateway_user(properties.user_id)
    again = {"task_id": task["task_id"], "parameters": {"prompt": "a lake"}}
    assert api.call("POST", "/v1/tasks", {**again, "priority": 3}).json()["id"] == task["id"]
    other = api.call("POST", "/v1/tasks", {**again, "metadata": {"album": 8}})
    assert (other.status_code, other.json()["differing"]) == (409, ["metadata"])
    # What was counted of it; the ends that are due are not known before they were counted once.
    metrics = until(
        lambda: _with(api.process.get("/metrics").text, "genpool_ends_waiting 0.0"), "ends are counted"
    )
    assert 'genpool_api_requests_total{method="POST",route="/v1/tasks",status="202"} 2.0' in metrics
    assert 'genpool_api_tasks_accepted_total{pool="art/text"} 1.0' in metrics
    assert 'genpool_api_tasks_refused_total{reason="TaskIdReused"} 1.0' in metrics


def _with(text: str, line: str) -> str:
    """A text that has a line; empty without it."""
    return text if line in text.splitlines() else ""


def test_a_task_is_what_its_worker_announces(api: Api) -> None:
    task = api.submit()
    assert api.task(task["id"])["queue_position"] == 0
    api.claimed(task)
    running = api.until_status(task["id"], "running")
    assert running["started_at"] is not None
    api.retried(task)
    api.until_status(task["id"], "queued")
    api.ended(task, attempt=2)
    done = api.until_status(task["id"], "succeeded")
    assert (done["parameters"]["seed"], done["error"]) == (42, None)
    assert [one["id"] for one in api.call("GET", "/v1/tasks").json()["tasks"]] == [task["id"]]


def test_a_plain_producers_task_is_known_once_a_worker_has_it(api: Api) -> None:
    task = {"id": "b" * 40, "task_id": "task_12345", "run": 1}
    api.claimed(task)
    api.ended(task)
    found = until(lambda: api.call("GET", "/v1/tasks?status=succeeded").json()["tasks"], "the task is listed")
    assert [one["task_id"] for one in found] == ["task_12345"]


def test_a_watcher_sees_all_that_happens_and_goes_on_where_it_left(api: Api) -> None:
    task = api.submit()
    with api.watching(task["id"]) as events:
        assert next(events)["data"]["type"] == "accepted"
        api.claimed(task)
        assert next(events)["data"]["type"] == "claimed"
        api.progress(task, 0.5)
        assert next(events)["data"]["value"] == 0.5
        api.ended(task)
        last = next(events)
        assert (last["event"], last["data"]["task"]["status"]) == ("status", "succeeded")
        assert next(events, None) is None
    with api.watching(task["id"], after=2) as events:
        assert [event["data"]["type"] for event in events] == ["ended"]


def test_the_same_idempotency_key_is_the_same_task(api: Api) -> None:
    def send(prompt: str) -> tuple[int, dict[str, str]]:
        body = {"pool": "text", "parameters": {"prompt": prompt}}
        answer = api.call("POST", "/v1/tasks", body, headers={"Idempotency-Key": "k-1"})
        return answer.status_code, answer.json()

    first, again, other = send("a lake"), send("a lake"), send("a hill")
    assert first[0] == again[0] == 202
    assert first[1]["id"] == again[1]["id"]
    assert (other[0], other[1]["reason"]) == (422, "IdempotencyKeyReused")
    assert len(api.queued()) == 1


def test_what_no_worker_could_do_is_refused_with_its_bounds(api: Api) -> None:
    def refused(**fields: object) -> dict[str, object]:
        answer = api.call("POST", "/v1/tasks", {"pool": "text", **fields})
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        return dict(answer.json())

    wide = refused(parameters={"prompt": "x", "width": 100_000})
    assert (wide["parameter"], wide["sent"]) == ("width", 100_000)
    assert "maximum" in str(wide["expected"])
    assert refused(parameters={"prompt": "x", "colour": "red"})["parameter"] == "colour"
    assert refused(workflow="nothing")["reason"] == "InvalidTask"
    assert (
        refused(parameters={"prompt": "x"}, callback_url="http://10.0.0.1/hook")["parameter"]
        == "callback_url"
    )
    assert refused(prompt="x")["reason"] == "InvalidRequest"
    assert api.queued() == []


def test_keys_are_made_used_and_revoked_and_see_their_own_tasks_only(api: Api) -> None:
    made = api.call("POST", "/v1/keys", {"name": "ann"}).json()
    other = api.call("POST", "/v1/keys", {"name": "bob", "role": "operator", "pools": ["art/other"]}).json()
    mine = api.call("POST", "/v1/tasks", {"parameters": {"prompt": "x"}}, key=made["key"])
    assert mine.status_code == 202
    task = mine.json()["id"]
    theirs = api.submit()["id"]
    assert api.call("GET", f"/v1/tasks/{task}", key=made["key"]).status_code == 200
    assert api.call("GET", f"/v1/tasks/{theirs}", key=made["key"]).status_code == 404
    assert api.call("GET", f"/v1/tasks/{task}", key=other["key"]).status_code == 404
    listed = api.call("GET", "/v1/tasks", key=made["key"]).json()["tasks"]
    assert [one["id"] for one in listed] == [task]
    assert api.call("GET", "/v1/keys", key=made["key"]).status_code == 403
    assert "key" not in api.call("GET", "/v1/keys").json()["keys"][0]
    assert api.call("DELETE", f"/v1/keys/{made['id']}").json()["revoked_at"] is not None
    assert api.call("GET", "/v1/tasks", key=made["key"]).status_code == 401
    assert [entry["action"] for entry in api.call("GET", "/v1/audit").json()["entries"]] == [
        "key.revoked",
        "key.made",
        "key.made",
    ]


def test_an_administrators_key_is_for_all_pools(api: Api) -> None:
    wanted = {"name": "bob", "role": "admin", "pools": ["art/other"]}
    answer = api.call("POST", "/v1/keys", wanted)
    assert (answer.status_code, answer.json()["reason"]) == (422, "InvalidRequest")
    assert "leave pools out" in answer.json()["detail"]


def test_a_key_is_revoked_once(api: Api) -> None:
    made = api.call("POST", "/v1/keys", {"name": "ann"}).json()
    first, second = (api.call("DELETE", f"/v1/keys/{made['id']}").json() for _ in range(2))
    assert first["revoked_at"] == second["revoked_at"]
    actions = [entry["action"] for entry in api.call("GET", "/v1/audit").json()["entries"]]
    assert actions == ["key.revoked", "key.made"]


def test_a_watcher_whose_key_is_revoked_is_told_nothing_more(api: Api) -> None:
    made = api.call("POST", "/v1/keys", {"name": "ann", "role": "operator"}).json()
    task = api.submit()
    with Api(api.process, made["key"]).watching(task["id"]) as events:
        assert next(events)["data"]["type"] == "accepted"
        api.call("DELETE", f"/v1/keys/{made['id']}")
        api.claimed(task)
        assert next(events, None) is None


def test_without_a_key_nothing_is_told(api: Api) -> None:
    for path in ("/v1/tasks", "/v1/pools", "/v1/usage", "/v1/keys"):
        answer = api.call("GET", path, key=None)
        assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthenticated")
    assert api.call("GET", f"/v1/tasks?key={api.key}", key=None).status_code == 401


def test_a_wait_ends_with_the_task(api: Api) -> None:
    task = api.submit()
    api.ended(task)
    answer = api.call("GET", f"/v1/tasks/{task['id']}?wait=30")
    assert answer.json()["status"] == "succeeded"


def test_a_batch_answers_for_each_task(api: Api) -> None:
    tasks = [{"parameters": {"prompt": "a"}}, {"parameters": {}}, {"parameters": {"prompt": "b"}}]
    results = api.call("POST", "/v1/tasks/batch", {"tasks": tasks}).json()["results"]
    assert [result["status"] for result in results] == [202, 422, 202]
    assert results[1]["problem"]["parameter"] == "prompt"
    assert api.process.vhost.ready(QUEUE) == 2
    refused = api.call("POST", "/v1/tasks/batch", {"tasks": tasks}, headers={"Idempotency-Key": "order-1"})
    assert (refused.status_code, refused.json()["reason"]) == (422, "InvalidRequest")
    assert api.process.vhost.ready(QUEUE) == 2
