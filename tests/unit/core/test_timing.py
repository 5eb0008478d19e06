"""The times of GenPool fit each other, each is bound by a rule and in use, and none hides elsewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core import timing, timing_cli, timing_gateway
from genpool_core.timing_rule import Rule
from genpool_core.timing_rules import RULES
from support.hidden_times import hidden_times

ROOT = Path(__file__).resolve().parents[3]
TIMING = "".join(Path(module.__file__).read_text() for module in (timing, timing_gateway, timing_cli))
PROGRAMS = ("core", "adapters", "operator", "worker", "gateway", "cli")
VALUES: dict[str, Any] = {name: value for name, value in vars(timing).items() if name.isupper()}
ALL_RULES = [rule for rules in RULES.values() for rule in rules]

#: Facts about the world: no code uses them, the other times must fit them.
FACTS = {"STORE_CLOCK_SECONDS", "STATISTICS_SECONDS", "KUBELET_SECRET_SECONDS", "ROTATION_SECONDS"}


# The rules ----------------------------------------------------------------------------------------------------------


def names_in(rule: Rule) -> list[str]:
    return [name for name in VALUES if re.search(rf"\b{name}\b", rule.holds)]


def broken(values: Mapping[str, Any]) -> list[str]:
    """Every rule that does not hold, with its reason and the values in it."""
    return [
        f"{rule.holds}\n  because {rule.why}\n  with "
        + ", ".join(f"{name} = {values[name]}" for name in names_in(rule))
        for rule in ALL_RULES
        if not eval(rule.holds, {}, dict(values))  # noqa: S307 - our own file
    ]


def changes(value: float | tuple[int, ...]) -> list[float | tuple[int, ...]]:
    """Other values that somebody might write there."""
    if isinstance(value, tuple):
        return [tuple(reversed(value))]
    return [value * factor for factor in (1 / 10, 1 / 3, 1 / 2, 2, 3, 10)]


def test_every_rule_holds() -> None:
    assert not broken(VALUES), "\n" + "\n".join(broken(VALUES))


@pytest.mark.parametrize("name", VALUES)
def test_a_change_of_one_time_breaks_a_rule(name: str) -> None:
    tried = [change for change in changes(VALUES[name]) if broken({**VALUES, name: change})]
    assert tried, f"no rule binds {name} = {VALUES[name]}: say in timing_rules.py what it must fit"


def test_a_broken_rule_says_why() -> None:
    (said,) = [text for text in broken({**VALUES, "RENEW_SECONDS": 20.0}) if "STORE_CLOCK" in text]
    rule = "4 * (RENEW_SECONDS + CLAIM_CONNECT_SECONDS + CLAIM_READ_SECONDS) + STORE_CLOCK_SECONDS < LEASE_SECONDS"
    assert rule in said
    assert "because three renewals without an answer" in said
    assert "RENEW_SECONDS = 20.0, LEASE_SECONDS = 30.0, STORE_CLOCK_SECONDS = 1.0" in said


def test_rules_name_only_times_and_give_a_reason() -> None:
    for rule in ALL_RULES:
        read = {node.id for node in ast.walk(ast.parse(rule.holds)) if isinstance(node, ast.Name)}
        assert read <= {*VALUES, "list", "max", "set", "sorted", "sum"}, rule.holds
        assert rule.why
        assert not rule.why.endswith("."), rule.why


def test_the_rules_have_the_sections_of_the_times() -> None:
    assert list(RULES) == re.findall(r"^# (.+?) -+$", TIMING, flags=re.MULTILINE)


# In use -------------------------------------------------------------------------------------------------------------


def sources() -> list[Path]:
    found = [path for folder in PROGRAMS for path in (ROOT / folder).rglob("*.py")]
    assert len(found) > 150
    return [path for path in found if not path.name.startswith("timing")]


def chart_times() -> dict[str, int]:
    """Times of the chart's pods, by the names that they have in ``timing``. They stand in its templates as numbers."""
    operator, gateway = probes("operator"), probes("gateway")
    shared = {
        "CHART_START_PERIOD_SECONDS": ("startupProbe", "periodSeconds"),
        "CHART_LIVE_PERIOD_SECONDS": ("livenessProbe", "periodSeconds"),
        "CHART_LIVE_FAILURES": ("livenessProbe", "failureThreshold"),
    }
    for probe, field in shared.values():
        assert operator[probe][field] == gateway[probe][field]
    timeouts = {probe["timeoutSeconds"] for probe in (*operator.values(), *gateway.values())}
    (grace,) = re.findall(r"^ +terminationGracePeriodSeconds: (\d+)$", template("gateway"), re.MULTILINE)
    (prestop,) = re.findall(r"time\.sleep\((\d+)\)", template("gateway"))
    return {
        **{name: gateway[probe][field] for name, (probe, field) in shared.items()},
        "CHART_TIMEOUT_SECONDS": timeouts.pop() if len(timeouts) == 1 else 0,
        "OPERATOR_START_FAILURES": operator["startupProbe"]["failureThreshold"],
        "GATEWAY_START_FAILURES": gateway["startupProbe"]["failureThreshold"],
        "OPERATOR_READY_PERIOD_SECONDS": operator["readinessProbe"]["periodSeconds"],
        "GATEWAY_READY_PERIOD_SECONDS": gateway["readinessProbe"]["periodSeconds"],
        "GATEWAY_GRACE_SECONDS": int(grace),
        "GATEWAY_PRESTOP_SECONDS": int(prestop),
    }


