"""A task as producers send it, and the table that tells which shape it has.

==================  =========================  ==========================================================
``prompt``          other fields               shape
==================  =========================  ==========================================================
object              any                        GRAPH: a ComfyUI graph of the producer's own
text of such JSON   any                        GRAPH: the same; refused where it is none (:mod:`.graph_text`)
anything else       ``workflow_type`` text     WORKFLOW: the named workflow, the rest are its parameters
anything else       no ``workflow_type``       FALLBACK: the pool's fallback, the rest are its parameters
==================  =========================  ==========================================================

Parameters are the top-level fields that are not reserved, overruled by those in ``parameters``. A name in
``parameters`` must be one of the workflow's; other top-level fields are the producer's own and are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypedDict

from genpool_core.errors import InvalidMessage, InvalidTask
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.messages.graph_text import graph_in_text
from genpool_core.shown import kind_of, shown
from genpool_core.strict_json import JsonFault, read_json

#: Top-level fields that are about the task and are never a workflow's parameter.
RESERVED = frozenset(
    {
        "task_id",
        "workflow_type",
        "parameters",
        "callback_url",
        "schema_version",
        "tenant",
        "priority",
        "metadata",
    }
)
_MAX_ID = 512
_MAX_URL = 4096
_ID: JsonObject = {"type": ["string", "integer"], "maxLength": _MAX_ID}
_CALLBACK: JsonObject = {"type": "string", "format": "uri", "maxLength": _MAX_URL}


class Shape(Enum):
    """How a task says what to run."""

    GRAPH = "graph"
    WORKFLOW = "workflow"
    FALLBACK = "fallback"


@dataclass(frozen=True)
class Task:
    """A task that has been read. ``task_id`` is None when the body has none."""

    body: JsonObject
    task_id: str | None
    shape: Shape
    workflow: str | None
    given: JsonObject
    """Parameters by name: every candidate from the top level, overruled by ``parameters``."""
    explicit: frozenset[str]
    """Names from ``parameters``; each must be known to the workflow."""
    graph: JsonObject | None
    callback_url: str | None


def parse_body(raw: bytes) -> JsonObject:
    """Read a message's body.

    Raises
    ------
    InvalidMessage
        It is not UTF-8 JSON, not a JSON object, or holds something that cannot be written again as JSON.
    """
    try:
        # utf-8-sig: some editors and shells put a byte order mark before UTF-8.
        value = read_json(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidMessage(
            f"the message is not JSON in UTF-8: byte {error.start} is not valid UTF-8. Send one JSON object in UTF-8."
        ) from None
    except JsonFault as fault:
        raise InvalidMessage(f"the message {fault.what}. {fault.advice}") from None
    if not isinstance(value, dict):
        raise InvalidMessage(
            f"the message is JSON but {kind_of(value)}, not an object. Send one JSON object, for example "
            '{"task_id": "…", "prompt": "…"}.'
        )
    return value


def task_id_of(body: JsonObject) -> str | None:
    """The task's id, or None when the body has none.

    Raises
    ------
    InvalidTask
        It is there, but neither text nor a whole number, or longer than 512 characters.
    """
    raw = body.get("task_id")
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, (str, int)):
        raise InvalidTask(f"task_id is {kind_of(raw)}: send text.", **_about("task_id", raw, _ID))
    if len(str(raw)) > _MAX_ID:
        sentence = f"task_id is longer than {_MAX_ID} characters: send a shorter one."
        raise InvalidTask(sentence, **_about("task_id", raw, _ID))
    return str(raw)


def callback_url_of(body: JsonObject) -> str | None:
    """The callback's URL, or None. A value that is no http(s) URL is an InvalidTask."""
    raw = body.get("callback_url")
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str) or not raw.lower().startswith(("http://", "https://")):
        sentence = "callback_url is not an http or https URL: send one, or leave it out."
        raise InvalidTask(sentence, **_about("callback_url", raw, _CALLBACK))
    if len(raw) > _MAX_URL:
        sentence = f"callback_url is longer than {_MAX_URL} characters: send a shorter one."
        raise InvalidTask(sentence, **_about("callback_url", raw, _CALLBACK))
    return raw


def parse_task(body: JsonObject) -> Task:
    """Decide the shape of a task.

    Raises
    ------
    InvalidTask
        A reserved field has the wrong type, or a text is meant as a graph and is none.
    """
    parameters = body.get("parameters")
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, dict):
        sentence = f"parameters is {kind_of(parameters)}: send an object of names and values."
        raise InvalidTask(sentence, **_about("parameters", parameters, {"type": "object"}))
    name = body.get("workflow_type")
    if name == "":
        name = None
    if name is not None and not isinstance(name, str):
        sentence = f"workflow_type is {kind_of(name)}: send the name of a workflow, or leave it out."
        raise InvalidTask(sentence, **_about("workflow_type", name, {"type": "string"}))
    prompt = body.get("prompt")
    graph = _graph_of(prompt)
    if graph is None and _graph_of(parameters.get("prompt")) is not None:
        sentence = (
            "prompt in parameters is a ComfyUI graph: a message has it as prompt at the top level, "
            "a request to the API as graph."
        )
        raise InvalidTask(sentence, parameter="prompt")
    top = {key: value for key, value in body.items() if key not in RESERVED}
    return Task(
        body=body,
        task_id=task_id_of(body),
        shape=_shape(graph, name),
        workflow=name if graph is None else None,
        given={**top, **parameters},
        explicit=frozenset(parameters),
        graph=graph,
        callback_url=callback_url_of(body),
    )


def _graph_of(prompt: JsonValue) -> JsonObject | None:
    if isinstance(prompt, str):
        return graph_in_text("prompt", prompt)
    return prompt if isinstance(prompt, dict) else None


def _shape(graph: JsonObject | None, name: str | None) -> Shape:
    if graph is not None:
        return Shape.GRAPH
    return Shape.FALLBACK if name is None else Shape.WORKFLOW


class _About(TypedDict):
    parameter: str
    expected: JsonObject
    sent: JsonValue


def _about(field: str, raw: JsonValue, expected: JsonObject) -> _About:
    return {"parameter": field, "expected": expected, "sent": shown(raw, url=field == "callback_url")}
