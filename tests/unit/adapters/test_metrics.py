"""One rule for the names of all metrics."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genpool_adapters.metrics import REQUEST_BUCKETS, Family, Registry


def test_a_registry_knows_and_renders_what_it_made() -> None:
    registry = Registry()
    registry.counter("genpool_meals_total", "Meals served", "kind").labels("lunch").inc()
    registry.gauge("genpool_tables", "Tables that are free").set(3)
    registry.histogram("genpool_meal_seconds", "Time of a meal", buckets=REQUEST_BUCKETS).observe(0.3)
    assert registry.families == (
        Family("counter", "genpool_meals_total", ("kind",), "Meals served"),
        Family("gauge", "genpool_tables", (), "Tables that are free"),
        Family("histogram", "genpool_meal_seconds", (), "Time of a meal"),
    )
    assert [str(family) for family in registry.families] == [
        "genpool_meals_total{kind}",
        "genpool_tables",
        "genpool_meal_seconds",
    ]
    text = registry.render().decode()
    for line in (
        "# HELP genpool_meals_total Meals served",
        'genpool_meals_total{kind="lunch"} 1.0',
        "genpool_tables 3.0",
        'genpool_meal_seconds_bucket{le="0.25"} 0.0',
        'genpool_meal_seconds_bucket{le="0.5"} 1.0',
    ):
        assert f"{line}\n" in text


def test_two_registries_share_nothing() -> None:
    for _ in range(2):
        Registry().gauge("genpool_tables", "Tables that are free")


def _counter(registry: Registry, name: str) -> None:
    registry.counter(name, "")


def _gauge(registry: Registry, name: str) -> None:
    registry.gauge(name, "")


def _histogram(registry: Registry, name: str) -> None:
    registry.histogram(name, "", buckets=REQUEST_BUCKETS)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (_counter, "genpool_meals"),
        (_counter, "meals_total"),
        (_counter, "genpool_total"),
        (_counter, "genpool_Meals_total"),
        (_gauge, "genpool_meals_total"),
        (_gauge, "genpool-tables"),
        (_gauge, "genpool_"),
        (_histogram, "genpool_meal_milliseconds"),
        (_histogram, "genpool_seconds"),
        (_histogram, "genpool_meal"),
    ],
)
def test_a_name_that_breaks_the_rule_is_refused(make: Callable[[Registry, str], None], name: str) -> None:
    registry = Registry()
    with pytest.raises(ValueError, match=f"cannot be named {name}$"):
        make(registry, name)
    assert registry.families == ()


def test_a_name_is_given_once() -> None:
    registry = Registry()
    _gauge(registry, "genpool_tables")
    with pytest.raises(ValueError, match="Duplicated"):
        _gauge(registry, "genpool_tables")
