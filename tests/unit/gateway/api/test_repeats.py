"""How the API answers a repeat that cannot be one."""

from __future__ import annotations

from genpool_gateway.accepting.refusals import Erased, OtherOptions
from unit.gateway.api.world import TASK, ApiWorld
from unit.gateway.samples import NOW


def test_other_options_are_named_with_the_task_that_stands() -> None:
    world = ApiWorld()
    world.acceptor.refusal = OtherOptions(task="a" * 40, differing=("metadata", "priority"))
    answer = world.call("POST", "/v1/tasks", json=TASK)
    said = answer.json()
    assert (answer.status_code, said["reason"], said["code"]) == (409, "TaskIdReused", 7031)
    assert (said["id"], said["differing"]) == ("a" * 40, ["metadata", "priority"])
    assert "metadata, priority" in said["detail"]
    document = world.call("GET", "/openapi.json").json()
    assert "409" in document["paths"]["/v1/tasks"]["post"]["responses"]


def test_a_task_that_was_deleted_is_named() -> None:
    world = ApiWorld()
    world.acceptor.refusal = Erased(task="a" * 40, at=NOW)
    answer = world.call("POST", "/v1/tasks", json=TASK, headers={"Idempotency-Key": "k"})
    said = answer.json()
    assert (answer.status_code, said["reason"], said["code"]) == (409, "TaskErased", 7032)
    assert said["id"] == "a" * 40
    assert "another Idempotency-Key" in said["detail"]
