"""How far a run is."""

from __future__ import annotations

from typing import Any

import pytest

from genpool_worker.comfyui.progress import Progress, node_titles
from genpool_worker.comfyui_json import Frame
from genpool_worker.ports import ProgressReport


def frame(kind: str, **data: Any) -> Frame:  # noqa: ANN401 - JSON
    return Frame.read_object({"type": kind, "data": {"prompt_id": "p", **data}})


def test_a_run() -> None:
    progress = Progress("p", {"1", "2", "3", "4"})
    seen = []
    for item in (
        frame("execution_start"),
        frame("execution_cached", nodes=["1", "unknown"]),
        frame("executing", node="2"),
        frame("progress", value=1, max=2, node="2"),
        frame("progress", value=2, max=2, node="2"),
        frame("executing", node="3"),
        frame("progress", value=1, max=0, node="3"),
        frame("executing", node="4"),
    ):
        assert not progress.feed(item)
        seen.append(progress.value)
    assert seen == [0, 0.25, 0.25, 0.375, 0.5, 0.5, 0.5, 0.75]
    assert progress.node == "4"
    assert progress.feed(frame("execution_success"))
    assert progress.feed(frame("executing", node=None))
    assert progress.value == 1


def test_what_is_told_of_a_run() -> None:
    graph = {
        "1": {"class_type": "KSampler", "_meta": {"title": "Sampler"}},
        "2": {"class_type": "SaveImage"},
        "3": 7,
    }
    progress = Progress("p", graph.keys(), node_titles(graph))
    assert progress.report() == ProgressReport(0, 0, 3)
    progress.feed(frame("executing", node="1"))
    progress.feed(frame("progress", value=3, max=4, node="1"))
    assert progress.report() == ProgressReport(0.25, 0, 3, "1", 3, 4, "Sampler")
    progress.feed(frame("executing", node="2"))
    assert progress.report() == ProgressReport(1 / 3, 1, 3, "2", None, None, "SaveImage")
    progress.feed(frame("progress", value=9, max=4, node="2"))
    assert (progress.report().step, progress.report().steps) == (4, 4)


@pytest.mark.parametrize("kind", ["execution_success", "execution_error", "execution_interrupted"])
def test_after_each_way_to_end_the_history_is_worth_a_look(kind: str) -> None:
    assert Progress("p", {"1"}).feed(frame(kind))


@pytest.mark.parametrize(
    ("value", "most", "part"),
    [
        (1, 4, 0.125),
        (5, 4, 0.5),
        (-1, 4, 0),
        (1, 1, 0.5),
        (1, 0, 0),
        ("1", 4, 0),
        (1, None, 0),
        (None, "x", 0),
    ],
)
def test_a_node_counts_for_no_more_than_itself(value: object, most: object, part: float) -> None:
    progress = Progress("p", {"1", "2"})
    assert not progress.feed(frame("progress", value=value, max=most, node="1"))
    assert progress.value == part


def test_it_never_goes_back() -> None:
    progress = Progress("p", {"1"})
    progress.feed(frame("progress", value=9, max=10))
    progress.feed(frame("progress", value=1, max=10))
    assert progress.value == 0.9


def test_only_frames_of_the_prompt_count() -> None:
    progress = Progress("p", {"1"})
    assert not progress.feed(frame("executing", node=None, prompt_id="other"))
    assert not progress.feed(frame("progress", value=1, max=1, prompt_id="other"))
    assert progress.value == 0


def test_a_queue_that_changed_is_worth_a_look() -> None:
    assert Progress("p", {"1"}).feed(Frame.read_object({"type": "status", "data": {"status": {}}}))


@pytest.mark.parametrize(
    "odd",
    [
        frame("progress", value=None, max=2),
        frame("progress", value="1", max=2),
        frame("progress", value=1, max=True),
        frame("progress", value=1),
        frame("execution_cached", nodes="12"),
        frame("execution_cached", nodes=[None, ["1"]]),
        frame("execution_cached"),
        frame("progress", value=1, max=2, prompt_id=None),
        frame("progress_state", nodes={"1": {"value": 1}}),
        Frame.read_object({"type": "progress", "data": None}),
    ],
)
def test_an_odd_frame_is_no_progress(odd: Frame) -> None:
    progress = Progress("p", {"1", "2"})
    assert not progress.feed(odd)
    assert progress.value == 0


def test_nodes_may_be_numbers() -> None:
    progress = Progress("p", {"1", "2"})
    progress.feed(frame("execution_cached", nodes=[1, "x"]))
    progress.feed(frame("executing", node=2))
    assert (progress.value, progress.node) == (0.5, "2")
