"""Values of the adapters that need no other side: rows of the broker, files of workflows, settings, figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from genpool_adapters.shipped_workflows import default_workflows
from genpool_core.api.status import GenerationPoolStatus
from genpool_core.workflow.files import MissingFiles, WorkflowFiles
from genpool_operator.adapters.metrics import OperatorMetrics
from genpool_operator.adapters.rabbit.listing import DepthRow, _completed, _listed
from genpool_operator.adapters.workflow_loader import WorkflowLoader
from genpool_operator.decide.objects import ConfigMapView
from genpool_operator.decide.ownership import OwnerFacts
from genpool_operator.decide.reading import Listed
from genpool_operator.settings import OperatorSettings
from unit.operator.pools import NOW, make_pool


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, Listed(NOW, None, None, None, None)),
        (
            {"state": "running", "messages": 3, "messages_ready": 2, "messages_unacknowledged": 1},
            Listed(NOW, "running", 2, 1, 3),
        ),
        (
            {"state": "running", "messages": -1, "messages_ready": True},
            Listed(NOW, "running", None, None, None),
        ),
        (
            {"state": None, "messages": None, "messages_ready": "2", "messages_unacknowledged": 1.0},
            Listed(NOW, None, None, None, None),
        ),
        ({"state": ["running"], "messages": {}, "messages_ready": 2}, Listed(NOW, None, 2, None, None)),
    ],
)
def test_rows(row: dict[str, Any], expected: Listed) -> None:
    """Unknown is never zero."""
    assert _listed(DepthRow.read_object(row), NOW) == expected


@pytest.mark.parametrize(
    ("row", "totals", "messages"),
    [
        ({"name": "q"}, {"type": "quorum", "messages": 3}, 3),
        ({"name": "q"}, {"type": "quorum", "messages": 0}, None),
        ({"name": "q"}, {"type": "classic", "messages": 0}, 0),
        ({"name": "q", "messages": 5}, {"type": "classic", "messages": 0}, 5),
        ({"name": "q"}, None, None),
    ],
)
def test_totals_fill_in_where_a_quorum_queues_zero_means_nothing(
    row: dict[str, Any], totals: dict[str, Any] | None, messages: int | None
) -> None:
    given = None if totals is None else DepthRow.read_object(totals)
    assert _completed(DepthRow.read_object(row), given).messages == messages


@dataclass
class OneConfigMap:
    data: dict[str, str] | None
    binary: dict[str, bytes] = field(default_factory=dict)

    def get_config_map(self, _namespace: str, _name: str) -> ConfigMapView | None:
        return None if self.data is None else ConfigMapView(OwnerFacts(), self.data, self.binary)


def load(
    tmp_path: Path,
    source: dict[str, Any],
    data: dict[str, str] | None = None,
    binary: dict[str, bytes] | None = None,
) -> WorkflowFiles | MissingFiles:
    pool = make_pool(workflows=[{"name": "w", "source": source}])
    return WorkflowLoader(tmp_path, OneConfigMap(data, binary or {})).load(pool)["w"]  # type: ignore[arg-type]


def test_shipped_workflows(tmp_path: Path) -> None:
    (tmp_path / "人物.json").mkdir()
    (tmp_path / "人物.json/template.json").write_text("{}")
    (tmp_path / "人物.json/workflow.yaml").write_text("a: b")
    assert load(tmp_path, {"builtin": "人物.json"}) == WorkflowFiles("{}", "a: b")
    for name in ("other", "../人物.json", "."):
        missing = load(tmp_path, {"builtin": name})
        assert missing == MissingFiles(f"GenPool ships no workflow {name}. It ships: 人物.json.")


def test_workflows_of_a_config_map(tmp_path: Path) -> None:
    source = {"configMap": {"name": "mine", "key": "a.json", "parametersKey": "a.yaml"}}
    assert load(tmp_path, source, {"a.json": "{}", "a.yaml": "b"}) == WorkflowFiles("{}", "b")
    assert load(tmp_path, source) == MissingFiles("there is no ConfigMap mine in namespace team: make it.")
    assert load(tmp_path, source, {"a.json": ""}) == MissingFiles(
        "ConfigMap mine has no key a.yaml; it has a.json."
    )
    assert load(tmp_path, source, {}) == MissingFiles("ConfigMap mine has no key a.json; it has no key.")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_files_that_kubectl_takes_for_binary(tmp_path: Path, encoding: str) -> None:
    source = {"configMap": {"name": "mine", "key": "a.json", "parametersKey": "a.yaml"}}
    binary = {"a.json": '{"人物": 1}'.encode(encoding)}
    assert load(tmp_path, source, {"a.yaml": "\ufeffb: 人物"}, binary) == WorkflowFiles(
        '{"人物": 1}', "b: 人物"
    )


def test_a_file_in_no_known_encoding_is_named(tmp_path: Path) -> None:
    source = {"configMap": {"name": "mine", "key": "a.json", "parametersKey": "a.yaml"}}
    missing = load(tmp_path, source, {"a.yaml": "b"}, {"a.json": "{人物}".encode("gbk")})
    assert missing == MissingFiles(
        "key a.json of ConfigMap mine is no text in UTF-8 or UTF-16: byte 1 is not valid. Save it as UTF-8."
    )


def test_the_checkouts_workflows_are_the_default() -> None:
    assert (default_workflows() / "text-to-image/workflow.yaml").is_file()


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENPOOL_WORKER_IMAGE", raising=False)
    with pytest.raises(ValidationError, match="worker_image"):
        OperatorSettings()
    monkeypatch.setenv("GENPOOL_WORKER_IMAGE", "worker:1")
    monkeypatch.setenv("GENPOOL_RELEASE_NAMESPACE", "sys")
    assert OperatorSettings().namespaces == ()
    monkeypatch.setenv("GENPOOL_NAMESPACES", "a, b,")
    assert OperatorSettings().namespaces == ("a", "b")


def test_figures_that_are_unknown_are_absent() -> None:
    metrics, spec = OperatorMetrics(), make_pool().spec

    def text() -> str:
        return metrics.registry.render().decode()

    metrics.show(
        "team", "a", spec, GenerationPoolStatus.model_validate({"replicas": 2, "queue": {"waiting": 3}})
    )
    assert 'genpool_pool_waiting_tasks{namespace="team",pool="a"} 3.0' in text()
    assert "genpool_pool_running_tasks{" not in text()
    metrics.show("team", "a", spec, GenerationPoolStatus())
    assert "genpool_pool_waiting_tasks{" not in text()
    metrics.show("team", "a", spec, GenerationPoolStatus(replicas=2))
    metrics.keep([("team", "b")])
    assert 'pool="a"' not in text()


def test_a_pool_has_one_reason_of_the_scaler() -> None:
    metrics, spec = OperatorMetrics(), make_pool(slaSeconds=900).spec

    def shown(reason: str | None) -> set[str]:
        status = GenerationPoolStatus.model_validate({"scaling": {"reason": reason}})
        metrics.show("team", "a", spec, status)
        lines = metrics.registry.render().decode().splitlines()
        return {line for line in lines if line.startswith("genpool_pool_scaling_reason{")}

    for reason in ("FollowsQueue", "AtMaximum", "AtMaximum"):
        assert shown(reason) == {
            f'genpool_pool_scaling_reason{{namespace="team",pool="a",reason="{reason}"}} 1.0'
        }
    assert shown(None) == set()
    shown("FollowsQueue")
    assert 'genpool_pool_sla_seconds{namespace="team",pool="a"} 900.0' in metrics.registry.render().decode()
    metrics.keep([])
    assert 'pool="a"' not in metrics.registry.render().decode()


def test_a_pool_that_cannot_be_read_any_more_has_its_conditions_alone() -> None:
    metrics, spec = OperatorMetrics(), make_pool().spec
    before = {"queue": {"waiting": 3}, "scaling": {"reason": "AtMaximum"}}
    metrics.show("team", "a", spec, GenerationPoolStatus.model_validate(before))
    ready = {"type": "Ready", "status": "False", "reason": "InvalidManifest", "message": "."}
    now = {"conditions": [{**ready, "lastTransitionTime": "2026-05-01T00:00:00Z"}]}
    metrics.show("team", "a", None, GenerationPoolStatus.model_validate(now))
    lines = metrics.registry.render().decode().splitlines()
    assert [line for line in lines if 'pool="a"' in line] == [
        'genpool_pool_condition{condition="Ready",namespace="team",pool="a"} 0.0'
    ]
