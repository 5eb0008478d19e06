"""What the API tells of a task that waits: its place, and when it starts, as far as that was measured."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from integration.broker import Vhost, until
from integration.gateway.api import Api, pool_manifest, prepare
from integration.gateway.conftest import GatewayProcess


@pytest.fixture
def api(gateway_process: GatewayProcess, vhost: Vhost) -> Iterator[Api]:
    """Two pods are ready, and both work."""
    made = prepare(gateway_process)
    manifest = {**pool_manifest(vhost.name), "status": {"readyReplicas": 2, "busyReplicas": 2}}
    (gateway_process.folder / "pool.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    gateway_process.start()
    gateway_process.until_ready()
    yield made
    made.session.close()


def done_in(api: Api, task: dict[str, object], seconds: float) -> None:
    """A worker does a task in so many seconds."""
    now = datetime.now(UTC)
    api.ended(task, started_at=now - timedelta(seconds=seconds), ended_at=now)
    until(lambda: api.call("GET", f"/v1/tasks/{task['id']}").json().get("completed_at"), "its end is stored")


def test_a_task_that_waits_knows_its_place_and_when_it_starts_once_that_was_measured(api: Api) -> None:
    first, second, third = (api.submit(f"lake {number}") for number in range(3))
    unmeasured = api.task(third["id"])
    assert (unmeasured["queue_position"], unmeasured["expected_start_at"]) == (2, None)
    done_in(api, first, 60)
    asked = datetime.now(UTC)
    for task, place in ((second, 0), (third, 1)):
        found = api.task(task["id"])
        wait = (datetime.fromisoformat(found["expected_start_at"]) - asked).total_seconds()
        assert found["queue_position"] == place
        assert wait == pytest.approx(30 * (place + 1), abs=5)


def test_beside_a_plain_producer_nobody_knows_who_is_before_whom(api: Api) -> None:
    waits = api.submit()
    done_in(api, {"id": "b" * 40, "task_id": "task_12345", "run": 1}, 60)
    found = api.task(waits["id"])
    assert (found["status"], found["queue_position"], found["expected_start_at"]) == ("queued", None, None)
