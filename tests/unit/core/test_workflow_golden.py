"""The shipped workflows: from a task as producers send it to the graph that ComfyUI gets.

A file of ``golden/`` holds a workflow's folder, a task, and what must come of it. ``template`` takes the place of the
folder's own where a user has another one.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core.messages.task import parse_body, parse_task
from genpool_core.workflow.bind import bind
from genpool_core.workflow.render import check_targets, render
from genpool_core.workflow.schema import ParameterSchema
from genpool_core.workflow.spec import (
    Parameter,
    Requirements,
    Target,
    WorkflowYaml,
    check_template,
    parse_workflow_yaml,
)

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
FOLDERS = sorted(path for path in (ROOT / "workflows").iterdir() if path.is_dir())
README = (ROOT / "workflows/README.md").read_text()


def shipped(folder: Path) -> tuple[dict[str, Any], WorkflowYaml]:
    """A shipped workflow, checked as the operator checks it."""
    where = folder.name
    template = check_template(json.loads((folder / "template.json").read_text()), where=where)
    workflow = parse_workflow_yaml(yaml.safe_load((folder / "workflow.yaml").read_text()), where=where)
    check_targets(template, workflow, where=where)
    return template, workflow


@pytest.mark.parametrize("file", GOLDEN, ids=lambda path: path.stem)
def test_task_to_graph(file: Path) -> None:
    case: dict[str, Any] = json.loads(file.read_text())
    template, workflow = shipped(ROOT / "workflows" / case["workflow"])
    template = case.get("template", template)
    check_targets(template, workflow, where=file.stem)
    before = copy.deepcopy(template)
    task = parse_task(parse_body(json.dumps(case["task"]).encode()))
    bound = bind(workflow, task.given, task.explicit)
    assert dict(bound.values) == case["values"]
    assert list(bound.files) == case["files"]
    uploads = {name: f"jobs/{name}.png" for name in bound.files}
    assert render(template, workflow, bound, uploads=uploads, prefix="jobs/1") == case["graph"]
    assert template == before


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_shipped_workflow_is_complete(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "example.json",
        "template.json",
        "workflow.yaml",
    }
    template, workflow = shipped(folder)
    task = parse_task(parse_body((folder / "example.json").read_bytes()))
    assert task.workflow in {None, folder.name}
    bind(workflow, task.given, task.explicit)
    for node in template.values():
        assert node["_meta"]
    readme = (folder / "README.md").read_text()
    for name in (*workflow.parameters, *workflow.requires.custom_nodes):
        assert f"`{name}`" in readme
    for model in workflow.requires.models:
        assert model.rpartition("/")[2] in readme
    assert f"[{folder.name}]({folder.name})" in README


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_shipped_template_holds_its_own_defaults(folder: Path) -> None:
    """Opened in ComfyUI, the template makes what a task without parameters makes."""
    template, workflow = shipped(folder)
    given: dict[str, Any] = {
        name: "x" for name, parameter in workflow.parameters.items() if parameter.value.default is None
    }
    bound = bind(workflow, given, frozenset())
    graph: dict[str, Any] = render(
        template, workflow, bound, uploads=dict.fromkeys(bound.files, "x"), prefix="p"
    )
    texts = {"text", "image", "filename_prefix"}
    for node_id, node in graph.items():
        was, now = template[node_id]["inputs"], node["inputs"]
        assert {key: now[key] for key in now if key not in texts} == {
            key: was[key] for key in was if key not in texts
        }


def test_the_nodes_that_are_promised() -> None:
    template, _ = shipped(ROOT / "workflows/text-to-image")
    assert template["6"]["class_type"] == "CLIPTextEncode"
    assert template["17"]["class_type"] == "KSampler"
    sampler = template["17"]["inputs"]
    assert (sampler["positive"], sampler["negative"]) == (["6", 0], ["7", 0])


def test_every_field_of_workflow_yaml_is_explained() -> None:
    for model in (WorkflowYaml, Requirements, Parameter, ParameterSchema, Target):
        for name, field in model.model_fields.items():
            written = field.alias or name
            assert any(f"{before}{written}{after}" in README for before in "`." for after in "`."), written
