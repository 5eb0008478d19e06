import pytest

from genpool_core.api.status import GenerationPoolStatus
from genpool_dev.demo.table import Sample
from genpool_dev.demo.watch import Seen, ended_of, given_up, sample_of, troubles
from genpool_dev.stack.broker import QueueReading
from genpool_dev.stack.observe import DeploymentReading, PoolReading
from genpool_dev.stack.pools import Pool

POOL = Pool("text", "genpool-demo", "generation_tasks", "text/", "genpool")
READING = PoolReading(
    uid="u",
    status=GenerationPoolStatus.model_validate(
        {"busyReplicas": 2, "scaling": {"message": "16 tasks want 3"}}
    ),
    deployment=DeploymentReading(wanted=3, replicas=3, ready_replicas=2),
    pods=("a", "b", "c"),
)
QUEUES = {
    "generation_tasks": QueueReading(name="generation_tasks", messages_ready=5, messages_unacknowledged=2),
    "generation_tasks.dead": QueueReading(name="generation_tasks.dead", messages_ready=0),
}


def test_tasks_that_ended_are_counted_by_pool() -> None:
    def task(pool: str, status: str) -> dict[str, object]:
        return {"pool": {"namespace": "genpool-demo", "name": pool}, "status": status}

    statuses = ("queued", "running", "canceling", "succeeded", "failed", "canceled", "expired")
    tasks = [*(task("text", status) for status in statuses), task("else", "succeeded")]
    assert ended_of(tasks, [POOL]) == {"text": ["succeeded", "failed", "canceled", "expired"]}
    assert ended_of([], [POOL]) == {"text": []}


def test_a_sample_joins_the_three_sources() -> None:
    seen = Seen({"text": READING}, QUEUES, {"text": ["succeeded", "failed"]})
    assert sample_of(POOL, 16, seen) == Sample(
        pool="text",
        tasks=16,
        waiting=5,
        running=2,
        replicas=3,
        ready=2,
        busy=2,
        results=1,
        ends=2,
        dead=1,
        pods=3,
        why="16 tasks want 3",
    )


@pytest.mark.parametrize("seen", [Seen(None, None, None), Seen({}, {}, None)])
def test_what_was_not_read_is_unknown(seen: Seen) -> None:
    assert sample_of(POOL, 16, seen) == Sample(pool="text", tasks=16)


def test_a_queue_that_is_not_there_is_unknown_and_not_empty() -> None:
    sample = sample_of(POOL, 16, Seen(None, {}, {"text": []}))
    assert (sample.waiting, sample.dead, sample.ends) == (None, None, 0)


@pytest.mark.parametrize(
    ("still", "total", "told"),
    [(0, 0, None), (150, 899, None), (151, 200, "Nothing has moved"), (10, 901, "not done after")],
)
def test_when_a_demo_is_given_up(still: float, total: float, told: str | None) -> None:
    fault = given_up(still, total)
    assert fault is None if told is None else told in fault


def test_troubles_are_the_conditions_that_do_not_hold() -> None:
    def condition(kind: str, status: str) -> dict[str, str]:
        told = {"type": kind, "status": status, "reason": "R", "message": f"{kind} says why"}
        return {**told, "lastTransitionTime": "2026-01-01T00:00:00Z"}

    conditions = [
        condition("Ready", "False"),
        condition("BrokerReachable", "True"),
        condition("X", "Unknown"),
    ]
    status = GenerationPoolStatus.model_validate({"conditions": conditions})
    assert troubles({"text": READING.model_copy(update={"status": status})}) == [
        "text: Ready is False: Ready says why",
        "text: X is Unknown: X says why",
    ]
