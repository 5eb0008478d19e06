"""What is known of a queue, from two sources that can both be wrong."""

from __future__ import annotations

import pytest

from genpool_operator.decide.pods import PodView
from genpool_operator.decide.reading import Counted, Listed, read_queue
from genpool_operator.decide.workers import WorkerCounts, WorkerView, count_workers, heard
from unit.operator.pools import NOW, at, count, pod, row, worker

IDLE = WorkerCounts()


@pytest.mark.parametrize(
    ("listed", "counted", "workers", "at_least", "at_most"),
    [
        pytest.param(None, None, IDLE, None, None, id="nothing known"),
        pytest.param(None, count(0), IDLE, None, None, id="a passive zero alone is no evidence"),
        pytest.param(None, count(3), IDLE, 3, None, id="a passive number is enough to scale out"),
        pytest.param(row(0, 0), None, IDLE, 0, None, id="the list alone never allows scaling in"),
        pytest.param(row(0, 0), count(0), IDLE, 0, 0, id="both agree on zero"),
        pytest.param(row(4, 1), count(0), IDLE, 0, 5, id="the list may tell of tasks that are done"),
        pytest.param(row(4, 1, ready_for=10), count(0, zero_for=99), IDLE, 0, 5, id="as long as it can lag"),
        pytest.param(
            row(4, 1, ready_for=99), count(0, zero_for=10), IDLE, 0, 5, id="as long as it can lag, too"
        ),
        pytest.param(row(4, 1), count(0, zero_for=99), IDLE, 0, 5, id="since when is not known"),
        pytest.param(row(4, 1, ready_for=99), count(0), IDLE, 0, 5, id="since when is not known, too"),
        pytest.param(
            row(4, 1, age=5, ready_for=8), count(0, zero_for=12), IDLE, 0, 5, id="both said so for 7 s only"
        ),
        pytest.param(row(4, 1, ready_for=11), count(0, zero_for=11), IDLE, 5, 5, id="then the zero is wrong"),
        pytest.param(
            row(4, 1, ready_for=11), None, IDLE, 5, None, id="without a passive answer the list counts"
        ),
        pytest.param(
            row(4, 1, ready_for=9), None, IDLE, 0, None, id="once it has said so for longer than it lags"
        ),
        pytest.param(row(4, 1), None, IDLE, 0, None, id="but not where it is not known for how long"),
        pytest.param(
            row(4, 0, age=12, ready_for=60),
            count(0, age=6),
            IDLE,
            0,
            None,
            id="nor before the last passive answer",
        ),
        pytest.param(
            row(4, 0, ready_for=60),
            count(0, age=9),
            IDLE,
            0,
            None,
            id="nor as shortly after it as the list lags",
        ),
        pytest.param(
            row(4, 0, ready_for=60), count(0, age=11), IDLE, 4, None, id="but later: then they came after it"
        ),
        pytest.param(row(4, 1, ready_for=60), count(None), IDLE, None, None, id="a queue that is not there"),
        pytest.param(
            row(4, 0, ready_for=60),
            count(0, zero_for=1),
            IDLE,
            0,
            4,
            id="a queue that was made anew: not the old one's",
        ),
        pytest.param(
            row(4, 2), count(0), WorkerCounts(unknown=2), 2, 6, id="what silent workers hold is there"
        ),
        pytest.param(row(0, 0), count(4), IDLE, 4, 4, id="the list lags behind a publish"),
        pytest.param(row(2, 0, state="down"), count(0), IDLE, None, None, id="a queue that is down"),
        pytest.param(row(2, 0, state="minority"), count(1), IDLE, 1, None, id="a queue in a minority"),
        pytest.param(row(None, None), count(0), IDLE, None, None, id="no figures yet after the declare"),
        pytest.param(row(0, 0, state="flow"), count(0), IDLE, 0, 0, id="a queue whose publishers are slowed"),
        pytest.param(row(0, 0, state="idle"), count(0), IDLE, 0, 0, id="a queue that nobody uses"),
        pytest.param(row(0, 0, age=15), count(0, age=5), IDLE, 0, 0, id="answers that are just young enough"),
        pytest.param(row(0, 0, age=15.1), count(0), IDLE, None, None, id="an old list"),
        pytest.param(row(0, 0), count(0, age=5.1), IDLE, 0, None, id="an old passive answer"),
        pytest.param(
            row(0, 0), count(0), WorkerCounts(busy=2), 2, 2, id="heartbeats say busy, the list lags"
        ),
        pytest.param(
            row(2, 2), count(1), WorkerCounts(busy=2), 3, 4, id="fresh figures out, careful ones in"
        ),
        pytest.param(
            row(4, 0), count(4, age=1), WorkerCounts(busy=1, begun=(NOW,)), 4, 5, id="taken since: not twice"
        ),
        pytest.param(
            row(1, 0), count(1, age=1), WorkerCounts(busy=2, begun=(NOW, NOW)), 2, 3, id="taken, and another"
        ),
        pytest.param(
            row(0, 3), count(1), WorkerCounts(busy=2, begun=(at(-2), at(-3))), 3, 3, id="taken before: once"
        ),
        pytest.param(
            row(0, 3), count(1), WorkerCounts(unknown=3), 4, 4, id="silent workers: the broker's figure"
        ),
        pytest.param(
            row(0, 1), count(0), WorkerCounts(leaving=1), 0, 1, id="a leaving pod needs no other pod"
        ),
        pytest.param(
            row(4, 1, ready_for=11),
            None,
            WorkerCounts(leaving=1),
            4,
            None,
            id="nor when only the list tells of it",
        ),
        pytest.param(
            row(0, 3), count(1), WorkerCounts(unknown=2, leaving=1), 3, 3, id="nor beside silent workers"
        ),
    ],
)
def test_bounds(
    listed: Listed | None,
    counted: Counted | None,
    workers: WorkerCounts,
    at_least: int | None,
    at_most: int | None,
) -> None:
    reading = read_queue(listed, None, counted, workers, NOW)
    assert (reading.at_least, reading.at_most) == (at_least, at_most)


