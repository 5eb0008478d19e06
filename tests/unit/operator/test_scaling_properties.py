"""What holds for every reading, bound and history."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genpool_core.api.scaling import ScalingSpec
from genpool_operator.decide.reading import QueueReading
from genpool_operator.decide.scaling import ScalingMemory, decide_replicas
from unit.operator.pools import at

NUMBERS = st.integers(0, 30)


@st.composite
def specs(draw: st.DrawFn) -> ScalingSpec:
    low = draw(st.integers(0, 8))
    return ScalingSpec(
        min_replicas=low,
        max_replicas=max(1, low + draw(st.integers(0, 8))),
        idle_seconds=draw(st.none() | st.integers(1, 40)),
    )


@st.composite
def readings(draw: st.DrawFn) -> QueueReading:
    """Bounds as two sources give them: either may be missing."""
    least = draw(st.none() | NUMBERS)
    most = None if least is None else draw(st.none() | st.integers(least, 40))
    return QueueReading(
        waiting=least, running=0, at_least=least, at_most=most, workers_known=draw(st.booleans())
    )


@given(specs(), st.lists(st.tuples(st.integers(0, 20), readings(), st.integers(0, 4)), max_size=12), NUMBERS)
def test_every_decision_keeps_its_promises(
    spec: ScalingSpec, steps: list[tuple[int, QueueReading, int]], start: int
) -> None:
    memory, current, seconds = ScalingMemory(), start, 0
    for wait, reading, busy in steps:
        seconds += wait
        decision = decide_replicas(spec, reading, min(busy, current), current, memory, at(seconds))
        desired = decision.desired
        assert desired is not None
        working = min(busy, current)
        if reading.at_least is None:
            assert desired == current, "unknown holds"
        if desired < current:
            assert reading.at_most is not None, "fewer needs both sources"
            assert desired >= max(working, min(reading.at_most, spec.max_replicas), spec.min_replicas)
        if desired > current:
            assert desired <= max(spec.max_replicas, working), "the maximum holds"
        assert desired >= working, "a busy pod is not taken"
        assert decision.message.endswith("."), "a sentence"
        again = decide_replicas(spec, reading, working, desired, decision.memory, at(seconds))
        assert again.desired == desired, "twice is once"
        memory, current = decision.memory, desired
