"""Uploads, input files in graphs, results, and what stands in a PNG."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable

import pytest
from PIL import Image

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI, Json
from contract.comfyui.process import Standin


def _png(color: str, size: tuple[int, int] = (12, 9)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def _fresh_name() -> str:
    return f"{uuid.uuid4()}.png"


def test_an_upload_is_told_its_name(comfyui: ComfyUI) -> None:
    name = _fresh_name()
    answer = comfyui.upload(name, _png("red"), subfolder="contract")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["name"], body["subfolder"], body["type"]) == (name, "contract", "input")
    stored = {"filename": name, "subfolder": "contract", "type": "input"}
    assert comfyui.view(stored).content == _png("red")


def test_the_same_name_with_other_bytes_is_renamed(comfyui: ComfyUI) -> None:
    name = _fresh_name()
    stem = name.removesuffix(".png")
    assert comfyui.upload(name, _png("red")).json()["name"] == name
    assert comfyui.upload(name, _png("red")).json()["name"] == name
    assert comfyui.upload(name, _png("blue")).json()["name"] == f"{stem} (1).png"
    assert comfyui.upload(name, _png("green"), overwrite="true").json()["name"] == name
    stored = {"filename": name, "type": "input"}
    assert comfyui.view(stored).content == _png("green")


@pytest.mark.parametrize("kind", ["input", "temp", "output"])
def test_an_upload_goes_to_the_folder_of_its_type(comfyui: ComfyUI, kind: str) -> None:
    name = _fresh_name()
    assert comfyui.upload(name, _png("red"), type=kind).json()["type"] == kind
    assert comfyui.view({"filename": name, "type": kind}).status_code == 200


def test_an_upload_cannot_leave_its_folder(comfyui: ComfyUI) -> None:
    assert comfyui.upload(_fresh_name(), _png("red"), subfolder="../..").status_code == 400


def test_an_upload_without_the_part_is_400(comfyui: ComfyUI) -> None:
    assert comfyui.post("/upload/image", files={"picture": ("a.png", b"x")}).status_code == 400


def test_a_graph_loads_what_was_uploaded(comfyui: ComfyUI) -> None:
    name = _fresh_name()
    comfyui.upload(name, _png("red"), subfolder="contract")
    entry = comfyui.run(graphs.load_and_save(f"contract/{name}"))
    (image,) = entry["outputs"]["2"]["images"]
    with Image.open(io.BytesIO(comfyui.view(image).content)) as result:
        assert result.size == (12, 9)
        assert result.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_missing_input_file_is_refused_in_words(comfyui: ComfyUI) -> None:
    body = comfyui.post("/prompt", json={"prompt": graphs.load_and_save("gone.png")}).json()
    (error,) = body["node_errors"]["1"]["errors"]
    assert error["details"] == "image - Invalid image file: gone.png"


def test_a_result_can_be_fetched_whole_in_part_and_by_head(comfyui: ComfyUI) -> None:
    (image,) = comfyui.run(graphs.trivial(graphs.fresh_prefix()))["outputs"]["3"]["images"]
    whole = comfyui.view(image)
    assert whole.status_code == 200
    assert whole.headers["Content-Type"] == "image/png"
    part = comfyui.view(image, headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    head = comfyui.http.head(comfyui.url + "/view", params=image, timeout=10)
    assert head.status_code == 200
    assert int(head.headers["Content-Length"]) == len(whole.content)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"filename": "gone.png"}, 404),
        ({}, 404),
        ({"filename": "../secret"}, 400),
        ({"filename": "/etc/hostname"}, 400),
        ({"filename": "a.png", "type": "elsewhere"}, 400),
        ({"filename": "a.png", "subfolder": "../.."}, 403),
    ],
)
def test_what_view_does_not_show(comfyui: ComfyUI, query: Json, status: int) -> None:
    assert comfyui.get("/view", params=query).status_code == status


def test_no_route_deletes_a_file(comfyui: ComfyUI) -> None:
    (image,) = comfyui.run(graphs.trivial(graphs.fresh_prefix()))["outputs"]["3"]["images"]
    answer = comfyui.http.delete(comfyui.url + "/view", params=image, timeout=10)
    assert answer.status_code == 405
    assert comfyui.view(image).status_code == 200


def test_the_counter_counts_within_a_prefix(comfyui: ComfyUI) -> None:
    prefix = graphs.fresh_prefix()
    names = [comfyui.run(graphs.trivial(prefix))["outputs"]["3"]["images"][0]["filename"] for _ in range(2)]
    stem = prefix.split("/")[1]
    assert names == [f"{stem}_00001_.png", f"{stem}_00002_.png"]


def test_a_batch_counts_on(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    graph["1"]["inputs"]["batch_size"] = 3
    images = comfyui.run(graph)["outputs"]["3"]["images"]
    assert [image["filename"][-11:] for image in images] == [f"_0000{n}_.png" for n in (1, 2, 3)]


def test_previews_are_temp_files(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    graph["4"] = graphs.node("PreviewImage", images=["2", 0])
    (image,) = comfyui.run(graph)["outputs"]["4"]["images"]
    assert image["type"] == "temp"
    assert comfyui.view(image).status_code == 200


def test_a_prefix_cannot_leave_the_output_folder(comfyui: ComfyUI) -> None:
    entry = comfyui.run(graphs.trivial("../escaped"))
    assert entry["status"]["status_str"] == "error"
    assert "outside the output folder" in entry["status"]["messages"][-1][1]["exception_message"]


def _texts(comfyui: ComfyUI, image: Json) -> Json:
    with Image.open(io.BytesIO(comfyui.view(image).content)) as picture:
        return {str(key): value for key, value in picture.info.items()}


def test_a_png_embeds_the_whole_prompt(comfyui: ComfyUI) -> None:
    graph = graphs.trivial(graphs.fresh_prefix())
    entry = comfyui.run(graph, extra_data={"extra_pnginfo": {"workflow": {"id": "w"}}})
    texts = _texts(comfyui, entry["outputs"]["3"]["images"][0])
    assert json.loads(texts["prompt"]) == graph
    assert json.loads(texts["workflow"]) == {"id": "w"}


@pytest.mark.standin
def test_disable_metadata_leaves_it_out(standin: Callable[..., Standin]) -> None:
    server = standin("--disable-metadata")
    entry = server.run(graphs.trivial(graphs.fresh_prefix()))
    assert "prompt" not in _texts(server, entry["outputs"]["3"]["images"][0])


@pytest.mark.standin
def test_names_come_back_after_files_are_deleted(standin: Callable[..., Standin]) -> None:
    server = standin()
    first, second, third = (
        server.run(graphs.trivial("again/a"))["outputs"]["3"]["images"][0] for _ in range(3)
    )
    server.path_of(second).unlink()
    server.path_of(third).unlink()
    (back,) = server.run(graphs.trivial("again/a"))["outputs"]["3"]["images"]
    assert server.path_of(first).is_file()
    assert back == second
