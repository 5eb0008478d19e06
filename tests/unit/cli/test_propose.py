"""Parameters that are proposed for an exported graph."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from genpool_adapters.shipped_workflows import default_workflows, shipped_files
from genpool_cli.workflows.propose import propose
from genpool_cli.workflows.work import config_map_name
from genpool_core.workflow.files import WorkflowFiles
from genpool_core.workflow.read import read_workflow

DESCRIBED: dict[str, Any] = {
    "KSampler": {
        "input": {
            "required": {
                "seed": [
                    "INT",
                    {"default": 0, "min": 0, "max": 2**64 - 1, "tooltip": "The random seed\nof noise."},
                ],
                "steps": ["INT", {"default": 20, "min": 1, "max": 10_000}],
                "cfg": ["FLOAT", {"min": 0.0, "max": 100.0, "step": 0.1}],
                "sampler_name": [["euler", "ddim"]],
                "positive": ["CONDITIONING"],
                "latent_image": ["LATENT"],
            }
        }
    },
    "CLIPTextEncode": {"input": {"required": {"text": ["STRING", {"multiline": True}], "clip": ["CLIP"]}}},
    "EmptyLatentImage": {
        "input": {
            "required": {
                "width": ["INT", {"min": 16, "max": 16_384, "step": 8}],
                "batch_size": ["INT", {"min": 1, "max": 4096}],
            }
        }
    },
    "CheckpointLoaderSimple": {"input": {"required": {"ckpt_name": [["a.safetensors", "b.safetensors"]]}}},
    "LoadImage": {"input": {"required": {"image": [["x.png"], {"image_upload": True}]}}},
    "New": {"input": {"optional": {"mode": ["COMBO", {"options": ["a", "b"]}], "on": ["BOOLEAN", {}]}}},
}
GRAPH: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 7,
            "steps": 25,
            "cfg": 7.5,
            "sampler_name": "euler",
            "positive": ["9", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lake", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
    "9": {"class_type": "ControlNetApply", "inputs": {"conditioning": ["6", 0], "image": ["8", 0]}},
    "8": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
    "10": {"class_type": "New", "inputs": {"mode": "a", "on": True}},
    "11": {"class_type": "NotThere", "inputs": {"text": "x"}},
}


def test_the_usual_ones_have_the_usual_names() -> None:
    found = {each.name: (each.node, each.input) for each in propose(GRAPH, DESCRIBED)}
    assert found == {
        "seed": ("3", "seed"),
        "steps": ("3", "steps"),
        "cfg": ("3", "cfg"),
        "model": ("4", "ckpt_name"),
        "width": ("5", "width"),
        "prompt": ("6", "text"),
        "negative_prompt": ("7", "text"),
        "image_url": ("8", "image"),
    }


def test_types_bounds_and_defaults_are_comfyuis_and_the_graphs() -> None:
    schemas = {each.name: each.schema for each in propose(GRAPH, DESCRIBED, every=True)}
    assert schemas["seed"] == {
        "type": "integer",
        "description": "The random seed of noise.",
        "minimum": 0,
        "maximum": 2**64 - 1,
        "default": 7,
    }
    assert schemas["cfg"] == {"type": "number", "minimum": 0.0, "maximum": 100.0, "default": 7.5}
    assert schemas["width"]["multipleOf"] == 8
    assert schemas["ksampler_sampler_name"]["enum"] == ["euler", "ddim"]
    assert schemas["model"] == {
        "type": "string",
        "maxLength": 255,
        "enum": ["a.safetensors", "b.safetensors"],
        "default": "a.safetensors",
    }
    assert schemas["new_mode"]["enum"] == ["a", "b"]
    assert schemas["new_on"] == {"type": "boolean", "default": True}
    assert "default" not in schemas["prompt"]
    assert schemas["negative_prompt"]["default"] == "blurry"


@pytest.mark.parametrize("every", [False, True])
def test_what_is_proposed_is_a_workflow(*, every: bool) -> None:
    proposals = propose(GRAPH, DESCRIBED, every=every)
    body = {"description": "x", "parameters": {each.name: each.as_yaml() for each in proposals}}
    _, workflow = read_workflow("x", json.dumps(GRAPH), yaml.safe_dump(body, sort_keys=False))
    assert list(workflow.parameters) == [each.name for each in proposals]
    assert workflow.parameters["image_url"].file
    assert workflow.parameters["prompt"].required


def test_a_second_one_gets_a_number() -> None:
    graph = {**GRAPH, "12": GRAPH["3"], "13": {"class_type": "CLIPTextEncode", "inputs": {"text": "alone"}}}
    names = [each.name for each in propose(graph, DESCRIBED)]
    assert [name for name in names if name.startswith("seed")] == ["seed", "seed_2"]


def test_a_graph_without_a_sampler_has_its_first_text_as_prompt() -> None:
    graph = {"1": GRAPH["6"], "2": GRAPH["7"]}
    assert [(each.name, each.node) for each in propose(graph, DESCRIBED)] == [("prompt", "1")]


def test_what_cannot_be_described_is_left_alone() -> None:
    shipped = shipped_files(default_workflows(), "text-to-image")
    assert isinstance(shipped, WorkflowFiles)
    assert propose(json.loads(shipped.template), {}) == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [("flux-dev", "workflow-flux-dev"), ("Flux Dev", "workflow-flux-dev-"), ("人物", "workflow-x-")],
)
def test_a_config_maps_name(folder: str, name: str) -> None:
    found = config_map_name(folder)
    assert found == name if name[-1] != "-" else found.startswith(name)
    assert len(found) <= 63
    assert config_map_name(folder) == found
