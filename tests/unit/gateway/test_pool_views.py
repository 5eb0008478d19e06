"""Pools and workflows as the API shows them."""

from __future__ import annotations

from typing import Any, Literal

import jsonschema
import pytest

from genpool_core.api.record import parse_pool
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.pool import served_pool
from genpool_gateway.pools.view_models import StoreView
from genpool_gateway.pools.views import pool_view, pool_views, workflow_views
from support.pool_objects import BUILDINGS, PEOPLE, TEXT, directory, pool_object, served

STATUS = {
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Serving",
            "message": "A task that is published now will be done.",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ],
    "replicas": 2,
    "readyReplicas": 1,
    "queue": {"waiting": 5, "running": 1, "observedAt": "2026-01-01T00:00:00Z"},
    "scaling": {"desired": 3, "reason": "QueueGrew", "message": "5 tasks wait.", "idleSeconds": 60},
}

NOT_LOOKED = StoreView(state="unknown", message=None, looked_at=None)


def test_a_pool() -> None:
    body = pool_object("photos", PEOPLE, status=STATUS, scaling={"minReplicas": 1, "maxReplicas": 4})
    shown = pool_view(served(body), "signed.", NOT_LOOKED).model_dump(mode="json")
    assert shown["name"] == "team/photos"
    assert (shown["ready"], shown["accepts_tasks"], shown["trouble"]) == (True, True, None)
    assert shown["replicas"] == {"existing": 2, "ready": 1, "busy": None, "least": 1, "most": 4}
    assert shown["queue"] == {
        "name": "generation_tasks",
        "waiting": 5,
        "running": 1,
        "dead_lettered": None,
        "observed_at": "2026-01-01T00:00:00Z",
    }
    assert shown["scaling"]["message"] == "5 tasks wait."
    assert shown["limits"]["max_input_bytes"] == 50 << 20
    assert shown["conditions"][0]["last_transition_time"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("body", [pool_object(), pool_object(workflows=[])])
def test_a_pool_that_takes_no_task(body: dict[str, Any]) -> None:
    (view,) = pool_views(
        PoolDirectory.of([served_pool(parse_pool(body), None)]), lambda _: "signed.", lambda _: NOT_LOOKED
    )
    assert (view.accepts_tasks, view.ready, view.limits) == (False, None, None)
    assert view.trouble


@pytest.mark.parametrize(
    ("state", "message", "links"),
    [
        ("works", None, "signed."),
        ("unknown", None, "signed."),
        ("unlisted", "It is not listed.", "signed."),
        ("refused", "It refused.", "signed. It refused."),
        ("unavailable", "It is away.", "signed. It is away."),
    ],
)
def test_links_say_what_is_wrong_with_the_store(
    state: Literal["works", "unknown", "unlisted", "refused", "unavailable"], message: str | None, links: str
) -> None:
    store = StoreView(state=state, message=message, looked_at=None)
    view = pool_view(served(pool_object()), "signed.", store)
    assert (view.links, view.store) == (links, store)


def test_workflows() -> None:
    views = workflow_views(
        directory(
            pool_object("photos", PEOPLE, BUILDINGS, queue="a"),
            pool_object("more", PEOPLE, queue="b"),
            pool_object(
                "slow",
                queue="c",
                workflows=[{"name": PEOPLE, "timeoutSeconds": 5, "source": {"builtin": PEOPLE}}],
            ),
        )
    )
    assert [(view.name, view.pools) for view in views if view.name == PEOPLE] == [
        (PEOPLE, ["team/more", "team/photos"]),
        (PEOPLE, ["team/slow"]),
    ]
    people = views[0] if views[0].name == PEOPLE else views[1]
    assert people.files == ["image_url"]
    assert people.parameters["required"] == ["image_url"]
    properties: Any = people.parameters["properties"]
    assert properties["size"]["minimum"] == 400
    assert properties["size"]["default"] == 680
    assert properties["image_url"]["format"] == "uri"
    for value, fits in (
        ("https://example.com/a.png", True),
        (f"https://example.com/{'a' * 5000}", False),
        (f"data:image/png;base64,{'A' * 5000}", True),
        (f"upload:{'0' * 32}/a.png", True),
        ("", False),
        (5, False),
    ):
        assert jsonschema.Draft202012Validator(properties["image_url"]).is_valid(value) is fits


def test_the_schema_of_parameters_is_one() -> None:
    (view,) = workflow_views(directory(pool_object("pictures", TEXT)))
    jsonschema.Draft202012Validator.check_schema(view.parameters)
    jsonschema.validate({"prompt": "x", "width": 512, "seed": 1}, view.parameters)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"prompt": "x", "widht": 512}, view.parameters)
    properties: Any = view.parameters["properties"]
    assert properties["seed"]["default"] == 42


def test_a_pool_in_trouble_serves_no_workflow() -> None:
    assert workflow_views(PoolDirectory.of([served_pool(parse_pool(pool_object()), None)])) == []
