"""A workflow of one's own, as docs/examples show it: an exported file and a workflow.yaml in a ConfigMap, no code."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from e2e.lab import Lab
from e2e.manifests import VHOST, queue_name, task
from e2e.results import succeeded
from e2e.scenes import Manifest, Scene
from genpool_core import conditions, names
from genpool_core.jsontypes import JsonObject
from genpool_dev.stack.install import ROOT
from support.waiting import wait_until

TEXT = {
    "name": "text-to-image",
    "source": {"builtin": "text-to-image"},
    "timeoutSeconds": 240,
    "fallback": True,
}
PHOTO = {
    "name": "photo",
    "source": {"builtin": "DDColor人物黑白修复.json"},
    "timeoutSeconds": 240,
}
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


@pytest.mark.together(seconds=75)
def test_a_node_class_that_comfyui_lacks_costs_no_task(lab: Lab) -> None:
    """The image has another version of the photo pack: one workflow cannot run, and the other one does not care."""
    args = {"args": ["--standin-node-pack", "ddcolor-legacy"]}
    with lab.scene("no-node", workflows=[TEXT, PHOTO], comfyui=args) as scene:
        scene.apply()
        photos = [f"photo-{number}" for number in range(3)]
        texts = [f"text-{number}" for number in range(3)]
        for photo, text in zip(photos, texts, strict=True):
            url = f"{lab.photos.url}/people/3.jpg"
            scene.send({"task_id": photo, "workflow_type": "photo", "image_url": url}, task(text))
        for run in scene.wait_ends(*texts).values():
            succeeded(scene, run)
        told = _wait_condition(scene, "False")
        assert told["reason"] == "NodeMissing"
        assert "Workflow photo: ComfyUI lacks the node class DDColor_Colorize of node 2" in told["message"]
        ready = _condition(scene, conditions.READY)
        assert ready["status"] == "True"
        assert "WorkflowsReady" in ready["message"]

        scene.apply(comfyui={"args": []})
        for run in scene.wait_ends(*photos, seconds=200).values():
            assert run.end is not None
            assert (run.end.outcome, run.end.attempt) == ("succeeded", 1), "no attempt before the mended one"
        _wait_condition(scene, "True")
        dead = lab.broker.queue(names.dead_queue(queue_name(scene.place)), VHOST)
        assert dead is not None
        assert dead.messages_ready == 0


@pytest.mark.together(seconds=60)
def test_a_model_volume_without_the_default_model(lab: Lab) -> None:
    args = {"args": ["--standin-checkpoints", "other.safetensors"]}
    with lab.scene("no-model", comfyui=args) as scene:
        scene.apply()
        scene.send(
            task("plain"), task("other", model="other.safetensors"), task("none", model="none.safetensors")
        )
        ends = scene.wait_ends("other", "none")
        succeeded(scene, ends["other"])
        end = ends["none"].end
        assert end is not None
        assert (end.outcome, end.reason) == ("dead", "InvalidPrompt"), (
            "what it asked for itself is its own fault"
        )
        told = wait_until(
            lambda: _condition(scene, conditions.READY),
            lambda found: found.get("status") == "False",
            f"{scene.place}: Ready False",
            seconds=60,
        )
        assert told["reason"] == "ModelMissing"
        assert "realisticVisionV60B1_v51VAE.safetensors (ckpt_name of node 4" in told["message"]
        scene.lab.kubectl.apply_plain(scene.manifest(comfyui={"args": []}))
        succeeded(scene, scene.wait_ends("plain", seconds=200)["plain"])
        _wait_condition(scene, "True")


def _condition(scene: Scene, kind: str) -> Manifest:
    found = scene.pool().get("status", {}).get("conditions", [])
    return next((item for item in found if item["type"] == kind), {})


def _wait_condition(scene: Scene, status: str) -> Manifest:
    return wait_until(
        lambda: _condition(scene, conditions.WORKFLOWS_READY),
        lambda found: found.get("status") == status,
        f"{scene.place}: WorkflowsReady {status}",
        seconds=60,
    )


def _example() -> tuple[dict[str, Any], dict[str, Any]]:
    found = {item["kind"]: item for item in yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8"))}
    return found["ConfigMap"], found["GenerationPool"]
