"""Texts among the outputs: shown ones, and saved ones."""

from __future__ import annotations

import pytest

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI


def test_a_shown_text_stands_among_the_outputs(comfyui: ComfyUI) -> None:
    graph = {
        "1": graphs.node("PrimitiveString", value="a text"),
        "2": graphs.node("PreviewAny", source=["1", 0]),
        "3": graphs.empty_image(),
        "4": graphs.node("SaveImage", images=["3", 0], filename_prefix=["1", 0]),
    }
    outputs = comfyui.run(graph)["outputs"]
    assert outputs["2"] == {"text": ["a text"]}
    assert outputs["4"]["images"][0]["filename"].startswith("a text_")


@pytest.mark.parametrize("text", ["BMW car, red", ""])
def test_a_saved_text_is_a_file_beside_its_text(comfyui: ComfyUI, text: str) -> None:
    prefix = graphs.fresh_prefix()
    graph = {
        "1": graphs.node("PrimitiveString", value=text),
        "2": graphs.node("SaveText", text=["1", 0], filename_prefix=prefix, format="txt"),
    }
    if comfyui.profile == "0.3.64":
        assert comfyui.post("/prompt", json={"prompt": graph}).status_code == 400, "it has no SaveText"
        return
    output = comfyui.run(graph)["outputs"]["2"]
    assert output["text"] == [text]
    (file,) = output["files"]
    folder, name = prefix.split("/")
    assert file == {"filename": f"{name}_00001.txt", "subfolder": folder, "type": "output"}
    assert comfyui.view(file).text == text
