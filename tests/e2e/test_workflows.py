"""A workflow of one's own, as docs/examples show it: an exported file and a workflow.yaml in a ConfigMap, no code."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from e2e.lab import Lab
from e2e.results import succeeded
from genpool_core.jsontypes import JsonObject
from genpool_dev.stack.install import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "own-workflow.yaml"


@pytest.mark.together(seconds=30)
def test_an_exported_workflow_is_served_from_a_config_map(lab: Lab) -> None:
    config_map, pool = _example()
    (workflow,) = pool["spec"]["workflows"]
    with lab.scene("own-workflow", workflows=[workflow]) as scene:
        config_map["metadata"]["namespace"] = scene.place
        lab.kubectl.apply_plain(config_map)
        scene.apply()
        photo = f"{lab.photos.url}/people/3.jpg"
        asked: JsonObject = {"width": 96, "height": 120, "method": "pixels"}
        names = {"by-name": workflow["name"], "by-alias": workflow["aliases"][0]}
        for task_id, name in names.items():
            scene.send({"task_id": task_id, "workflow_type": name, "image_url": photo, "parameters": asked})
        for run in scene.wait_ends(*names).values():
            end = succeeded(scene, run, (96, 120))
            assert (end.workflow, end.parameters["method"]) == (workflow["name"], "pixels")


def _example() -> tuple[dict[str, Any], dict[str, Any]]:
    found = {item["kind"]: item for item in yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8"))}
    return found["ConfigMap"], found["GenerationPool"]
