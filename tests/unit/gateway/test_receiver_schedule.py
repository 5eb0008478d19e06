from __future__ import annotations

import pytest

from genpool_core import timing
from genpool_gateway.callbacks.receiver_schedule import ASIDE_PER_SECOND, SLOTS, Job, ReceiverSchedule


def filled(**counts: int) -> ReceiverSchedule[str]:
    """So many callbacks for each receiver, at time 0."""
    schedule: ReceiverSchedule[str] = ReceiverSchedule()
    for receiver, count in counts.items():
        for number in range(count):
            schedule.add(f"{receiver}{number}", receiver, 100, now=0)
    return schedule


def begun(schedule: ReceiverSchedule[str], now: float) -> list[str]:
    """What can be tried now, all at once."""
    found = []
    while isinstance(job := schedule.next(now), Job):
        assert not job.aside
        found.append(job.item)
    return found


def fail(schedule: ReceiverSchedule[str], now: float, times: int, *, slow: bool = False) -> None:
    for _ in range(times):
        job = schedule.next(now)
        assert isinstance(job, Job)
        schedule.ended(job.receiver, now, good=False, slow=slow)


def test_one_receiver_gets_half_of_the_slots_and_two_take_turns() -> None:
    assert begun(filled(a=20), 0) == [f"a{number}" for number in range(SLOTS // 2)]
    assert begun(filled(a=3, b=3), 0) == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert len(begun(filled(a=20, b=20, c=20), 0)) == SLOTS


def test_a_slow_receiver_gets_two_at_a_time_until_one_is_quick() -> None:
    schedule = filled(a=20)
    schedule.next(0)
    schedule.ended("a", 10, good=True, slow=True)
    assert len(begun(schedule, 10)) == 2
    schedule.ended("a", 11, good=True, slow=False)
    assert len(begun(schedule, 11)) == SLOTS // 2 - 1


def test_a_receiver_that_fails_is_left_alone_for_longer_and_longer() -> None:
    schedule = filled(a=20)
    fail(schedule, 0, 2)
    fail(schedule, 0, 1)
    pauses = []
    now = 0.0
    for _ in range(4):
        began = now
        while not isinstance(schedule.next(now), Job):
            now += 0.5
        pauses.append(now - began)
        schedule.ended("a", now, good=False, slow=False)
    assert pauses == [4, 8, 16, 30]


def test_receivers_in_trouble_share_half_of_the_slots() -> None:
    names = [f"r{number}" for number in range(SLOTS)]
    schedule = filled(**dict.fromkeys(names, 5))
    for _ in names:
        schedule.next(0)
    for name in names:
        schedule.ended(name, 10, good=True, slow=True)
    assert len(begun(schedule, 10)) == SLOTS // 2
    schedule.add("x", "good", 100, now=10)
    assert begun(schedule, 10) == ["x"]


def test_what_was_held_for_long_is_set_aside_at_a_rate() -> None:
    schedule = filled(a=100)
    fail(schedule, 0, 3)
    assert not isinstance(schedule.next(0), Job)
    assert begun(schedule, 59) == ["a3", "a4"]
    hold = timing.CALLBACK_HOLD_SECONDS
    found = [schedule.next(hold + step / 600) for step in range(600)]
    aside = [job for job in found if isinstance(job, Job)]
    assert all(job.aside for job in aside)
    assert [job.item for job in aside[:2]] == ["a5", "a6"]
    assert len(aside) == pytest.approx(ASIDE_PER_SECOND, abs=1)


def test_a_lost_connection_takes_what_waited_and_leaves_what_is_tried() -> None:
    schedule = filled(a=20)
    begun(schedule, 0)
    schedule.clear()
    assert not isinstance(schedule.next(0), Job)
    for _ in range(SLOTS // 2):
        schedule.ended("a", 1, good=True, slow=False)
    schedule.add("again", "a", 100, now=2)
    assert begun(schedule, 2) == ["again"]


def test_receivers_that_are_idle_are_forgotten() -> None:
    schedule = filled(**{f"host-{number}": 1 for number in range(SLOTS)})
    for number in range(SLOTS):
        schedule.next(0)
        schedule.ended(f"host-{number}", number, good=False, slow=True)
    schedule.add("x", "last", 100, now=1000)
    schedule.next(1000)
    schedule.ended("last", 1000, good=True, slow=False)
    assert schedule._receivers == {}
