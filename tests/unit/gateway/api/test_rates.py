from __future__ import annotations

from genpool_gateway.api.rates import Rates


def test_a_caller_may_send_a_burst_and_then_its_rate() -> None:
    now = [0.0]
    rates = Rates(10, clock=lambda: now[0])
    assert [rates.take("a") for _ in range(40)] == [None] * 40
    assert rates.take("a") == 1
    assert rates.take("b") is None, "another caller has its own"
    now[0] = 0.5
    assert [rates.take("a") for _ in range(6)] == [None] * 5 + [1]


def test_it_says_when_to_come_again() -> None:
    now = [0.0]
    rates = Rates(0.1, clock=lambda: now[0])
    assert rates.take("a") is None
    assert rates.take("a") == 10
    now[0] = 10.0
    assert rates.take("a") is None


def test_without_a_rate_there_is_no_limit() -> None:
    rates = Rates(0)
    assert {rates.take("a") for _ in range(10_000)} == {None}
