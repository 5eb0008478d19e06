"""What a ComfyUI lacks for a graph, from what it says of its node classes."""

from __future__ import annotations

import pytest

from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.workflow.lacks import Lack, NodeClass, class_types, find_lacks

LOADER = "CheckpointLoaderSimple"
GRAPH: JsonObject = {
    "4": {"class_type": LOADER, "inputs": {"ckpt_name": "house.safetensors"}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["4", 0], "filename_prefix": "x"}},
}
SAVE: JsonObject = {"output_node": True, "python_module": "nodes"}


def described(spec: JsonValue, *, module: str = "nodes", optional: bool = False) -> JsonObject:
    return {"input": {"optional" if optional else "required": {"ckpt_name": spec}}, "python_module": module}


def lacks(graph: JsonObject = GRAPH, **known: JsonObject | None) -> list[str]:
    said = {
        name: None if item is None else NodeClass.read_object(item)
        for name, item in {"SaveImage": SAVE, **known}.items()
    }
    return [str(lack) for lack in find_lacks(graph, said)]


def test_a_class_that_is_not_there() -> None:
    assert find_lacks(GRAPH, {LOADER: None}) == (Lack("4", LOADER),)
    assert lacks(CheckpointLoaderSimple=None) == [f"the node class {LOADER} of node 4"]


def test_a_class_that_could_not_be_asked_for_lacks_nothing() -> None:
    assert lacks() == []


@pytest.mark.parametrize(
    ("spec", "missing"),
    [
        ([["other.safetensors"]], True),
        ([["house.safetensors", "other.safetensors"]], False),
        ([[], {}], True),
        (["COMBO", {"options": ["other.safetensors"]}], True),
        (["COMBO", {"options": ["house.safetensors"]}], False),
        (["COMBO", {"remote": {"route": "/x"}, "options": []}], False),
        (["COMBO", {"image_upload": True, "options": []}], False),
        ([["other.safetensors"], {"upload": True}], False),
        (["STRING", {}], False),
        (["COMBO", {}], False),
        ([], False),
        ("odd", False),
        (None, False),
    ],
)
def test_a_model_file_of_comfyuis_own_loader(spec: JsonValue, *, missing: bool) -> None:
    wanted = [f"the model file house.safetensors (ckpt_name of node 4, {LOADER})"] if missing else []
    assert lacks(CheckpointLoaderSimple=described(spec)) == wanted
    assert lacks(CheckpointLoaderSimple=described(spec, optional=True)) == wanted
    assert lacks(CheckpointLoaderSimple=described(spec, module="comfy_extras.nodes_x")) == wanted


def test_a_pack_may_accept_what_its_list_has_not() -> None:
    assert lacks(CheckpointLoaderSimple=described([["other.safetensors"]], module="custom_nodes.pack")) == []
    assert lacks(CheckpointLoaderSimple=described([["other.safetensors"]], module="")) == []


@pytest.mark.parametrize("value", ["euler", "../x.latent", 7, ["4", 0], None])
def test_what_names_no_model_file_is_left_to_comfyui(value: JsonValue) -> None:
    graph: JsonObject = {**GRAPH, "4": {"class_type": LOADER, "inputs": {"ckpt_name": value}}}
    assert lacks(graph, CheckpointLoaderSimple=described([["other.safetensors"]])) == []


def test_comfyui_does_not_look_at_nodes_without_a_result() -> None:
    graph: JsonObject = {
        **GRAPH,
        "5": {"class_type": LOADER, "inputs": {"ckpt_name": "unused.safetensors"}},
        "6": {"class_type": "Unused", "inputs": {}},
    }
    found = lacks(graph, CheckpointLoaderSimple=described([["house.safetensors"]]), Unused=None)
    assert found == ["the node class Unused of node 6"], "a class must be there all the same"


def test_a_chain_with_a_circle_ends() -> None:
    graph: JsonObject = {
        "1": {"class_type": LOADER, "inputs": {"ckpt_name": "house.safetensors", "model": ["2", 0]}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "more": ["9", 0], "odd": []}},
    }
    assert len(lacks(graph, CheckpointLoaderSimple=described([[]]))) == 1


def test_what_is_shown_is_one_short_line() -> None:
    graph: JsonObject = {"1": {"class_type": "a\nb" + "x" * 5000, "inputs": {}}}
    sentence = str(find_lacks(graph, dict.fromkeys(class_types(graph)))[0])
    assert "\n" not in sentence
    assert len(sentence) < 300
