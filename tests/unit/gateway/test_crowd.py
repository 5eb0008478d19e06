from __future__ import annotations

from genpool_gateway.crowd import Crowd


def test_a_receiver_that_answers_has_no_limit() -> None:
    crowd = Crowd(slow_limit=2, slow_seconds=60)
    assert all(crowd.enter("a", now=0) for _ in range(100))


def test_a_slow_receiver_gets_few_attempts_and_others_all() -> None:
    crowd = Crowd(slow_limit=2, slow_seconds=60)
    crowd.enter("slow", now=0)
    crowd.leave("slow", now=10, slow=True)
    assert [crowd.enter("slow", now=11) for _ in range(3)] == [True, True, False]
    assert all(crowd.enter("fast", now=11) for _ in range(16))


def test_one_quick_answer_or_time_lifts_the_limit() -> None:
    crowd = Crowd(slow_limit=1, slow_seconds=60)
    for _ in range(2):
        crowd.enter("a", now=0)
    crowd.leave("a", now=10, slow=True)
    assert not crowd.enter("a", now=11)
    crowd.leave("a", now=12, slow=False)
    assert [crowd.enter("a", now=13) for _ in range(3)] == [True] * 3
    crowd.leave("a", now=14, slow=True)
    assert not crowd.enter("a", now=15)
    assert crowd.enter("a", now=75)


def test_receivers_that_are_idle_are_forgotten() -> None:
    crowd = Crowd(slow_seconds=60)
    for number in range(100):
        crowd.enter(f"host-{number}", now=0)
        crowd.leave(f"host-{number}", now=number, slow=True)
    crowd.enter("last", now=1000)
    crowd.leave("last", now=1000, slow=False)
    assert crowd._receivers == {}
