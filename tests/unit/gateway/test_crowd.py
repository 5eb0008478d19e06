from __future__ import annotations

from genpool_gateway.slow_receivers import SlowReceivers


def test_a_receiver_that_answers_has_no_limit() -> None:
    slow = SlowReceivers(slow_limit=2, slow_seconds=60)
    assert all(slow.enter("a", now=0) for _ in range(100))


def test_a_slow_receiver_gets_few_attempts_and_others_all() -> None:
    slow = SlowReceivers(slow_limit=2, slow_seconds=60)
    slow.enter("slow", now=0)
    slow.leave("slow", now=10, slow=True)
    assert [slow.enter("slow", now=11) for _ in range(3)] == [True, True, False]
    assert all(slow.enter("fast", now=11) for _ in range(16))


def test_one_quick_answer_or_time_lifts_the_limit() -> None:
    slow = SlowReceivers(slow_limit=1, slow_seconds=60)
    for _ in range(2):
        slow.enter("a", now=0)
    slow.leave("a", now=10, slow=True)
    assert not slow.enter("a", now=11)
    slow.leave("a", now=12, slow=False)
    assert [slow.enter("a", now=13) for _ in range(3)] == [True] * 3
    slow.leave("a", now=14, slow=True)
    assert not slow.enter("a", now=15)
    assert slow.enter("a", now=75)


def test_a_receiver_with_an_attempt_in_flight_is_remembered() -> None:
    slow = SlowReceivers(slow_limit=1, slow_seconds=60)
    slow.enter("a", now=0)
    slow.enter("b", now=0)
    slow.leave("b", now=1, slow=False)
    slow.leave("a", now=2, slow=True)
    assert [slow.enter("a", now=3) for _ in range(2)] == [True, False]


def test_receivers_that_are_idle_are_forgotten() -> None:
    slow = SlowReceivers(slow_seconds=60)
    for number in range(100):
        slow.enter(f"host-{number}", now=0)
        slow.leave(f"host-{number}", now=number, slow=True)
    slow.enter("last", now=1000)
    slow.leave("last", now=1000, slow=False)
    assert slow._receivers == {}
