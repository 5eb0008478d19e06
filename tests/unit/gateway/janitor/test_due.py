"""How many ends are due: a number, or not known, and never a number of before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from genpool_core.errors import TaskStoreError
from genpool_gateway.adapters.metrics import GatewayMetrics
from genpool_gateway.janitor.due import DueEnds
from genpool_gateway.tasks.ports import UnendedStore
from unit.gateway.samples import NOW


def test_it_is_not_known_before_and_while_the_store_is_away() -> None:
    answers: list[int | Exception] = [3, TaskStoreError("the database is away."), 0]
    metrics = GatewayMetrics()

    def count(_now: object) -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def shown() -> str:
        return metrics.registry.render().decode().partition("\ngenpool_ends_waiting ")[2].partition("\n")[0]

    store = cast("UnendedStore", SimpleNamespace(count_unended=count))
    due = DueEnds(store, lambda: NOW, metrics.ends_waiting)
    seen = [shown()]
    for _ in range(3):
        due.look()
        seen.append(shown())
    assert seen == ["NaN", "3.0", "NaN", "0.0"]