def template(program: str) -> str:
    return (ROOT / f"charts/genpool/templates/{program}/deployment.yaml").read_text()


def probes(program: str) -> dict[str, Any]:
    (block,) = re.findall(
        r"^( +startupProbe:\n.*?)^ +resources:", template(program), re.MULTILINE | re.DOTALL
    )
    found = yaml.safe_load(block)
    assert set(found) == {"startupProbe", "readinessProbe", "livenessProbe"}
    return dict(found)


def test_the_chart_says_the_same() -> None:
    found = chart_times()
    assert found == {name: VALUES[name] for name in found}


def test_every_time_is_used() -> None:
    used: set[str] = set()
    for path in sources():
        used |= {
            node.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "timing"
        }
    assert used - set(VALUES) == set(), "there is no such time"
    assert set(VALUES) - used == FACTS | set(chart_times()), "delete what nobody uses, or use it"


# None elsewhere -----------------------------------------------------------------------------------------------------

#: Numbers that look like a wait and are none.
NO_WAITS = {
    "operator/genpool_operator/decide/deletion_cost.py: MOST_SECONDS",  # the bound of a figure
}


def test_no_time_hides_elsewhere() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources()
        for name in hidden_times(ast.parse(path.read_text()))
    }
    assert found == NO_WAITS, "move it to core/genpool_core/timing.py, with a rule in timing_rules.py"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("RETRY_SECONDS = 5", "RETRY_SECONDS"),
        ("class A:\n    DRAIN_MARGIN: float = 2 * 60.0", "DRAIN_MARGIN"),
        ("OLD = timedelta(minutes=5)", "OLD"),
        ("STEPS = (1, 2, 3)", "STEPS"),
        ("settings.networking.request_timeout = 60", "request_timeout"),
        ("def stop(self, timeout: float = 10): ...", "timeout"),
        ("def publish(self, *, timeout=30): ...", "timeout"),
        ("Backoff(first=1.0, cap=timing.X)", "first"),
        ("session.get(url, timeout=(3, 10))", "timeout"),
        ("thread.join(30)", "join"),
        ("signal.sigtimedwait(signals, 0.5)", "sigtimedwait"),
        ('{"periodSeconds": 2, "failureThreshold": 3}', "periodSeconds"),
        ("until = now + 1.0", "now"),
    ],
)
def test_a_hidden_time_is_found(line: str, name: str) -> None:
    assert list(hidden_times(ast.parse(line))) == [name]


@pytest.mark.parametrize(
    "line",
    [
        "WAIT_SECONDS = timing.TICK_SECONDS",
        "LAG = timedelta(seconds=timing.LIST_LAG_SECONDS)",
        "wait = 0.0",
        "WORKERS = 4",
        "_BUCKETS = (0.1, 0.5, 1.0)",
        "queue.take(0)",
        "', '.join(parts)",
        "now.replace(microsecond=0)",
        '{"failureThreshold": 3}',
    ],
)
def test_what_is_no_hidden_time(line: str) -> None:
    assert not list(hidden_times(ast.parse(line)))
