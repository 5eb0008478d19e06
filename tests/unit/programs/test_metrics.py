"""What Prometheus sees of each program. Dashboards and alerts of others stand on it: a name here changes for nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

from genpool_core.messages.events import WorkerState
from genpool_worker.adapters.metrics import WorkerMetrics
from unit.programs.counted import Program, gateway, operator, worker


@pytest.mark.parametrize("make", [operator, worker, gateway])
def test_the_families_of_a_program(make: Callable[[], Program]) -> None:
    program = make()
    assert [f"{family.kind} {family}" for family in program.registry.families] == program.families


@pytest.mark.parametrize("make", [operator, worker, gateway])
def test_what_is_rendered_is_what_was_made(make: Callable[[], Program]) -> None:
    program = make()
    rendered: dict[str, tuple[str, set[str]]] = {}
    values: dict[str, set[str]] = {}
    for metric in text_string_to_metric_families(program.registry.render().decode()):
        for sample in metric.samples:
            for label, value in sample.labels.items():
                values.setdefault(label, set()).add(value)
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        labels = {label for sample in metric.samples for label in sample.labels} - {"le"}
        rendered[name] = (metric.type, labels)
    made = {family.name: (family.kind, set(family.labels)) for family in program.registry.families}
    # The client library adds the time of birth of each counter and histogram.
    assert {name: seen for name, seen in rendered.items() if not name.endswith("_created")} == made
    assert {label: values[label] for label in program.values} == program.values


def test_each_state_of_a_worker_is_a_series() -> None:
    metrics = WorkerMetrics()
    metrics.state("idle")
    lines = metrics.registry.render().decode().splitlines()
    shown = {line for line in lines if line.startswith("genpool_worker_state{")}
    assert shown == {
        f'genpool_worker_state{{state="{state}"}} {float(state == "idle")}' for state in get_args(WorkerState)
    }


def test_the_first_task_of_a_pod_is_an_increase() -> None:
    assert (
        'genpool_worker_tasks_total{outcome="succeeded",reason="Succeeded"} 0.0'
        in WorkerMetrics().registry.render().decode()
    )


def test_a_part_of_an_attempt_that_fails_is_measured_too() -> None:
    metrics = WorkerMetrics()
    with pytest.raises(OSError, match="gone"), metrics.phase("run"):
        raise OSError("gone")
    assert 'genpool_worker_phase_seconds_count{phase="run"} 1.0' in metrics.registry.render().decode()