@pytest.mark.parametrize(
    ("listed", "counted", "workers", "waiting", "running"),
    [
        (None, None, IDLE, None, 0),
        (None, None, WorkerCounts(unknown=1), None, None),
        (None, count(0), IDLE, None, 0),
        (None, count(3), IDLE, 3, 0),
        (row(0, 0), count(0), IDLE, 0, 0),
        (row(5, 2), count(7), WorkerCounts(busy=2), 7, 2),
        (row(0, 2), count(0), WorkerCounts(unknown=2), 0, 2),
        (row(12, 0), count(0), IDLE, 0, 0),
        (row(12, 0, ready_for=11), count(0, zero_for=11), IDLE, 12, 0),
        (row(0, 0), count(0), WorkerCounts(busy=1, leaving=1), 0, 2),
        (row(12, 0), None, IDLE, 12, 0),
        (row(12, 0), count(None), IDLE, None, 0),
    ],
)
def test_figures_for_people(
    listed: Listed | None,
    counted: Counted | None,
    workers: WorkerCounts,
    waiting: int | None,
    running: int | None,
) -> None:
    reading = read_queue(listed, None, counted, workers, NOW)
    assert (reading.waiting, reading.running) == (waiting, running)


def test_evidence_is_as_old_as_the_older_answer() -> None:
    assert read_queue(row(0, 0, age=7), None, count(0, age=1), IDLE, NOW).evidence_at == at(-7)
    assert read_queue(row(0, 0, age=1), None, count(0, age=2), IDLE, NOW).evidence_at == at(-2)
    assert read_queue(row(0, 0), None, None, IDLE, NOW).evidence_at is None
    assert read_queue(None, None, count(3), IDLE, NOW).evidence_at is None


def test_figures_are_as_young_as_the_younger_answer() -> None:
    assert read_queue(row(0, 0, age=7), None, count(0, age=1), IDLE, NOW).observed_at == at(-1)
    assert read_queue(row(0, 0, age=7), None, None, IDLE, NOW).observed_at == at(-7)
    assert read_queue(None, None, count(3, age=2), IDLE, NOW).observed_at == at(-2)
    # A passive zero alone tells nothing.
    assert read_queue(None, None, count(0), IDLE, NOW).observed_at is None
    assert read_queue(None, None, None, IDLE, NOW).observed_at is None


@pytest.mark.parametrize(("workers", "known"), [(IDLE, True), (WorkerCounts(busy=2, unknown=1), False)])
def test_one_silent_worker_is_told(workers: WorkerCounts, *, known: bool) -> None:
    assert read_queue(row(0, 0), None, count(0), workers, NOW).workers_known is known


def test_dead_letters_that_are_not_known_are_not_zero() -> None:
    assert read_queue(None, row(2, 0), None, IDLE, NOW).dead == 2
    assert read_queue(None, row(2, 0, age=60), None, IDLE, NOW).dead is None
    assert read_queue(None, None, None, IDLE, NOW).dead is None


def test_a_task_is_begun_when_we_first_hear_of_it() -> None:
    first = heard(None, worker("busy", heard=-9, task="k"))
    again = heard(first, worker("busy", heard=-4, task="k"))
    draining = heard(again, worker("draining", heard=-2, task="k"))
    other = heard(draining, worker("busy", heard=-1, task="j"))
    idle = heard(other, worker("idle"))
    begun = [state.begun_at for state in (first, again, draining, other, idle)]
    assert begun == [at(-9), at(-9), at(-9), at(-1), None]
    assert heard(worker("idle"), worker("busy", heard=-1)).begun_at == at(-1)


@pytest.mark.parametrize(
    ("pods", "states", "expected"),
    [
        ([], {}, WorkerCounts()),
        ([pod("a")], {}, WorkerCounts(unknown=1)),
        ([pod("a", ready=False)], {}, WorkerCounts()),
        ([pod("a")], {"a": worker("idle")}, WorkerCounts()),
        ([pod("a")], {"a": worker("busy")}, WorkerCounts(busy=1)),
        ([pod("a")], {"a": worker("busy", heard=-30)}, WorkerCounts(busy=1)),
        ([pod("a")], {"a": worker("busy", heard=-31)}, WorkerCounts(unknown=1)),
        ([pod("a")], {"a": heard(None, worker("busy", heard=-3))}, WorkerCounts(busy=1, begun=(at(-3),))),
        ([pod("a", terminating=True)], {"a": worker("busy")}, WorkerCounts(leaving=1)),
        ([pod("a", terminating=True)], {"a": worker("draining", task="k")}, WorkerCounts(leaving=1)),
        ([pod("a", terminating=True)], {"a": worker("draining")}, WorkerCounts()),
        ([pod("a")], {"gone": worker("busy")}, WorkerCounts(unknown=1)),
    ],
)
def test_workers(pods: list[PodView], states: dict[str, WorkerView], expected: WorkerCounts) -> None:
    assert count_workers(pods, states, NOW) == expected
