"""A workflow that needs a model, and what a ComfyUI says that lacks it."""

from __future__ import annotations

import dataclasses

from fakes.worker_world import TEXT, Node, World
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.workflow.catalog import Workflow
from genpool_core.workflow.spec import parse_workflow_yaml

LOADER = "CheckpointLoaderSimple"
MODEL = Workflow(
    dataclasses.replace(TEXT).entry.model_copy(update={"name": "house", "aliases": [], "fallback": False}),
    {
        "4": {"class_type": LOADER, "inputs": {"ckpt_name": "house.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
    },
    parse_workflow_yaml(
        {
            "description": "d",
            "parameters": {
                "prompt": {
                    "schema": {"type": "string"},
                    "required": True,
                    "targets": [{"node": "6", "input": "text"}],
                },
                "model": {
                    "schema": {"type": "string", "default": "house.safetensors"},
                    "targets": [{"node": "4", "input": "ckpt_name"}],
                },
            },
        },
        where="house",
    ),
)


def files(*names: str, module: str = "nodes") -> JsonObject:
    return {"input": {"required": {"ckpt_name": [list(names), {}]}}, "python_module": module}


def refusal(node: str, name: str, kind: str = "value_not_in_list") -> JsonObject:
    fault: JsonObject = {
        "type": kind,
        "message": "Value not in list",
        "details": f"{name}: 'house.safetensors' not in []",
        "extra_info": {"input_name": name},
    }
    return {
        "error": {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"},
        "node_errors": {node: {"class_type": LOADER, "errors": [fault], "dependent_outputs": ["9"]}},
    }


def house(world: World, number: int = 0, **more: JsonValue) -> None:
    world.send({"task_id": f"h{number}", "workflow_type": "house", "prompt": "x", **more})


def ends(world: World) -> list[tuple[str, str]]:
    found = world.store.records("end.json").values()
    return sorted((str(record["outcome"]), str(record["reason"])) for record in found)


def claims_of(world: World) -> list[JsonObject]:
    return [item for key, item in world.store.records(".json").items() if "/attempts/" in key]


def looked(node: Node) -> Node:
    node.context.availability.look()
    return node
