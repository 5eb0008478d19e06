"""The workflows of a pool, from the data of its ConfigMap."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.worker_world import CONFIG
from genpool_core.errors import InvalidManifest, SettingsError
from genpool_core.workerconfig import WorkerConfig, WorkflowEntry
from genpool_core.workflow.catalog import catalog_from, catalog_keys

SOURCE = Path(__file__).resolve().parents[3] / "workflows" / "text-to-image"
ENTRY = WorkflowEntry(
    name="text-to-image",
    aliases=["t2i"],
    template_key="t.json",
    parameters_key="p.yaml",
    timeout_seconds=600,
    fallback=True,
)
DATA = {
    "t.json": (SOURCE / "template.json").read_text(),
    "p.yaml": (SOURCE / "workflow.yaml").read_text(),
}


def _config(*entries: WorkflowEntry) -> WorkerConfig:
    return CONFIG.model_copy(update={"workflows": list(entries)})


def test_keys() -> None:
    assert catalog_keys(_config(ENTRY)) == ("t.json", "p.yaml")


def test_the_workflows_that_the_configuration_names() -> None:
    catalog = catalog_from(_config(ENTRY), {**DATA, "other": "x"})
    assert catalog.names == "text-to-image"
    assert catalog.find("t2i") is catalog.fallback
    assert "prompt" in catalog.workflows[0].parameters.parameters


@pytest.mark.parametrize(
    ("entries", "data", "part"),
    [
        ((), DATA, "names no workflow"),
        ((ENTRY,), {"t.json": DATA["t.json"]}, r"no key p\.yaml"),
        ((ENTRY,), {**DATA, "t.json": "{}"}, "not a ComfyUI workflow"),
    ],
)
def test_refused(entries: tuple[WorkflowEntry, ...], data: dict[str, str], part: str) -> None:
    with pytest.raises((SettingsError, InvalidManifest), match=part):
        catalog_from(_config(*entries), data)
