"""Asks a Prometheus what the dashboard of the chart asks it."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from genpool_dev.prometheus import PrometheusServer
from support.waiting import wait_until

FILES = Path(__file__).resolve().parents[2] / "charts/genpool/files/monitoring"
#: What Grafana puts in place of its variables.
VARIABLES = {"$__rate_interval": "30s", "$namespace": ".*", "$pool": ".*"}


def panels() -> list[dict[str, Any]]:
    """The panels, as Grafana reads them."""
    return list(json.loads((FILES / "dashboard.json").read_text("utf-8"))["panels"])


def queries() -> dict[str, str]:
    """All queries, by panel and name."""
    found = {}
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            assert "$" not in expression, expression
            found[f"{panel['title']} {target['refId']}"] = expression
    return found


def rule_groups() -> list[dict[str, Any]]:
    """The rules of pools and callbacks, as the chart has them."""
    return list(yaml.safe_load((FILES / "alerts.yaml").read_text("utf-8"))["groups"])


def wait_answered(server: PrometheusServer, *, but: Collection[str] = (), seconds: float) -> None:
    """Wait until each query, ``but`` some, has had data. Fails where Prometheus refuses one."""
    left = queries()

    def ask() -> set[str]:
        for name in [name for name, text in left.items() if server.query(text)]:
            del left[name]
        return left.keys() - set(but)

    wait_until(ask, lambda found: not found, "data for all queries of the dashboard", seconds=seconds)


def broken_rules(server: PrometheusServer) -> list[str]:
    """Rules whose last evaluation failed, or that had none."""
    groups = server.ask("rules")["groups"]
    return [rule["name"] for group in groups for rule in group["rules"] if rule["health"] != "ok"]
