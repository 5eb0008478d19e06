"""Which texts in ``prompt`` are graphs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_core.errors import InvalidTask
from genpool_core.messages.task import Shape, parse_task

GRAPH = {"1": {"class_type": "EmptyImage", "inputs": {"width": 64}}}
TEXT = json.dumps(GRAPH)


@pytest.mark.parametrize(
    "prompt",
    [
        GRAPH,
        TEXT,
        f"\n  {TEXT}\n",
        "\ufeff" + TEXT,
        json.dumps(GRAPH, indent=2),
        json.dumps(TEXT),
        json.dumps(json.dumps(TEXT)),
    ],
)
@pytest.mark.parametrize("more", [{}, {"workflow_type": "w"}])
def test_a_graph(prompt: object, more: dict[str, str]) -> None:
    task = parse_task({"prompt": prompt, **more})  # type: ignore[dict-item] - JSON
    assert (task.shape, task.graph, task.workflow) == (Shape.GRAPH, GRAPH, None)


@pytest.mark.parametrize(
    "prompt",
    [
        TEXT[:-1],
        TEXT.replace('"', "'"),
        TEXT.replace("64", "NaN"),
        TEXT.replace("}}}", "},}}"),
        f"[{TEXT}]",
        json.dumps(TEXT)[:-1],
        '{"last_node_id": 9, "nodes": [',
    ],
)
def test_a_text_that_is_meant_as_a_graph(prompt: str) -> None:
    with pytest.raises(
        InvalidTask, match=r"prompt is text that looks like a ComfyUI workflow, .* Export \(API\)"
    ):
        parse_task({"prompt": prompt})


@pytest.mark.parametrize("prompt", [GRAPH, TEXT])
def test_a_graph_among_the_parameters(prompt: object) -> None:
    with pytest.raises(
        InvalidTask, match="a message has it as prompt at the top level, a request to the API as graph"
    ):
        parse_task({"workflow_type": "w", "parameters": {"prompt": prompt}})  # type: ignore[dict-item] - JSON


@pytest.mark.parametrize(
    "prompt",
    [
        "{red|blue|green} car, masterpiece",
        "{",
        "{}",
        '{"subject": "a car", "style": "oil"}',
        '["a car"]',
        '"a quoted prompt"',
        "[a:b:0.5] photo",
        'a programmer reads {"class_type": "KSampler"} on a screen',
        "null",
        "",
    ],
)
def test_texts_stay_texts(prompt: str) -> None:
    task = parse_task({"prompt": prompt})
    assert (task.shape, task.graph, task.given["prompt"]) == (Shape.FALLBACK, None, prompt)


@given(text=st.text() | st.text(alphabet='{}[]":,ab\\'))
def test_no_other_text_is_refused(text: str) -> None:
    assert parse_task({"prompt": text}).graph is None
