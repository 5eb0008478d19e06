"""Verdicts on prompts, as values: no server, no disk."""

from __future__ import annotations

import pytest

from genpool_dev.comfyui.catalog import DEFAULT_CHECKPOINTS, build_catalog
from genpool_dev.comfyui.profiles import PROFILES
from genpool_dev.comfyui.routes_prompt import accepts_prompt_id
from genpool_dev.comfyui.validate import World, validate_prompt
from genpool_dev.comfyui.wire import Json, ServerTrouble

UUID = "f47ac10b-58cc-4372-a567-0e02b2c3d479"


def _world(version: str = "0.33.0", pack: str = "ddcolor") -> World:
    return World(
        catalog=build_catalog(DEFAULT_CHECKPOINTS, pack),
        profile=PROFILES[version],
        file_exists=lambda name: name == "job/a.png",
        input_files=lambda: ["top.png"],
    )


def _colouring(class_type: str, **inputs: object) -> Json:
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "job/a.png"}},
        "2": {"class_type": class_type, "inputs": {"image": ["1", 0], **inputs}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "p"}},
    }


def test_both_colouring_packs_take_their_own_names() -> None:
    new = _colouring("DDColor_Colorize", model_input_size=680, checkpoint="ddcolor_modelscope.pth")
    old = _colouring("DDColor-DDColorize", size=680, model="ddcolor-imagenet")
    assert validate_prompt(new, _world()).outputs == ("3",)
    assert validate_prompt(old, _world(pack="ddcolor-legacy")).outputs == ("3",)
    error = validate_prompt(old, _world()).error
    assert error is not None
    assert error["type"] == "missing_node_type"
    assert error["message"].startswith("Node 'DDColor-DDColorize' not found.")


def test_the_producers_names_do_not_pass_the_packs_checks() -> None:
    graph = _colouring("DDColor_Colorize", model_input_size=680, checkpoint="ddcolor-imagenet")
    verdict = validate_prompt(graph, _world())
    (error,) = verdict.node_errors["2"]["errors"]
    assert error["type"] == "value_not_in_list"
    assert error["details"].startswith("checkpoint: 'ddcolor-imagenet' not in ['ddcolor_paper_tiny")


@pytest.mark.parametrize(
    ("value", "kept", "kind"),
    [
        (64, 64, None),
        ("64", 64, None),
        (64.9, 64, None),
        ({"__value__": 64}, 64, None),
        (None, None, "invalid_input_type"),
        ("", "", "invalid_input_type"),
        (float("inf"), float("inf"), "invalid_input_type"),
        ({"a": 1}, {"a": 1}, "invalid_input_type"),
        (True, 1, "value_smaller_than_min"),
        (20000, 20000, "value_bigger_than_max"),
    ],
)
def test_conversion_of_a_number(value: object, kept: object, kind: str | None) -> None:
    graph: Json = {
        "1": {
            "class_type": "EmptyLatentImage",
            "inputs": {"width": value, "height": 64, "batch_size": 1},
        },
        "2": {"class_type": "VAEDecode", "inputs": {"samples": ["1", 0], "vae": ["3", 2]}},
        "3": {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": DEFAULT_CHECKPOINTS[0]},
        },
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    verdict = validate_prompt(graph, _world())
    kinds = [error["type"] for error in verdict.node_errors.get("1", {"errors": []})["errors"]]
    assert kinds == ([kind] if kind else [])
    assert graph["1"]["inputs"]["width"] == kept


def test_a_missing_node_deep_in_the_graph_is_blamed_on_the_one_that_links_to_it() -> None:
    graph = {
        "1": {"class_type": "ImageInvert", "inputs": {"image": ["99", 0]}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    verdict = validate_prompt(graph, _world())
    assert list(verdict.node_errors) == ["1"]
    (error,) = verdict.node_errors["1"]["errors"]
    assert error["type"] == "exception_during_inner_validation"
    assert error["extra_info"]["exception_type"] == "KeyError"


@pytest.mark.parametrize("slot", [7, "0"])
def test_a_slot_that_is_not_there(slot: object) -> None:
    graph = {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0},
        },
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", slot]}},
    }
    (error,) = validate_prompt(graph, _world()).node_errors["2"]["errors"]
    assert error["type"] == "exception_during_validation"
    assert error["extra_info"]["exception_type"] in {"IndexError", "TypeError"}


@pytest.mark.parametrize("prompt", [None, [], "text", 3, {"nodes": []}, {"version": 0.4}])
def test_what_is_no_graph_is_trouble(prompt: object) -> None:
    with pytest.raises(ServerTrouble):
        validate_prompt(prompt, _world())


@pytest.mark.parametrize(
    ("prompt_id", "new", "old"),
    [
        (UUID, True, True),
        (UUID.upper(), False, True),
        (UUID.replace("-", ""), False, True),
        (f"{{{UUID}}}", False, True),
        ("task_12345", False, True),
        (12345, False, True),
    ],
)
def test_prompt_ids_by_version(*, prompt_id: object, new: bool, old: bool) -> None:
    assert accepts_prompt_id(prompt_id, PROFILES["0.33.0"]) is new
    assert accepts_prompt_id(prompt_id, PROFILES["0.3.64"]) is old


def test_object_info_comes_from_the_same_table() -> None:
    schema = build_catalog(("mine.safetensors",), "ddcolor")["CheckpointLoaderSimple"]
    info = schema.object_info(list)
    assert info["input"]["required"]["ckpt_name"] == [["mine.safetensors"], {}]
    assert info["output"] == ["MODEL", "CLIP", "VAE"]
    assert info["input_order"] == {"required": ["ckpt_name"]}
