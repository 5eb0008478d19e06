"""ComfyUI's answers about its queue, history and uploads, where they are not as they should be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genpool_core.jsontypes import JsonValue
from genpool_worker.adapters.comfyui_http import ComfyUIHttp
from genpool_worker.adapters.comfyui_ws import _frame
from genpool_worker.comfyui_json import Frame, FrameData, HistoryEntry
from genpool_worker.ports import Where


class Answers(ComfyUIHttp):
    """A ComfyUI that gives one answer to everything."""

    def __init__(self, answer: JsonValue) -> None:
        self._answer_to_all = answer

    def _json(self, _method: str, _path: str, **_: Any) -> JsonValue:  # noqa: ANN401 - requests' own arguments
        return self._answer_to_all


OURS = [3, "ours", {}, {"genpool": "mark"}, ["9"]]


@pytest.mark.parametrize(
    ("queue", "where", "ours"),
    [
        ({"queue_running": [OURS], "queue_pending": []}, Where.RUNNING, ["ours"]),
        ({"queue_running": [], "queue_pending": [OURS]}, Where.NEXT, ["ours"]),
        ({"queue_running": [[1, "theirs", {}, {}]], "queue_pending": [OURS]}, Where.PENDING, ["ours"]),
        (
            {"queue_running": [None, 5, [], [1], [1, "theirs", {}, {}]], "queue_pending": ["odd", OURS]},
            Where.PENDING,
            ["ours"],
        ),
        ({"queue_running": None, "queue_pending": [[0.5, *OURS[1:]]]}, Where.PENDING, ["ours"]),
        ({"queue_running": {"odd": 1}, "queue_pending": [OURS[:2]]}, Where.PENDING, []),
        ({"queue_pending": [[3, "ours", None, None]]}, Where.PENDING, []),
        ({}, Where.ABSENT, []),
        (None, Where.ABSENT, []),
    ],
)
def test_an_odd_entry_of_the_queue_does_not_hide_the_others(
    queue: JsonValue, where: Where, ours: list[str]
) -> None:
    assert Answers(queue).where("ours") is where
    assert Answers(queue).ours() == ours


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"p": {"status": {"status_str": "success"}}, "q": None}, HistoryEntry()),
        ({"p": {}}, HistoryEntry()),
        ({"p": None}, None),
        ({"p": []}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_only_an_object_is_a_history_entry(answer: JsonValue, expected: HistoryEntry | None) -> None:
    assert Answers(answer).history("p") == expected


@pytest.mark.parametrize(
    ("answer", "waiting"),
    [
        ({"exec_info": {"queue_remaining": 2}}, 2),
        ({"exec_info": {"queue_remaining": "2"}}, 0),
        ({"exec_info": None}, 0),
        (None, 0),
    ],
)
def test_prompts_that_wait(answer: JsonValue, waiting: int) -> None:
    assert Answers(answer).waiting() == waiting


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"name": "a (1).png", "subfolder": "x", "type": "input"}, "x/a (1).png"),
        ({"name": "a (1).png", "subfolder": None}, "a (1).png"),
        ({"name": None, "subfolder": "x"}, "x/a.png"),
        (None, "a.png"),
    ],
)
def test_an_uploads_name_is_the_one_that_comfyui_gives(answer: JsonValue, name: str) -> None:
    assert Answers(answer).upload("x", "a.png", b"", "image/png") == name


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (json.dumps({"type": "status", "data": {"sid": "s"}}).encode(), Frame(type="status")),
        (b'{"type": "status", "data": null}', Frame(type="status")),
        (
            b'{"type": "progress", "data": {"prompt_id": "p", "value": 1, "max": 2, "node": 3}}',
            Frame(type="progress", data=FrameData(prompt_id="p", value=1, max=2, node="3")),
        ),
        (b'{"type": 5, "data": {}}', None),
        (b'{"data": {}}', None),
        (b'["status"]', None),
        (b"not JSON", None),
        (b"\xff", None),
    ],
)
def test_frames(data: bytes, expected: Frame | None) -> None:
    assert _frame(data) == expected
