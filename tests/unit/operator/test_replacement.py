"""Which pod is replaced, and how often."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from genpool_core import names, timing
from genpool_core.messages.amqp import Delivery, Properties
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import WorkerHeartbeat
from genpool_operator.adapters.rabbit.heartbeats import Heartbeats
from genpool_operator.decide.pods import PodView
from genpool_operator.decide.replacement import decide_replacement, last_replaced
from genpool_operator.decide.workers import WorkerView
from unit.operator.pools import NOW, UID, at, pod

LONG = timing.WEDGED_REPLACE_SECONDS
OFTEN = timing.WEDGED_TIMES


def wedged(
    seconds: float | None = None, times: int = 0, *, heard: float = 0, task: str | None = None
) -> WorkerView:
    state = "unready" if task is None else "busy"
    return WorkerView(state, at(-300), at(heard), task, wedged_seconds=seconds, wedged_times=times)  # type: ignore[arg-type] - both are states


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (None, None),
        (wedged(), None),
        (wedged(LONG - 1, 1), None),
        (wedged(LONG, 1), "wedged for 60 s"),
        (wedged(None, OFTEN - 1), None),
        (wedged(None, OFTEN), "3 times in a row"),
        # What is not known now, or is at work, is left alone.
        (wedged(LONG, 1, heard=-timing.HEARTBEAT_EXPIRY_SECONDS - 1), None),
        (wedged(None, OFTEN, task="a task"), None),
    ],
)
def test_one_pod(state: WorkerView | None, why: str | None) -> None:
    states = {} if state is None else {"a": state}
    found = decide_replacement([pod("a")], states, None, NOW)
    assert (found is None) == (why is None)
    if found is not None and why is not None:
        assert found.pod == "a"
        assert why in found.why
        assert found.why.startswith("Pod a is replaced: ")


@pytest.mark.parametrize("gone", [pod("a", terminating=True), pod("a", finished=True)])
def test_a_pod_that_goes_is_not_replaced(gone: PodView) -> None:
    assert decide_replacement([gone], {"a": wedged(LONG)}, None, NOW) is None


def test_the_one_that_is_wedged_longest_goes_first() -> None:
    states = {"a": wedged(LONG), "b": wedged(LONG + 5), "c": wedged(None, OFTEN)}
    found = decide_replacement([pod(name) for name in states], states, None, NOW)
    assert found is not None
    assert found.pod == "b"


@pytest.mark.parametrize(
    ("ago", "replaced"),
    [(0, False), (timing.REPLACE_EVERY_SECONDS - 1, False), (timing.REPLACE_EVERY_SECONDS, True)],
)
def test_one_at_a_time(ago: float, *, replaced: bool) -> None:
    found = decide_replacement([pod("a")], {"a": wedged(LONG)}, at(-ago), NOW)
    assert (found is not None) is replaced


@pytest.mark.parametrize(
    ("remembered", "told", "last"),
    [
        (None, None, None),
        (None, at(-10), at(-10)),
        (at(-5), at(-10), at(-5)),
        (at(-5), None, at(-5)),
        (None, at(3600), None),
    ],
    ids=["never", "by another operator", "newer than the status", "not written yet", "by a wrong clock"],
)
def test_when_the_last_one_was_replaced(
    remembered: datetime | None, told: datetime | None, last: datetime | None
) -> None:
    assert last_replaced(remembered, told, NOW) == last


def test_what_a_heartbeat_says_of_it_is_kept() -> None:
    beats = Heartbeats(lambda: NOW, lambda _uid: None)
    beat = WorkerHeartbeat(
        id="1",
        pool=PoolRef(namespace="team", name="pictures", uid=UID),
        worker="a",
        time=NOW,
        state="unready",
        since=NOW,
        wedged_seconds=LONG,
        wedged_times=2,
    )
    properties = Properties(user_id=names.worker_user(UID, "0a1b2c3d"))
    beats.receive(Delivery(beat.model_dump_json().encode(), properties=properties))
    assert decide_replacement([pod("a")], beats.of(UID), None, NOW) is not None
    assert beats.of(UID)["a"].wedged_times == 2


def test_a_worker_of_an_earlier_release_says_nothing_of_it() -> None:
    old = {
        "id": "1",
        "type": "worker.heartbeat",
        "pool": {"namespace": "team", "name": "pictures", "uid": UID},
        "worker": "a",
        "time": "2026-03-01T12:00:00Z",
        "state": "idle",
        "since": "2026-03-01T12:00:00Z",
    }
    beat = WorkerHeartbeat.model_validate_json(json.dumps(old))
    assert (beat.wedged_seconds, beat.wedged_times) == (None, 0)
