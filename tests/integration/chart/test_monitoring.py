"""What the chart gives to Prometheus and Grafana, as Helm renders it; the rules as promtool runs them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core import names
from genpool_dev.prometheus import promtool
from integration.chart.rendering import CHART, GOOD, Objects, render

DOCS = CHART.parents[1] / "docs/how-to/monitoring.md"
MONITORS = {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}
ALL = {**MONITORS, "prometheusRule": {"enabled": True}, "dashboard": {"enabled": True}}
POOL = 'namespace="art",pool="photos"'
STOPPED = "0+0x60"


def rendered(helm: str, monitoring: dict[str, Any], **values: object) -> Objects:
    return render(helm, {**GOOD, **values, "monitoring": monitoring})


def groups(helm: str) -> list[dict[str, Any]]:
    return list(rendered(helm, ALL)["PrometheusRule", "genpool"]["spec"]["groups"])


def test_nothing_of_it_is_made_unasked(helm: str) -> None:
    kinds = {kind for kind, _ in render(helm, GOOD)}
    assert not kinds & {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
    assert ("ConfigMap", "genpool-dashboard") not in render(helm, GOOD)
    assert ("Service", "genpool-operator") not in render(helm, GOOD)


@pytest.mark.parametrize("program", ["operator", "gateway"])
def test_a_service_monitor_finds_its_program(helm: str, program: str) -> None:
    labels = {"release": "prometheus"}
    monitoring = {"serviceMonitor": {"enabled": True, "labels": labels, "interval": "15s"}}
    objects = rendered(helm, monitoring)
    monitor, service = (objects[kind, f"genpool-{program}"] for kind in ("ServiceMonitor", "Service"))
    assert labels.items() <= monitor["metadata"]["labels"].items()
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["interval"] == "15s"
    (port,) = [item for item in service["spec"]["ports"] if item["name"] == endpoint["port"]]
    template = objects["Deployment", f"genpool-{program}"]["spec"]["template"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    ports = {item["name"]: item["containerPort"] for item in template["spec"]["containers"][0]["ports"]}
    assert ports[port["targetPort"]] == 8080
    # The figures of pools have labels of their own.
    assert endpoint.get("honorLabels", False) is (program == "operator")


@pytest.mark.parametrize("namespaces", [[], ["art", "photos"]])
def test_the_pod_monitor_finds_the_workers_of_all_pools(helm: str, namespaces: list[str]) -> None:
    objects = rendered(helm, MONITORS, operator={"namespaces": namespaces})
    spec = objects["PodMonitor", "genpool-workers"]["spec"]
    assert spec["namespaceSelector"] == ({"matchNames": namespaces} if namespaces else {"any": True})
    assert spec["selector"]["matchLabels"].items() <= names.pool_selector("photos").items()
    (endpoint,) = spec["podMetricsEndpoints"]
    (pool,) = endpoint["relabelings"]
    label = names.LABEL_INSTANCE.replace(".", "_").replace("/", "_")
    assert pool == {"sourceLabels": [f"__meta_kubernetes_pod_label_{label}"], "targetLabel": "pool"}


def test_the_dashboard_is_where_grafanas_sidecar_looks(helm: str) -> None:
    annotations = {"grafana_folder": "GenPool"}
    item = rendered(helm, {"dashboard": {"enabled": True, "annotations": annotations}})[
        "ConfigMap", "genpool-dashboard"
    ]
    assert item["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert item["metadata"]["annotations"] == annotations
    source = json.loads((CHART / "files/monitoring/dashboard.json").read_text("utf-8"))
    assert json.loads(item["data"]["genpool.json"]) == source


def test_silence_is_told_of_what_is_read(helm: str) -> None:
    rule = {"prometheusRule": {"enabled": True}}

    def silent(**values: Any) -> list[str]:  # noqa: ANN401 - values
        found = rendered(helm, **values)["PrometheusRule", "genpool"]["spec"]["groups"]
        alerts = [item.get("alert", "") for group in found for item in group["rules"]]
        return [alert for alert in alerts if alert.endswith("Silent")]

    assert silent(monitoring=rule) == []
    assert silent(monitoring=ALL) == ["GenPoolOperatorSilent", "GenPoolGatewaySilent"]
    assert silent(monitoring=ALL, gateway={"enabled": False}) == ["GenPoolOperatorSilent"]


def test_each_alert_says_what_to_do_and_has_a_section(helm: str) -> None:
    headings = [line[3:] for line in DOCS.read_text("utf-8").splitlines() if line.startswith("## ")]
    alerts = [item for group in groups(helm) for item in group["rules"] if "alert" in item]
    for alert in alerts:
        notes = alert["annotations"]
        assert notes["summary"]
        assert notes["description"].endswith(".")
        page, _, anchor = notes["runbook_url"].partition("#")
        assert page.endswith("/docs/how-to/monitoring.md")
        assert anchor == alert["alert"].lower()
        assert alert["labels"]["severity"] in {"warning", "critical"}
        assert "@" not in str(alert)
    told = [heading for heading in headings if heading.startswith("GenPool")]
    assert told == [alert["alert"] for alert in alerts]


@dataclass(frozen=True)
class Case:
    """Series of a minute's steps, and which alerts they raise at some minutes; each with its series' labels."""

    name: str
    series: dict[str, str]
    alerts: dict[int, set[str]]
    labels: str = POOL


@dataclass(frozen=True)
class Well:
    """Series of a release that is well, which each case changes."""

    series: dict[str, str] = field(
        default_factory=lambda: {
            'up{job="genpool-operator",namespace="sys"}': "1+0x200",
            'up{job="genpool-gateway",namespace="sys"}': "1+0x200",
            f"genpool_pool_max_replicas{{{POOL}}}": "4+0x200",
            f"genpool_pool_sla_seconds{{{POOL}}}": "600+0x200",
            f'genpool_pool_condition{{{POOL},condition="Ready"}}': "1+0x200",
            f'genpool_pool_condition{{{POOL},condition="ScalingActive"}}': "1+0x200",
            f'genpool_pool_scaling_reason{{{POOL},reason="FollowsQueue"}}': "1+0x200",
            f"genpool_pool_waiting_tasks{{{POOL}}}": "10+0x200",
            f"genpool_pool_running_tasks{{{POOL}}}": "2+0x200",
            f"genpool_pool_dead_lettered_tasks{{{POOL}}}": "0+0x200",
            # Six ends a minute: 12 tasks take two minutes.
            f'genpool_worker_tasks_total{{{POOL},pod="a",outcome="succeeded",reason="Succeeded"}}': "0+6x200",
        }
    )


WAITING = f"genpool_pool_waiting_tasks{{{POOL}}}"
ENDS = f'genpool_worker_tasks_total{{{POOL},pod="a",outcome="succeeded",reason="Succeeded"}}'
REASON = f'genpool_pool_scaling_reason{{{POOL},reason="FollowsQueue"}}'
CALLBACKS = (
    'genpool_callbacks_dead_total{namespace="sys",pod="g",broker="default",vhost="/",reason="ReceiverGone"}'
)
CALLBACK_LABELS = 'namespace="sys",broker="default",vhost="/",reason="ReceiverGone"'
API = 'genpool_api_requests_total{{namespace="sys",pod="g",method="POST",route="/v1/tasks",status="{}"}}'
CASES = [
    Case("all is well", {}, {100: set()}),
    Case("more than the SLA", {WAITING: "100+0x200"}, {14: set(), 60: {"GenPoolBacklogExceedsSLA"}}),
    Case("nothing ends", {ENDS: "5+0x200"}, {60: {"GenPoolBacklogExceedsSLA"}}),
    Case(
        "nothing ends, and nothing is there to end",
        {ENDS: "5+0x200", WAITING: "0+0x200", f"genpool_pool_running_tasks{{{POOL}}}": "0+0x200"},
        {60: set()},
    ),
    Case("the figures of the queue are unknown", {ENDS: "5+0x200", WAITING: "_x200"}, {60: set()}),
    Case(
        "no SLA, no warning",
        {WAITING: "100+0x200", f"genpool_pool_sla_seconds{{{POOL}}}": "_x200"},
        {60: set()},
    ),
    Case("a peak that passes", {WAITING: "100+0x10 0+0x190"}, {20: set(), 60: set()}),
    Case(
        "at the maximum",
        {REASON: "_x200", f'genpool_pool_scaling_reason{{{POOL},reason="AtMaximum"}}': "1+0x200"},
        {29: set(), 31: {"GenPoolAtMaxReplicas"}},
    ),
    Case(
        "at the maximum, and the operator's pod is a new one",
        {
            REASON: "_x200",
            f'genpool_pool_scaling_reason{{{POOL},reason="AtMaximum",pod="o1"}}': "1+0x20 stale",
            f'genpool_pool_scaling_reason{{{POOL},reason="AtMaximum",pod="o2"}}': "_x20 1+0x100",
        },
        {29: set(), 31: {"GenPoolAtMaxReplicas"}},
    ),
    Case(
        "dead letters",
        {f"genpool_pool_dead_lettered_tasks{{{POOL}}}": "0+0x9 3+0x50 0+0x140"},
        {9: set(), 12: {"GenPoolDeadLetters"}, 70: set()},
    ),
    Case(
        "not Ready",
        {f'genpool_pool_condition{{{POOL},condition="Ready"}}': "0+0x200"},
        {9: set(), 11: {"GenPoolNotReady"}},
    ),
    Case(
        "Ready is unknown",
        {f'genpool_pool_condition{{{POOL},condition="Ready"}}': "_x200"},
        {9: set(), 11: {"GenPoolNotReady"}},
    ),
    Case(
        "the depth is unknown",
        {
            REASON: "_x200",
            f'genpool_pool_condition{{{POOL},condition="ScalingActive"}}': "_x200",
            f'genpool_pool_scaling_reason{{{POOL},reason="DepthUnknown"}}': "1+0x200",
        },
        {9: set(), 11: {"GenPoolCannotScale"}},
    ),
    Case(
        "Kubernetes refuses the number of pods",
        {f'genpool_pool_condition{{{POOL},condition="ScalingActive"}}': "0+0x200"},
        {9: set(), 11: {"GenPoolCannotScale"}},
    ),
    Case(
        "Hold is a choice",
        {
            REASON: "_x200",
            f'genpool_pool_condition{{{POOL},condition="ScalingActive"}}': "0+0x200",
            f'genpool_pool_scaling_reason{{{POOL},reason="Hold"}}': "1+0x200",
        },
        {60: set()},
    ),
    Case(
        "the first callback of all is given up",
        {CALLBACKS: "_x30 1+0x170"},
        {29: set(), 30: {"GenPoolCallbacksGivenUp"}, 89: {"GenPoolCallbacksGivenUp"}, 100: set()},
        CALLBACK_LABELS,
    ),
    Case(
        "one more is given up",
        {CALLBACKS: "1+0x99 2+0x100"},
        {99: set(), 101: {"GenPoolCallbacksGivenUp"}, 170: set()},
        CALLBACK_LABELS,
    ),
    Case(
        "one of ten requests fails",
        {API.format(202): "0+9x200", API.format(503): "0+0x20 1+1x180"},
        {28: set(), 36: {"GenPoolApiFails"}},
        'namespace="sys"',
    ),
    Case(
        "some requests fail, and most are refused",
        {API.format(202): "0+100x200", API.format(429): "0+900x200", API.format(503): "0+9x200"},
        {60: set()},
    ),
    Case(
        "the operator does not answer",
        {'up{job="genpool-operator",namespace="sys"}': "1+0x9 0+0x100"},
        {10: set(), 16: {"GenPoolOperatorSilent"}},
        'job="genpool-operator",namespace="sys"',
    ),
    Case(
        "there is no gateway",
        {'up{job="genpool-gateway",namespace="sys"}': "_x200"},
        {4: set(), 6: {"GenPoolGatewaySilent"}},
        'job="genpool-gateway",namespace="sys"',
    ),
]


def unit_test(case: Case, severities: dict[str, str]) -> dict[str, Any]:
    """A case as promtool reads it."""
    series = {**Well().series, **case.series}
    checks = []
    for minute, alerts in case.alerts.items():
        labels = (
            f'ALERTS{{alertname="{alert}",alertstate="firing",severity="{severities[alert]}",{case.labels}}}'
            for alert in alerts
        )
        samples = [{"labels": text, "value": 1} for text in labels]
        checks.append(
            {"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{minute}m", "exp_samples": samples}
        )
    return {
        "name": case.name,
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": checks,
    }


def test_what_raises_each_alert(helm: str, tmp_path: Path) -> None:
    found = groups(helm)
    rules = [item for group in found for item in group["rules"] if "alert" in item]
    severities = {rule["alert"]: rule["labels"]["severity"] for rule in rules}
    assert {alert for case in CASES for alerts in case.alerts.values() for alert in alerts} == set(severities)
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": found}), "utf-8")
    tests = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [unit_test(case, severities) for case in CASES],
    }
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests), "utf-8")
    for words in (["check", "rules", "--lint-fatal", "rules.yaml"], ["test", "rules", "tests.yaml"]):
        done = subprocess.run(
            [promtool(), *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_alert_reads_as_a_sentence(helm: str, tmp_path: Path) -> None:
    found = groups(helm)
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": found}), "utf-8")
    series = {**Well().series, f"genpool_pool_waiting_tasks{{{POOL}}}": "100+0x200"}
    expected = {
        "summary": "The backlog of pool art/photos takes longer than its slaSeconds",
        "description": (
            "At the pace of the last 15 minutes pool photos in namespace art needs 17m 0s for the tasks that wait"
            " and run now, which is more than its slaSeconds. Raise scaling.maxReplicas if there are GPUs for more"
            " pods, send fewer tasks, or agree on a longer slaSeconds."
        ),
        "runbook_url": (
            "https://github.com/genpool/genpool/blob/main/docs/how-to/monitoring.md#genpoolbacklogexceedssla"
        ),
    }
    alert = {"exp_labels": {"namespace": "art", "pool": "photos", "severity": "warning"}}
    tests = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [
                    {
                        "eval_time": "60m",
                        "alertname": "GenPoolBacklogExceedsSLA",
                        "exp_alerts": [{**alert, "exp_annotations": expected}],
                    }
                ],
            }
        ],
    }
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(tests), "utf-8")
    done = subprocess.run(
        [promtool(), "test", "rules", "tests.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
