"""Previews: what is a picture, how often it is told, and that nothing waits for it."""

from __future__ import annotations

import base64
import json
import struct
from itertools import pairwise

import pytest

from fakes.pictures import picture
from fakes.worker_comfyui import FakeComfyUI
from fakes.worker_world import World
from genpool_core import timing
from genpool_core.jsontypes import JsonObject
from genpool_core.messages.events import TaskPreview
from genpool_worker.comfyui.preview import MOST_BYTES, read_preview
from genpool_worker.comfyui_json import Frame
from genpool_worker.ports import Preview

JPEG, PNG = picture("JPEG"), picture("PNG")
METADATA = json.dumps({"node_id": "3", "prompt_id": "p"}).encode()


def image(data: bytes, kind: int = 1) -> bytes:
    return struct.pack(">II", kind, 1) + data


def with_metadata(data: bytes, length: int | None = None) -> bytes:
    return struct.pack(">II", 4, len(METADATA) if length is None else length) + METADATA + data


@pytest.mark.parametrize(
    ("frame", "preview"),
    [
        (image(JPEG), Preview("image/jpeg", JPEG)),
        (image(PNG), Preview("image/png", PNG)),
        (with_metadata(JPEG), Preview("image/jpeg", JPEG)),
        (with_metadata(JPEG, 1 << 31), None),
        (with_metadata(JPEG, 3), None),
        (image(JPEG, kind=2), None),
        (image(b"<html>"), None),
        (image(b""), None),
        (
            image(JPEG + b"\0" * (MOST_BYTES - len(JPEG))),
            Preview("image/jpeg", JPEG.ljust(MOST_BYTES, b"\0")),
        ),
        (image(JPEG + b"\0" * (MOST_BYTES - len(JPEG) + 1)), None),
        (b"\0\0\0\1", None),
        (b"", None),
    ],
)
def test_what_is_a_preview(frame: bytes, preview: Preview | None) -> None:
    assert read_preview(frame) == preview


def test_at_most_two_a_second_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten a second come, for five seconds; each is what was seen last, and progress goes on beside it."""
    node = world.worker("w1")
    progress: JsonObject = {"type": "progress", "data": {"value": 1, "max": 2}}
    node.comfyui.frames = [{**progress} for _ in range(50)]
    usual = FakeComfyUI.next_frame

    def next_frame(comfyui: FakeComfyUI) -> Frame | Preview | None:
        said = usual(comfyui)
        world.clock.sleep(0.1)
        shown = isinstance(said, Frame) and said.type == "progress" and len(comfyui.frames) % 10
        return Preview("image/jpeg", JPEG) if shown else said

    monkeypatch.setattr(FakeComfyUI, "next_frame", next_frame)
    world.send({"task_id": "t", "prompt": "x"})
    world.drive(node)
    told = [event for event in node.events if isinstance(event, TaskPreview)]
    assert 8 <= len(told) <= 10
    gaps = [(later.time - event.time).total_seconds() for event, later in pairwise(told)]
    assert min(gaps) >= timing.PREVIEW_SECONDS - 0.001
    assert {(event.content_type, base64.b64decode(event.image)) for event in told} == {("image/jpeg", JPEG)}
    assert {event.attempt for event in told} == {1}
    assert [event for event in node.events if event.type == "task.progress"]  # type: ignore[attr-defined]
    (end,) = world.store.records("end.json").values()
    assert end["outcome"] == "succeeded"
