"""The dashboard for Grafana: ``make generate`` writes ``charts/genpool/files/monitoring/dashboard.json`` from it.

A panel is its question and its queries; where it lies and how Grafana draws it follows from its kind.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from genpool_core.jsontypes import JsonObject, JsonValue

Kind = Literal["timeseries", "state-timeline", "stat"]
#: Columns of Grafana's grid, and the height of a panel.
_COLUMNS = 24
_HEIGHTS: dict[Kind, int] = {"timeseries": 8, "state-timeline": 8, "stat": 4}
_POOL = 'namespace=~"$namespace", pool=~"$pool"'
_BY_POOL = "{{namespace}}/{{pool}}"
_RATE = "[$__rate_interval]"
_SOURCE: JsonObject = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """What Prometheus is asked, and how its series are named."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One picture."""

    title: str
    text: str
    queries: tuple[Query, ...]
    width: int = 12
    unit: str = "short"
    kind: Kind = "timeseries"


def _figure(name: str, more: str = "") -> str:
    """A figure of the operator; a new pod of it goes on with the same series."""
    return f"max by (namespace, pool) (genpool_pool_{name}{{{_POOL}{more}}})"


def _sum(name: str) -> str:
    return f"sum({_figure(name)})"


def _rate(name: str, by: str, more: str = "") -> str:
    return f"sum by ({by}) (rate({name}{{{_POOL}{more}}}{_RATE}))"


def _wait(quantile: float) -> str:
    return f"histogram_quantile({quantile}, {_rate('genpool_worker_wait_seconds_bucket', 'le, namespace, pool')})"


def _answer(quantile: float) -> str:
    return f"histogram_quantile({quantile}, sum by (le) (rate(genpool_api_request_seconds_bucket{_RATE})))"


_ENDS = _rate("genpool_worker_tasks_total", "namespace, pool").replace("$__rate_interval", "15m")
_PODS = f"sum by (namespace, pool) (genpool_worker_state{{{_POOL}}})"
_BUSY = f'sum by (namespace, pool) (genpool_worker_state{{{_POOL}, state="busy"}})'
_RUN = _rate("genpool_worker_phase_seconds_sum", "namespace, pool", ', phase="run"')

_FAILED = _rate("genpool_worker_attempts_total", "result, reason", ', result!="succeeded"')
_READY = _figure("condition", ', condition="Ready"')

