"""Ten thousand callbacks to receivers that are away, in virtual time over the gateway's own decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from genpool_core import timing
from unit.gateway.simulation import Callback, Simulation

MANY = 10_000
HOUR = 3600.0
#: How a dead receiver fails: it hangs until the time-out, or refuses at once.
WAYS = {"hangs": 10.0, "refuses": 0.01}


def receivers(dead_seconds: float) -> Callable[[str, float], tuple[float, bool]]:
    return lambda name, _now: (dead_seconds, False) if name.startswith("dead") else (0.1, True)


def p95(simulation: Simulation) -> float:
    waits = sorted(at - callback.published for callback, at in simulation.delivered)
    return waits[len(waits) * 95 // 100]


def simulated(dead: int, dead_seconds: float, *, hosts: int = 1, hours: float = 0.5) -> Simulation:
    """Callbacks to dead receivers at once, and one every half second to a good one, from the same moment on."""
    simulation = Simulation(receivers(dead_seconds))
    for number in range(dead):
        simulation.publish(Callback(f"dead-{number % hosts}", 0.0))
    for number in range(1000):
        simulation.publish(Callback("good", number / 2))
    simulation.run(hours * HOUR)
    assert len(simulation.delivered) == 1000
    return simulation


@pytest.mark.parametrize("hosts", [1, 5])
@pytest.mark.parametrize("way", WAYS)
def test_a_dead_receiver_costs_the_others_nothing_and_the_broker_little(way: str, hosts: int) -> None:
    alone = p95(simulated(0, 0.0))
    simulation = simulated(MANY, WAYS[way], hosts=hosts)
    assert p95(simulation) <= 1.5 * alone
    rates = Counter(int(at) for at in simulation.republished)
    assert max(rates.values()) < 20, "republishes in the worst second"
    assert len(simulation.republished) > 1000, "they are set aside, not held for ever"


def test_what_is_never_tried_is_given_up_after_a_day() -> None:
    simulation = Simulation(receivers(10.0))
    for _ in range(MANY // 5):
        simulation.publish(Callback("dead-0", 0.0))
    simulation.run(30 * HOUR)
    assert len(simulation.given_up) == MANY // 5
    ages = [at - (callback.since or 0) for callback, at in simulation.given_up]
    # What waits when its time is over is given up when it is set aside, or tried, next.
    assert max(ages) < timing.CALLBACK_GIVE_UP_SECONDS + 2 * timing.CALLBACK_HOLD_SECONDS
    assert min(ages) > timing.CALLBACK_GIVE_UP_SECONDS - 2 * timing.RETRY_STEPS[-1]
    assert max(at for _, at in simulation.given_up) < 25 * HOUR
    rates = Counter(int(at) for at in simulation.republished)
    assert max(rates.values()) < 20


def test_a_receiver_that_comes_back_gets_all() -> None:
    back_at = 600.0
    simulation = Simulation(lambda _name, now: (10.0, False) if now < back_at else (0.1, True))
    for _ in range(MANY):
        simulation.publish(Callback("dead-0", 0.0))
    simulation.run(2 * HOUR)
    assert len(simulation.delivered) == MANY
    assert not simulation.given_up
    first = min(at for _, at in simulation.delivered)
    assert first - back_at <= timing.RECEIVER_PAUSE_MOST_SECONDS + timing.CALLBACK_TIMEOUT_SECONDS


def test_more_than_the_window_holds_is_set_aside_at_any_rate() -> None:
    """Else callbacks to other receivers would not be delivered to us any more."""
    simulation = Simulation(receivers(10.0))
    for _ in range(4 * MANY):
        simulation.publish(Callback("dead-0", 0.0))
    simulation.publish(Callback("good", 1.0))
    simulation.run(60.0)
    ((_, at),) = simulation.delivered
    assert at < 30
