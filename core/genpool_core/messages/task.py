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

from genpool_core.errors import InvalidMessage, InvalidTask
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.messages.graph_text import graph_in_text
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
            f"the message is JSON but {_kind(value)}, not an object. Send one JSON object, for example "
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
        raise InvalidTask(f"task_id is {_kind(raw)}: send text.")
    if len(str(raw)) > _MAX_ID:
        raise InvalidTask(f"task_id is longer than {_MAX_ID} characters: send a shorter one.")
    return str(raw)


def callback_url_of(body: JsonObject) -> str | None:
    """The callback's URL, or None. A value that is no http(s) URL is an InvalidTask."""
    raw = body.get("callback_url")
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str) or not raw.lower().startswith(("http://", "https://")):
        raise InvalidTask("callback_url is not an http or https URL: send one, or leave it out.")
    if len(raw) > _MAX_URL:
        raise InvalidTask(f"callback_url is longer than {_MAX_URL} characters: send a shorter one.")
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
        raise InvalidTask(f"parameters is {_kind(parameters)}: send an object of names and values.")
    name = body.get("workflow_type")
    if name == "":
        name = None
    if name is not None and not isinstance(name, str):
        raise InvalidTask(f"workflow_type is {_kind(name)}: send the name of a workflow, or leave it out.")
    prompt = body.get("prompt")
    graph = _graph_of(prompt)
    if graph is None and _graph_of(parameters.get("prompt")) is not None:
        raise InvalidTask("prompt in parameters is a ComfyUI graph: send it as prompt at the top level.")
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


def _kind(value: JsonValue) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
