"""How many tasks wait, what that means for the next one, and when there is room again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genpool_core.errors import BrokerError, TaskStoreError
from genpool_gateway.accepting.limits import Limits
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.pool import ServedPool
from genpool_gateway.pools.waiting import Waiting
from support.pool_objects import directory, pool_object
from unit.gateway.intake.samples import Pools

# The figure -----------------------------------------------------------------------------------------------------------


def read(*figures: tuple[float, int], added: int = 0) -> Waiting:
    """Read at these times."""
    waiting = Waiting()
    for at, count in figures:
        waiting.read(count, at)
    for _ in range(added):
        waiting.add()
    return waiting


@pytest.mark.parametrize(
    ("waiting", "most", "full"),
    [
        (Waiting(), 1, None),
        (read(added=3), 1, None),
        (read((0, 0)), 1, False),
        (read((0, 4)), 5, False),
        (read((0, 5)), 5, True),
        (read((0, 3), added=2), 5, True),
        (read((0, 9), (1, 4)), 5, False),
    ],
)
def test_full_is_what_was_read_and_what_came_since(
    waiting: Waiting,
    most: int,
    full: bool | None,  # noqa: FBT001 - of the table
) -> None:
    assert waiting.is_full(most) is full


def test_it_is_read_once_a_second() -> None:
    waiting = Waiting()
    assert waiting.is_due(0)
    waiting.asked(0)
    assert not waiting.is_due(0.9)
    waiting.read(1, 1)
    assert not waiting.is_due(1.9)
    assert waiting.is_due(2)


@pytest.mark.parametrize(
    ("waiting", "seconds"),
    [
        (Waiting(), None),
        (read((0, 10)), None),
        (read((0, 10), (1, 10)), None),
        (read((0, 10), (2, 6)), 1),
        (read((0, 100), (10, 95)), 182),
        (read((0, 100_000), (10, 99_999)), 3600),
        (read((0, 10), (1, 12)), None),
    ],
)
def test_room_comes_as_tasks_leave(waiting: Waiting, seconds: int | None) -> None:
    """With 5 as the limit."""
    assert waiting.seconds_until_room(5) == seconds


def test_the_rate_is_that_of_the_last_minutes() -> None:
    waiting = read((0, 1000))
    for second in range(1, 600):
        waiting.add()
        waiting.read(1000, second)
    assert waiting.per_second == pytest.approx(1)
    for second in range(600, 900):
        waiting.read(1000, second)
    assert waiting.per_second == pytest.approx(0, abs=0.01)


# The limits -----------------------------------------------------------------------------------------------------------


def limited(most: int | None = 3) -> PoolDirectory:
    body = pool_object()
    if most is not None:
        body["spec"]["queue"]["maxWaiting"] = most
    return directory(body)


def limits(
    *counts: int | Exception | None, most: int | None = 3, pools: Pools | None = None
) -> tuple[Limits, ServedPool]:
    """The limits, read once."""
    found = limited(most)

    def asking(answer: int | Exception | None) -> Callable[[ServedPool], int | None]:
        def ask(_pool: ServedPool) -> int | None:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask

    made = Limits(pools or Pools(found), [asking(count) for count in counts])
    made.read()
    return made, found.pools[0]


@pytest.mark.parametrize(
    ("counts", "most", "accepted"),
    [
        ((0, 0), 3, 3),
        ((1, 2), 3, 1),
        ((2, 1), 3, 1),
        ((3, None), 3, 0),
        ((TaskStoreError("away."), 2), 3, 1),
        ((2, BrokerError("away.")), 3, 1),
        ((TaskStoreError("away."), BrokerError("away.")), 3, 10),
        ((9, 9), None, 10),
    ],
)
def test_so_many_are_accepted(
    counts: tuple[int | Exception | None, ...], most: int | None, accepted: int
) -> None:
    made, pool = limits(*counts, most=most)
    assert sum(made.take(pool) is None for _ in range(10)) == accepted


def test_a_refusal_says_why_and_when_to_come_back() -> None:
    made, pool = limits(10)
    refusal = made.take(pool)
    assert refusal is not None
    assert refusal.message == (
        "10 tasks of pool team/pictures wait, and its queue.maxWaiting is 3: send the task again later."
    )
    assert refusal.retry_after is None
    made._known[pool.ref.uid].per_second = 2.0
    again = made.take(pool)
    assert again is not None
    assert again.retry_after == 4


@pytest.mark.parametrize(
    ("count", "most", "wanted", "taken"),
    [
        (0, 3, 10, 3),
        (0, 3, 2, 2),
        (2, 3, 10, 1),
        (3, 3, 10, 0),
        (5, 3, 10, 0),
        (9, None, 10, 10),
        (None, 3, 10, 10),
    ],
)
def test_several_take_what_room_there_is(
    count: int | None, most: int | None, wanted: int, taken: int
) -> None:
    made, pool = limits(count, most=most)
    assert (made.full(pool) is None) is (taken > 0)
    assert made.take_some(pool, wanted) == taken
    if most is not None and count is not None:
        assert (made.take(pool) is None) is (count + taken < most), (
            "they count for those that come after them"
        )


def test_nothing_is_read_while_the_pools_are_unknown() -> None:
    made, pool = limits(10, pools=Pools(PoolsUnknown("not read.")))
    assert made.take(pool) is None


def test_what_was_accepted_while_the_figures_were_read_counts() -> None:
    found = limited(2)
    made: list[Limits] = []

    def count(pool: ServedPool) -> int:
        made[0].take(pool)
        return 0

    made.append(Limits(Pools(found), [count]))
    made[0].read()
    assert [made[0].take(found.pools[0]) is None for _ in range(2)] == [True, False]


def test_it_goes_on_reading_until_it_is_stopped() -> None:
    made, _ = limits(1)
    made.start()
    made.stop(5)
    assert not made._thread.is_alive()
