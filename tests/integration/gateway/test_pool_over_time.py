"""One pool whole: its pods with what each does, and its figures over time, also after a restart."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core.messages.events import WorkerHeartbeat, WorkerState
from integration.broker import until
from integration.gateway.api import POOL, Api

PATH = f"/v1/pools/{POOL.namespace}/{POOL.name}"
FIGURES = ("waiting", "running", "pods", "pods_ready", "pods_busy", "pods_wanted")


@pytest.fixture
def api_settings() -> dict[str, str]:
    return {"GENPOOL_REQUESTS_PER_SECOND": "0"}


def _beat(api: Api, pod: str, state: WorkerState, **told: object) -> None:
    now = datetime.now(UTC)
    values = {"id": uuid.uuid4().hex, "pool": POOL, "worker": pod, "time": now, "state": state, "since": now}
    api.announce(WorkerHeartbeat.model_validate({**values, **told}))


def _history(api: Api, hours: int = 1) -> dict[str, Any]:
    answer = api.call("GET", f"{PATH}/history?hours={hours}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_pods_tell_what_they_do(api: Api) -> None:
    task = api.submit()
    api.claimed(task)
    api.until_status(task["id"], "running")
    until(
        lambda: api.call("GET", PATH).json()["pods"] or _beat(api, "pod-1", "busy", task_key=task["id"]),
        "it is heard",
    )
    _beat(api, "pod-2", "unready", reason="ComfyUIUnavailable", message="ComfyUI does not answer.")
    api.progress(task, 0.5)
    pods = until(
        lambda: (
            found
            if len(found := api.call("GET", PATH).json()["pods"]) == 2 and found[0]["task"]["progress"]
            else None
        ),
        "both are heard",
    )
    busy, unready = pods
    assert (busy["name"], busy["state"], busy["works"]) == ("pod-1", "busy", True)
    assert busy["task"]["id"] == task["id"]
    assert busy["task"]["workflow"] == "text-to-image"
    assert busy["task"]["progress"]["value"] == 0.5
    assert (unready["state"], unready["message"], unready["task"]) == (
        "unready",
        "ComfyUI does not answer.",
        None,
    )
    other = api.call("POST", "/v1/keys", {"name": "anna", "role": "user"}).json()["key"]
    seen = api.call("GET", PATH, key=other).json()["pods"][0]
    assert (seen["works"], seen["task"]) == (True, None), "another one's task is not shown"


def test_a_pool_that_is_not_there_or_not_ones_own(api: Api) -> None:
    made = api.call("POST", "/v1/keys", {"name": "bob", "role": "user", "pools": ["art/other"]}).json()
    for path, key in ((PATH, made["key"]), ("/v1/pools/art/none", "")):
        for end in ("", "/history"):
            answer = api.call("GET", path + end, key=key)
            assert (answer.status_code, answer.json()["reason"]) == (404, "NotFound")
    assert api.call("GET", f"{PATH}/history?hours=169").status_code == 422


def test_what_is_not_known_is_a_gap_and_figures_survive_a_restart(api: Api) -> None:
    assert not any(_history(api)["samples"]), "nobody has told anything"
    _tell(api, waiting=0)
    told = until(lambda: found if any((found := _history(api))["samples"]) else None, "it is kept")
    assert {len(told[name]) for name in (*FIGURES, "times", "samples", "arrivals", "wait_mean")} == {60}
    at = next(number for number, count in enumerate(told["samples"]) if count)
    assert [told[name][at] for name in FIGURES] == [0.0, None, None, None, None, None]
    assert set(told["waiting"][:at]) == {None}, "nobody knows of the time before"
    assert told["arrivals"][-1] is None, "the minute is not over"
    api.submit()
    _again(api)
    again = _history(api)
    assert again["waiting"][again["times"].index(told["times"][at])] == 0.0


def _tell(api: Api, **figures: int) -> None:
    """As an operator does that has looked at the queue, and not at the pods yet."""
    file = Path(api.process.environment["GENPOOL_POOLS_FILE"])
    manifest = yaml.safe_load(file.read_text(encoding="utf-8"))
    queue = {**figures, "observedAt": datetime.now(UTC).isoformat()}
    file.write_text(yaml.safe_dump({**manifest, "status": {"queue": queue}}), encoding="utf-8")


def _again(api: Api) -> None:
    """A new process of the gateway, on the same task store."""
    api.process.stop()
    api.process.start()
    api.process.until_ready()
