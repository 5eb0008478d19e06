"""``queue.maxWaiting`` at the API: 429 while so many tasks wait, and the same task again is no new one."""

from __future__ import annotations

from integration.broker import Vhost, until
from integration.gateway.api import QUEUE, prepare
from integration.gateway.conftest import GatewayProcess


def test_a_full_queue_is_told_and_room_is_found(gateway_process: GatewayProcess, vhost: Vhost) -> None:
    assert vhost is gateway_process.vhost
    api = prepare(gateway_process, queue={"name": QUEUE, "maxWaiting": 2})
    gateway_process.start()
    gateway_process.until_ready()

    def submit(prompt: str, **headers: str) -> tuple[int, dict[str, object]]:
        body = {"pool": "text", "parameters": {"prompt": prompt}}
        answer = api.call("POST", "/v1/tasks", body, headers=headers)
        return answer.status_code, answer.json() | {"after": answer.headers.get("Retry-After")}

    accepted = []
    until(
        lambda: accepted.append(submit("a", **{"Idempotency-Key": str(len(accepted))})) or _full(accepted),
        "full",
    )
    first = accepted[0][1]["id"]
    status, problem = submit("one more")
    assert (status, problem["reason"], problem["code"]) == (429, "QueueFull", 7012)
    assert "queue.maxWaiting is 2" in str(problem["detail"])
    assert int(str(problem["after"])) >= 1
    assert submit("a", **{"Idempotency-Key": "0"})[1]["id"] == first, "sent again it is the same task"
    batch = {"tasks": [{"pool": "text", "parameters": {"prompt": "x"}}]}
    (result,) = api.call("POST", "/v1/tasks/batch", batch).json()["results"]
    assert (result["status"], result["problem"]["reason"]) == (429, "QueueFull")

    tasks = [one for status, one in accepted if status == 202]
    vhost.purge(QUEUE)
    for task in tasks:
        api.claimed(task)
    until(lambda: submit("later")[0] == 202, "there is room again")
    api.session.close()


def test_a_replay_needs_room_and_counts_against_its_owners_cap(
    gateway_process: GatewayProcess, vhost: Vhost
) -> None:
    assert vhost is gateway_process.vhost
    api = prepare(gateway_process, queue={"name": QUEUE, "maxWaiting": 2})
    gateway_process.start()
    gateway_process.until_ready()
    key = api.call("POST", "/v1/keys", {"name": "ann", "max_queued": 1}).json()["key"]

    def submit(prompt: str) -> dict[str, object]:
        answer = api.call("POST", "/v1/tasks", {"pool": "text", "parameters": {"prompt": prompt}}, key=key)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def replay(caller: str = "") -> tuple[int, object, int]:
        answer = api.call("POST", f"/v1/tasks/{done['id']}/replay", key=caller)
        return answer.status_code, answer.json().get("reason"), int(answer.headers.get("Retry-After", 0))

    done = submit("a")
    api.ended(done)
    api.until_status(str(done["id"]), "succeeded")
    vhost.purge(QUEUE)
    submit("b")
    assert replay(key)[:2] == (429, "TooManyTasks")
    more = {"pool": "text", "parameters": {"prompt": "c"}}
    until(lambda: api.call("POST", "/v1/tasks", more).status_code == 429, "the queue is full")
    status, reason, after = replay()
    assert (status, reason) == (429, "QueueFull")
    assert after >= 1
    letters = api.call("POST", "/v1/dead-letters/replay", {"pool": "text", "all": True})
    assert (letters.status_code, letters.json()["reason"]) == (429, "QueueFull")
    assert api.task(str(done["id"]))["run"] == 1
    api.session.close()


def _full(accepted: list[tuple[int, dict[str, object]]]) -> bool:
    return accepted[-1][0] == 429
