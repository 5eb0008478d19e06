"""Dead letters of an intake by the API: why they are there; back into the intake, or dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pika
import pytest

from genpool_core import names
from integration.broker import Vhost, until
from integration.gateway.api import Api
from integration.gateway.conftest import GatewayProcess
from integration.gateway.test_intake import INTAKE, Intake, photo, prepare

DEAD = names.dead_queue(INTAKE)
PATH = "/v1/dead-letters/intake"


@pytest.fixture
def intake(gateway_process: GatewayProcess, vhost: Vhost) -> Intake:
    """Started and ready."""
    assert vhost is gateway_process.vhost
    made = prepare(gateway_process)
    gateway_process.start()
    gateway_process.until_ready()
    return made


@pytest.fixture
def api(intake: Intake, gateway_process: GatewayProcess) -> Iterator[Api]:
    assert intake.vhost is gateway_process.vhost
    made = Api(gateway_process, gateway_process.key.admin_api_key)
    yield made
    made.session.close()


def key(api: Api, **fields: Any) -> str:  # noqa: ANN401 - of the request
    return str(api.call("POST", "/v1/keys", {"name": "x", "role": "operator", **fields}).json()["key"])


def listed(api: Api, caller: str = "", pool: str = "people") -> list[dict[str, Any]]:
    answer = api.call("GET", f"{PATH}?pool={pool}", key=caller)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["letters"])


def test_they_are_listed_with_their_reasons_replayed_and_discarded(api: Api, intake: Intake) -> None:
    intake.send(photo(0, workflow_type="cats.json"), b"no json", photo(1, parameters={"size": 9}), priority=4)
    intake.until_ready(DEAD, 3)
    page = api.call("GET", f"{PATH}?pool=photos/people").json()
    assert (page["intake"], page["pools"]) == (INTAKE, ["photos/buildings", "photos/people"])
    found = {letter["reason"]: letter for letter in page["letters"]}
    assert set(found) == {"WorkflowUnknown", "InvalidMessage", "InvalidTask"}
    cats = found["WorkflowUnknown"]
    assert (cats["workflow_type"], cats["task_id"]) == ("cats.json", "task_12345")
    assert all(workflow in cats["message"] for workflow in page["workflows"])
    assert listed(api, pool="buildings") == listed(api)
    intake.until_ready(DEAD, 3)

    short = api.call("GET", f"{PATH}?pool=people&limit=2").json()
    assert (len(short["letters"]), short["more"], page["more"]) == (2, True, False)
    intake.until_ready(DEAD, 3)

    wanted = {"pool": "people", "letters": [cats["id"], "0" * 40]}
    done = api.call("POST", f"{PATH}/discard", wanted).json()
    assert done == {"letters": [cats["id"]], "missing": ["0" * 40], "kept": 2, "more": False}
    done = api.call("POST", f"{PATH}/replay", {"pool": "people", "reason": "InvalidTask"}).json()
    assert (done["letters"], done["kept"]) == ([found["InvalidTask"]["id"]], 1)
    # Its pool refuses it as before, so it comes back, as another letter.
    again = until(lambda: one if len(one := listed(api)) == 2 else None, "it came back")
    assert {letter["reason"] for letter in again} == {"InvalidMessage", "InvalidTask"}
    assert api.call("POST", f"{PATH}/discard", {"pool": "people", "all": True}).json()["kept"] == 0
    assert listed(api) == []
    actions = [line["action"] for line in api.call("GET", "/v1/audit").json()["entries"]]
    assert actions == ["dead-letters.discarded", "dead-letters.replayed", "dead-letters.discarded"]


def test_what_the_broker_moved_there_goes_to_its_pool_when_it_is_replayed(api: Api, intake: Intake) -> None:
    forged = {"x-genpool-owner": "somebody", "x-genpool-reason": "Made up", "theirs": "kept"}
    with intake.vhost.raw() as connection:
        body = json.dumps(photo(7)).encode()
        connection.channel().basic_publish("", DEAD, body, pika.BasicProperties(headers=forged))
    (letter,) = until(lambda: listed(api), "it is listed")
    assert (letter["reason"], letter["message"], letter["refused_at"]) == (None, None, None)
    api.call("POST", f"{PATH}/replay", {"pool": "people", "letters": [letter["id"]]})
    intake.until_ready("people_tasks", 1)
    ((properties, sent),) = intake.take("people_tasks")
    assert sent == body
    assert "x-genpool-owner" not in properties.headers
    assert properties.headers["theirs"] == "kept"


def test_who_has_not_all_pools_behind_it_sees_none_of_it(api: Api, intake: Intake) -> None:
    intake.send(b"no json")
    intake.until_ready(DEAD, 1)
    both = key(api, pools=["photos/people", "photos/buildings"])
    assert len(listed(api, both)) == 1
    for caller, pool, status, reason in (
        (key(api, pools=["photos/people"]), "people", 403, "Forbidden"),
        (key(api, role="user"), "people", 403, "Forbidden"),
        (key(api, pools=["photos/people"]), "buildings", 422, "PoolUnknown"),
    ):
        for method, path, body in (
            ("GET", f"{PATH}?pool={pool}", None),
            ("POST", f"{PATH}/discard", {"pool": pool, "all": True}),
        ):
            answer = api.call(method, path, body, key=caller)
            assert (answer.status_code, answer.json()["reason"]) == (status, reason), answer.text
    assert intake.ready(DEAD) == 1
