"""What is said of the pool of one machine, and when it is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from genpool_cli.local.status import Seen, is_news, status_of, write_status
from genpool_core import timing
from genpool_core.api.status import GenerationPoolStatus, QueueStatus

NOW = datetime(2026, 11, 27, tzinfo=UTC)
FINE = Seen(QueueStatus(waiting=3, running=1, dead_lettered=0, observed_at=NOW), "", None)


@pytest.mark.parametrize(
    ("seen", "conditions", "pods"),
    [
        (FINE, {"Ready": "True", "TopologyReady": "True", "WorkersReady": "True"}, (1, 1)),
        (
            Seen(FINE.queue, "", "ComfyUI does not answer."),
            {"Ready": "False", "TopologyReady": "True", "WorkersReady": "False"},
            (0, 0),
        ),
        (
            Seen(QueueStatus(observed_at=NOW), "RabbitMQ does not answer.", None),
            {"Ready": "False", "TopologyReady": "False", "WorkersReady": "True"},
            (1, 0),
        ),
    ],
    ids=["all serves", "the worker does not", "the queues are not known"],
)
def test_a_status(seen: Seen, conditions: dict[str, str], pods: tuple[int, int]) -> None:
    found = status_of(GenerationPoolStatus(), seen, NOW)
    assert {each.type: each.status for each in found.conditions} == conditions
    assert (found.ready_replicas, found.busy_replicas) == pods
    assert found.queue == seen.queue


@pytest.mark.parametrize(
    ("seconds", "waiting", "expected"),
    [(1, 3, False), (1, 4, True), (timing.TOPOLOGY_SECONDS, 3, True)],
    ids=["the same", "another figure", "the same, long ago"],
)
def test_what_is_written(seconds: float, waiting: int, *, expected: bool) -> None:
    before = status_of(GenerationPoolStatus(), FINE, NOW)
    later = NOW + timedelta(seconds=seconds)
    queue = FINE.queue.model_copy(update={"waiting": waiting, "observed_at": later})
    assert is_news(before, status_of(before, Seen(queue, "", None), later)) is expected
    assert is_news(GenerationPoolStatus(), before)


def test_it_is_written_into_the_pool_alone(tmp_path: Path) -> None:
    path = tmp_path / "pool.yaml"
    pool, other = {"kind": "GenerationPool", "spec": {"a": "彩"}}, {"kind": "ConfigMap", "data": {}}
    path.write_text(yaml.safe_dump_all([pool, other]), encoding="utf-8")
    status = status_of(GenerationPoolStatus(), FINE, NOW)
    write_status(path, status)
    written, beside = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    assert (beside, written["spec"]) == (other, pool["spec"])
    assert GenerationPoolStatus.model_validate(written["status"]) == status
