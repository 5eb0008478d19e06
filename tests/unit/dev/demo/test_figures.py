import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest

from genpool_dev.demo import figures
from genpool_dev.demo.figures import Figures

GOOD = Figures(
    tasks=24,
    results=24,
    dead=0,
    waiting=0,
    peak_replicas=5,
    final_replicas=0,
    p50_s=12.345,
    p95_s=20.0,
    cold_s=6.5,
    retries=0,
    callbacks=25,
    callback_ids=24,
    unverified=0,
)
T0 = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([3.0], 0.5, 3.0),
        ([3.0], 0.95, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),
        ([float(value) for value in range(1, 25)], 0.5, 12.0),
        ([float(value) for value in range(1, 25)], 0.95, 23.0),
        ([float(value) for value in range(1, 101)], 0.95, 95.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_percentile_is_the_nearest_rank(values: list[float], share: float, expected: float | None) -> None:
    assert figures.percentile(values, share) == expected


def test_a_task_without_result_has_no_wait() -> None:
    published = {"a": T0, "b": T0 + timedelta(seconds=1), "lost": T0}
    ended = {"a": T0 + timedelta(seconds=5), "b": T0 + timedelta(seconds=3), "foreign": T0}
    assert sorted(figures.waits(published, ended)) == [2.0, 5.0]


def test_cold_start_is_from_the_first_publish_to_the_first_result_of_any_task() -> None:
    published = {"a": T0, "b": T0 + timedelta(seconds=1)}
    ended = {"a": T0 + timedelta(seconds=9), "b": T0 + timedelta(seconds=7)}
    assert figures.cold_start(published, ended) == 7.0
    assert figures.cold_start(published, {}) is None


def test_last_line_is_one_json_object_of_the_promised_names() -> None:
    line = figures.last_line(GOOD, "http://10.0.0.3", "/state/key")
    assert "\n" not in line
    assert json.loads(line) == {
        "tasks": 24,
        "results": 24,
        "dead": 0,
        "waiting": 0,
        "peak_replicas": 5,
        "final_replicas": 0,
        "p50_s": 12.3,
        "p95_s": 20.0,
        "cold_s": 6.5,
        "gateway": "http://10.0.0.3",
        "api_key_file": "/state/key",
    }


def test_unknown_is_null_in_the_last_line_and_not_zero() -> None:
    unknown = dataclasses.replace(GOOD, waiting=None, final_replicas=None, cold_s=None)
    told = json.loads(figures.last_line(unknown, "http://10.0.0.3", "/state/key"))
    assert (told["waiting"], told["final_replicas"], told["cold_s"]) == (None, None, None)


def test_all_promises_kept() -> None:
    assert figures.broken_promises(GOOD) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"results": 23}, "23 results of 24 tasks"),
        ({"dead": 1}, "1 dead letters"),
        ({"waiting": 2}, "2 messages left"),
        ({"waiting": None}, "unknown messages left"),
        ({"peak_replicas": 1}, "at most 1 replicas"),
        ({"final_replicas": 1}, "1 replicas at the end"),
        ({"final_replicas": None}, "unknown replicas at the end"),
        ({"callback_ids": 23}, "23 different ids for 24 tasks"),
        ({"callback_ids": 25}, "25 different ids for 24 tasks"),
        ({"unverified": 1}, "wrong signature"),
    ],
)
def test_each_broken_promise_is_told(change: dict[str, object], sentence: str) -> None:
    (told,) = figures.broken_promises(dataclasses.replace(GOOD, **change))
    assert sentence in told


def test_summary_writes_unknown_as_a_word() -> None:
    rows = dict(figures.summary_rows(dataclasses.replace(GOOD, p50_s=None, waiting=None)))
    assert rows["publish to result"] == "p50 unknown, p95 20.0 s"
    assert rows["left in the queues"] == "unknown"
    assert rows["callbacks"] == "25 deliveries of 24 different ids, signed"