PANELS: tuple[Panel, ...] = (
    Panel("Waiting", "Tasks that no worker holds.", (Query(_sum("waiting_tasks"), ""),), 4, kind="stat"),
    Panel("Running", "Tasks that a worker holds.", (Query(_sum("running_tasks"), ""),), 4, kind="stat"),
    Panel("Pods wanted", "What the scaler wants.", (Query(_sum("desired_replicas"), ""),), 4, kind="stat"),
    Panel("Pods ready", "Pods that can take tasks.", (Query(_sum("ready_replicas"), ""),), 4, kind="stat"),
    Panel(
        "Dead letters",
        "Tasks that failed for good.",
        (Query(_sum("dead_lettered_tasks"), ""),),
        4,
        kind="stat",
    ),
    Panel(
        "Pools not Ready",
        "Their condition Ready is False.",
        (Query(f"sum(1 - {_READY})", ""),),
        4,
        kind="stat",
    ),
    Panel("Backlog", "Tasks that no worker holds.", (Query(_figure("waiting_tasks"), _BY_POOL),)),
    Panel("Running tasks", "Tasks that a worker holds.", (Query(_figure("running_tasks"), _BY_POOL),)),
    Panel(
        "Pods",
        "What the scaler wants, what exists, what can take tasks, and the most that the pool allows.",
        (
            Query(_figure("desired_replicas"), f"{_BY_POOL} wanted"),
            Query(_figure("current_replicas"), f"{_BY_POOL} existing"),
            Query(_figure("ready_replicas"), f"{_BY_POOL} ready"),
            Query(_figure("max_replicas"), f"{_BY_POOL} maxReplicas"),
        ),
    ),
    Panel(
        "The scaler's reasons",
        "Why the number of pods is what it is; status.scaling.message of the pool has the sentence.",
        (
            Query(
                f"max by (namespace, pool, reason) (genpool_pool_scaling_reason{{{_POOL}}})",
                f"{_BY_POOL} {{{{reason}}}}",
            ),
        ),
        kind="state-timeline",
    ),
    Panel(
        "Wait",
        "From the queue to the first attempt, of tasks that ended and whose begin is known.",
        (Query(_wait(0.5), f"{_BY_POOL} half"), Query(_wait(0.95), f"{_BY_POOL} 95 %")),
        unit="s",
    ),
    Panel(
        "Time until the backlog is done",
        "At the pace of the last 15 minutes, beside the pool's slaSeconds. Nothing where nothing waits.",
        (
            Query(
                f"({_figure('waiting_tasks')} + {_figure('running_tasks')} > 0) / {_ENDS}",
                f"{_BY_POOL} backlog",
            ),
            Query(_figure("sla_seconds"), f"{_BY_POOL} slaSeconds"),
        ),
        unit="s",
    ),
    Panel(
        "Ends by reason",
        "Tasks that ended on workers, in a minute.",
        (Query(f"60 * {_rate('genpool_worker_tasks_total', 'outcome, reason')}", "{{outcome}}: {{reason}}"),),
    ),
    Panel(
        "Dead letters of pools", "To replay or discard.", (Query(_figure("dead_lettered_tasks"), _BY_POOL),)
    ),
    Panel(
        "How busy ComfyUI is",
        "Share of the pods that have a task; and share of the pods' time that ComfyUI ran a prompt, counted when its"
        " run ends. A low second one beside a high first one: files hold the GPUs up.",
        (
            Query(f"{_BUSY} / {_PODS}", f"{_BY_POOL} has a task"),
            Query(f"{_RUN} / {_PODS}", f"{_BY_POOL} ComfyUI runs"),
        ),
        unit="percentunit",
    ),
    Panel(
        "Time of an attempt's parts",
        "Mean, by part: fetch and upload of inputs, run in ComfyUI, store of results, end record.",
        (
            Query(
                f"{_rate('genpool_worker_phase_seconds_sum', 'phase')}"
                f" / ({_rate('genpool_worker_phase_seconds_count', 'phase')} > 0)",
                "{{phase}}",
            ),
        ),
        unit="s",
    ),
    Panel(
        "Attempts that did not succeed",
        "In a minute: retried, dead, released or stale, and why.",
        (
            Query(
                f"60 * {_FAILED}",
                "{{result}}: {{reason}}",
            ),
        ),
    ),
    Panel(
        "Conditions",
        "1: True, 0: False, nothing: Unknown.",
        (
            Query(
                f"max by (namespace, pool, condition) (genpool_pool_condition{{{_POOL}}})",
                f"{_BY_POOL} {{{{condition}}}}",
            ),
        ),
        kind="state-timeline",
    ),
    Panel(
        "Callbacks",
        "In a minute, of all pools. Given up: the receiver does not know of the end.",
        (
            Query(f"60 * sum(rate(genpool_callbacks_delivered_total{_RATE}))", "delivered"),
            Query(f"60 * sum(rate(genpool_callbacks_retried_total{_RATE}))", "to be tried again"),
            Query(
                f"60 * sum by (reason) (rate(genpool_callbacks_dead_total{_RATE}))", "given up: {{reason}}"
            ),
        ),
    ),
    Panel(
        "Requests to the API",
        "Answers in a minute, by status.",
        (Query(f"60 * sum by (status) (rate(genpool_api_requests_total{_RATE}))", "{{status}}"),),
    ),
    Panel(
        "Time until the API answers",
        "Until an answer begins, half and 95 %. Requests that wait for the end of a task are left out.",
        (Query(_answer(0.5), "half"), Query(_answer(0.95), "95 %")),
        unit="s",
    ),
    Panel(
        "Tasks that came through the API",
        "In a minute: new ones in a queue, and refused ones by reason.",
        (
            Query(f"60 * sum(rate(genpool_api_tasks_accepted_total{_RATE}))", "accepted"),
            Query(
                f"60 * sum by (reason) (rate(genpool_api_tasks_refused_total{_RATE}))",
                "refused: {{reason}}",
            ),
        ),
    ),
    Panel(
        "Ends that are due, and watchers",
        "Tasks whose end was asked for or whose time is over, and that have not ended: nothing where the task store"
        " does not tell. Streams of events that are open.",
        (
            Query("max(genpool_ends_waiting)", "ends that are due"),
            Query("sum(genpool_api_watchers)", "watchers"),
        ),
    ),
    Panel(
        "The operator's passes",
        "Time of a pass of a pool, 95 %, and passes that failed in a minute.",
        (
            Query(
                f"histogram_quantile(0.95, sum by (le) (rate(genpool_reconcile_seconds_bucket{_RATE})))",
                "seconds",
            ),
            Query(
                f"60 * sum by (reason) (rate(genpool_reconcile_errors_total{_RATE}))", "failed: {{reason}}"
            ),
        ),
    ),
)


def dashboard_text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def dashboard() -> JsonObject:
    """The dashboard as Grafana imports it, from version 9 on."""
    return {
        "uid": "genpool",
        "title": "GenPool",
        "description": "Pools of GenPool: backlog, pods, waits, ends. "
        "Generated from dev/genpool_dev/generate/dashboard.py.",
        "tags": ["genpool"],
        "schemaVersion": 37,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                _variable("namespace", "Namespace", "label_values(genpool_pool_max_replicas, namespace)"),
                _variable(
                    "pool", "Pool", 'label_values(genpool_pool_max_replicas{namespace=~"$namespace"}, pool)'
                ),
            ]
        },
        "panels": _laid_out(),
    }


def _variable(name: str, label: str, query: str) -> JsonObject:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _laid_out() -> list[JsonValue]:
    """The panels in rows, left to right."""
    found: list[JsonValue] = []
    x = y = 0
    for number, panel in enumerate(PANELS, 1):
        height = _HEIGHTS[panel.kind]
        found.append(_panel(number, panel, {"x": x, "y": y, "w": panel.width, "h": height}))
        x += panel.width
        if x >= _COLUMNS:
            x, y = 0, y + height
    return found


def _panel(number: int, panel: Panel, place: JsonObject) -> JsonObject:
    targets: list[JsonValue] = [
        {
            "refId": chr(ord("A") + index),
            "datasource": _SOURCE,
            "expr": item.expression,
            "legendFormat": item.legend,
        }
        for index, item in enumerate(panel.queries)
    ]
    shown: JsonObject = {"unit": panel.unit, "min": 0}
    if panel.kind == "timeseries":
        shown["custom"] = {"fillOpacity": 10, "showPoints": "never", "spanNulls": False}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": shown, "overrides": []},
        "options": _OPTIONS[panel.kind],
        "targets": targets,
    }


_OPTIONS: dict[Kind, JsonObject] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "state-timeline": {
        "mergeValues": True,
        "showValue": "never",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
        "tooltip": {"mode": "single"},
    },
    "stat": {"colorMode": "value", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}},
}
