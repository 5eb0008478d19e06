"""Pools behind an intake, and messages for them."""

from __future__ import annotations

import json
from typing import Any

from genpool_core import names
from genpool_core.messages.amqp import Delivery, Properties
from genpool_gateway.intake.behind import Behind, intakes
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from support.pool_objects import BUILDINGS, PEOPLE, Json, directory, pool_object

INTAKE = "photo_repair_tasks"
GATEWAY = names.gateway_user("0" * 8)
HOSTS = {"imageHosts": [{"host": "cdn.example"}]}
PHOTO: Json = {
    "task_id": "task_12345",
    "image_url": "https://cdn.example/a.jpg",
    "workflow_type": PEOPLE,
    "parameters": {"size": 680, "model": "ddcolor-imagenet"},
}


def pool(
    name: str,
    *workflows: str,
    intake: str = INTAKE,
    in_force: bool = True,
    age: int = 0,
    **spec: Any,  # noqa: ANN401 - fields
) -> Json:
    """A pool behind the intake, as an API server has it; ``age``: minutes, the greater the younger."""
    made = pool_object(
        name,
        *workflows,
        metadata={"creationTimestamp": f"2026-11-26T12:{age:02d}:00Z"},
        status={"queue": {"intake": intake}} if in_force else {},
        security=HOSTS,
        **spec,
    )
    made["spec"]["queue"] = {"name": f"{name}_tasks", "intake": intake, **spec.get("queue_more", {})}
    made["spec"].pop("queue_more", None)
    return made


def fallback(made: Json) -> Json:
    """The pool, with its first workflow as fallback."""
    made["spec"]["workflows"][0]["fallback"] = True
    return made


PEOPLE_POOL, BUILDINGS_POOL = pool("people", PEOPLE), pool("buildings", BUILDINGS, age=1)


def behind(*pools: Json) -> Behind:
    """What is behind the intake."""
    return intakes(directory(*pools))["default", "pictures", INTAKE]


def delivery(body: object = PHOTO, headers: dict[str, object] | None = None, **properties: Any) -> Delivery:  # noqa: ANN401 - fields
    """A message."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery(raw, headers or {}, Properties(**properties))


class Pools:
    """A source whose snapshot a test sets."""

    def __init__(self, found: PoolDirectory | PoolsUnknown) -> None:
        self.found = found

    def start(self) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""

    def trouble(self) -> str | None:
        return None

    def outdated(self) -> str | None:
        return None

    def snapshot(self) -> PoolDirectory:
        if isinstance(self.found, PoolsUnknown):
            raise self.found
        return self.found
