"""Dead letters of a pool: listed from the store, replayed and discarded in the queue, the others as they stood."""

from __future__ import annotations

import json
import os

import pika

from genpool_core import names
from genpool_core.messages import headers
from integration.broker import until
from integration.gateway.api import PASSWORD, QUEUE, WORKER, Api

DEAD = names.dead_queue(QUEUE)
MANY = int(os.environ.get("GENPOOL_DEAD_LETTERS", "2000"))


def bury(api: Api, count: int, reason: str) -> list[str]:
    """Accepted tasks that a worker buried; their ids in the order of the dead-letter queue."""
    tasks = [api.submit(f"{reason} {number}") for number in range(count)]
    with api.process.vhost.raw(WORKER, PASSWORD) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for properties, body in api.queued():
            own = {headers.REASON: reason, headers.OWNER: properties.headers[headers.OWNER]}
            copy = pika.BasicProperties(
                message_id=properties.message_id, headers=own, user_id=WORKER, delivery_mode=2
            )
            channel.basic_publish("", DEAD, json.dumps(body).encode(), copy)
    for task in tasks:
        api.claimed(task)
        api.ended(task, "dead", reason=reason)
    return [str(task["id"]) for task in tasks]


def dead(api: Api) -> list[str]:
    """Prompts of the dead-letter queue, which is emptied."""
    return [json.loads(body)["parameters"]["prompt"] for body in dead_bodies(api)]


def dead_bodies(api: Api) -> list[bytes]:
    """Bodies of the dead-letter queue, which is emptied."""
    found = []
    while (message := api.process.vhost.get(DEAD)) is not None:
        found.append(message[1])
    return found


def listed(api: Api, query: str = "") -> set[str]:
    return {task["id"] for task in api.call("GET", f"/v1/dead-letters{query}").json()["tasks"]}


def test_a_pool_without_an_intake_has_no_letters_of_one(api: Api) -> None:
    answer = api.call("GET", "/v1/dead-letters/intake?pool=text")
    assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")
    assert "has no intake in force" in answer.json()["detail"]


def test_one_is_replayed_one_kind_discarded_and_the_others_keep_their_order(api: Api) -> None:
    failed, expired = bury(api, 6, "NodeFailed"), bury(api, 4, "Expired")
    until(lambda: listed(api) == {*failed, *expired}, "all are listed")
    assert listed(api, "?reason=Expired") == set(expired)
    answer = api.call(
        "POST", "/v1/dead-letters/replay", {"pool": "text", "tasks": [failed[2], "0" * 40]}
    ).json()
    assert answer == {
        "tasks": [failed[2]],
        "missing": ["0" * 40],
        "others": 0,
        "kept": 9,
        "more": False,
        "no_room": 0,
    }
    ((properties, body),) = api.queued()
    assert (properties.headers[headers.RUN], body["parameters"]["prompt"]) == (2, "NodeFailed 2")
    again = api.until_status(failed[2], "queued")
    assert (again["run"], again["error"]) == (2, None)
    api.claimed(again)
    api.ended(again)
    api.until_status(failed[2], "succeeded")
    answer = api.call("POST", "/v1/dead-letters/discard", {"pool": "text", "reason": "Expired"}).json()
    assert set(answer["tasks"]) == set(expired)
    assert listed(api) == {*failed} - {failed[2]}
    assert api.task(expired[0])["status"] == "failed"
    assert dead(api) == [f"NodeFailed {number}" for number in (0, 1, 3, 4, 5)]


def test_many_of_which_some_are_discarded(api: Api) -> None:
    """Written straight into the queue; a worker's end comes with each, but nothing here asks for it."""
    with api.process.vhost.raw(WORKER, PASSWORD) as connection:
        channel = connection.channel()
        for number in range(MANY):
            reason = "Expired" if number % 10 == 3 else "NodeFailed"
            body = {"task_id": f"t-{number}", "prompt": str(number)}
            properties = pika.BasicProperties(
                headers={headers.REASON: reason}, user_id=WORKER, delivery_mode=2
            )
            channel.basic_publish("", DEAD, json.dumps(body).encode(), properties)
    until(lambda: api.process.vhost.ready(DEAD) == MANY, "all are there")
    answer = api.call("POST", "/v1/dead-letters/discard", {"pool": "text", "reason": "Expired"}).json()
    assert (len(answer["tasks"]), answer["kept"]) == (MANY // 10, MANY - MANY // 10)
    with api.process.vhost.raw() as connection:
        channel, found = connection.channel(), []
        while (message := channel.basic_get(DEAD, auto_ack=True))[0] is not None:
            found.append(int(json.loads(message[2])["prompt"]))
    assert found == [number for number in range(MANY) if number % 10 != 3]


def test_messages_that_are_no_tasks_are_listed_and_dropped_by_their_reason(api: Api) -> None:
    own = {
        headers.REASON: "InvalidMessage",
        headers.MESSAGE: "it is no JSON.",
        headers.ENDED_AT: "2026-01-01",
    }
    sent = [b"{", json.dumps({"task_id": "t-1", "prompt": "a"}).encode(), b"\xff", b"[]"]
    with api.process.vhost.raw(WORKER, PASSWORD) as connection:
        for body in sent:
            task = body.startswith(b'{"')
            properties = pika.BasicProperties(
                headers={headers.REASON: "NodeFailed"} if task else own, user_id=WORKER, delivery_mode=2
            )
            connection.channel().basic_publish("", DEAD, body, properties)
    until(lambda: api.process.vhost.ready(DEAD) == len(sent), "all are there")
    path = "/v1/dead-letters/messages?pool=text"
    found = api.call("GET", path).json()
    assert (found["queue"], found["total"], found["more"]) == (DEAD, 3, False)
    assert [each["size_bytes"] for each in found["messages"]] == [1, 1, 2]
    assert {(each["reason"], each["message"]) for each in found["messages"]} == {
        ("InvalidMessage", "it is no JSON.")
    }
    short = api.call("GET", f"{path}&limit=1").json()
    assert (len(short["messages"]), short["total"]) == (1, 3)
    wish = {"pool": "text", "reason": "InvalidMessage"}
    until(lambda: api.process.vhost.ready(DEAD) == len(sent), "all are there again")
    done = api.call("POST", "/v1/dead-letters/discard", wish).json()
    assert (done["tasks"], done["others"], done["kept"]) == ([], 3, 1)
    assert dead_bodies(api) == [sent[1]]
    assert api.call("GET", path).json()["messages"] == []


def test_only_operators_may_and_a_wish_says_which(api: Api) -> None:
    user = api.call("POST", "/v1/keys", {"name": "ann"}).json()["key"]
    answer = api.call("POST", "/v1/dead-letters/discard", {"pool": "text", "all": True}, key=user)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    answer = api.call("GET", "/v1/dead-letters/messages?pool=text", key=user)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    for wish in (
        {"pool": "text"},
        {"pool": "text", "all": True, "reason": "x"},
        {"pool": "text", "tasks": ["x"]},
    ):
        assert api.call("POST", "/v1/dead-letters/replay", wish).status_code == 422
