"""The operator's clock: a machine whose time is set anew ends no window and begins none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import genpool_operator
from genpool_operator.adapters.clock import SteadyClock
from unit.operator.pools import NOW


class Machine:
    """A machine's two clocks."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.set_by = 0.0

    def clock(self) -> SteadyClock:
        return SteadyClock(
            lambda: NOW + timedelta(seconds=self.passed + self.set_by), lambda: 5 + self.passed
        )


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 86_400.0 * 365])
def test_a_machine_whose_time_jumps(jump: float) -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    machine.set_by = jump
    assert clock.now() == before, "no heartbeat is old at once"
    for seconds in (0.5, 1, 15, 30):
        began = clock.now()
        machine.passed += seconds
        lasted = (clock.now() - began).total_seconds()
        assert 0.89 * seconds < lasted < 1.11 * seconds


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 0.3])
def test_it_comes_to_agree_with_the_machine(jump: float) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.set_by = jump
    for _ in range(40_000):
        machine.passed += 1
        clock.now()
    assert clock.now() == NOW + timedelta(seconds=machine.passed + jump)


def test_an_undisturbed_clock_is_the_machines() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.passed = 1234.5
    assert clock.now() == NOW + timedelta(seconds=1234.5)


def test_the_operator_has_no_other_clock() -> None:
    (folder,) = genpool_operator.__path__
    found = {path.name for path in Path(folder).rglob("*.py") if "datetime.now(" in path.read_text()}
    assert found == {"clock.py"}
