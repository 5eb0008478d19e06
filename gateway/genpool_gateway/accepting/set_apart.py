"""What a message is too small for: files and graphs that came inside a task go to the pool's bucket. Pure.

A queue is no place for files: RabbitMQ keeps each message on three nodes. So the largest inputs of a task leave its
message, until that fits, and it names them by what they hold (:mod:`genpool_core.tasks.inline`). The same task gives
the same message, and so the same key, however often it is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from genpool_core.canonical import canonical_json
from genpool_core.data_uri import is_data_uri, read_data_uri
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.tasks.check import validate
from genpool_core.tasks.inline import graph_reference, input_value
from genpool_gateway.accepting.refusals import TooLarge
from genpool_gateway.pools.check import CheckedTask

#: Of a task's message.
MOST_MESSAGE_BYTES = 64 << 10


@dataclass(frozen=True)
class Input:
    """An object for the bucket. ``digest``: SHA-256 of what it holds, hexadecimal."""

    digest: str
    data: bytes = field(repr=False)
    content_type: str


@dataclass(frozen=True)
class Apart:
    """A task whose message fits, and what must be in the bucket before it is published."""

    checked: CheckedTask
    inputs: tuple[Input, ...] = ()


def set_apart(checked: CheckedTask, owner: str) -> Apart:
    """Take out of a task's message what makes it too large. Raises TooLarge where that is not enough."""
    if len(checked.content) <= MOST_MESSAGE_BYTES:
        return Apart(checked)
    inputs: list[Input] = []
    for place, name in _largest_first(checked):
        if len(checked.content) <= MOST_MESSAGE_BYTES:
            break
        taken, value = _taken(checked, name)
        inputs.append(taken)
        checked = _with_value(checked, place, name, value)
    if len(checked.content) > MOST_MESSAGE_BYTES:
        without = " without its files and graph" if inputs else ""
        raise TooLarge(
            f"the task is a message of {len(checked.content):,} bytes{without}, and queues take at most "
            f"{MOST_MESSAGE_BYTES:,}: send files as links, or upload them first (POST /v1/uploads)."
        )
    # As the worker will read it.
    serving = checked.serving
    validated = validate(checked.body, serving.config, serving.catalog, owner=owner)
    return Apart(replace(checked, validated=validated), tuple(inputs))


def _largest_first(checked: CheckedTask) -> list[tuple[str | None, str]]:
    """The inputs that came inside a task: which object of the body has each (None: the body itself), and its name."""
    if checked.validated.graph is not None:
        return [(None, "prompt")]
    found = sorted(
        _files(checked), key=lambda item: (-len(str(checked.validated.bound.values[item[1]])), item[1])
    )
    return list(found)


def _files(checked: CheckedTask) -> Iterator[tuple[str | None, str]]:
    explicit = checked.body.get("parameters")
    for name in checked.validated.bound.files:
        if is_data_uri(checked.validated.bound.values[name]):
            yield ("parameters" if isinstance(explicit, dict) and name in explicit else None), name


def _taken(checked: CheckedTask, name: str) -> tuple[Input, JsonValue]:
    """An input, and what stands in the message for it."""
    graph = checked.validated.graph
    if graph is not None:
        data = canonical_json(graph)
        digest = hashlib.sha256(data).hexdigest()
        return Input(digest, data, "application/json"), graph_reference(digest)
    value = str(checked.validated.bound.values[name])
    contents = read_data_uri(name, value, checked.serving.config.max_input_bytes)
    digest = hashlib.sha256(contents.data).hexdigest()
    return Input(digest, contents.data, contents.content_type), input_value(digest)


def _with_value(checked: CheckedTask, place: str | None, name: str, value: JsonValue) -> CheckedTask:
    body: JsonObject = {**checked.body}
    inner = None if place is None else body.get(place)
    if place is not None and isinstance(inner, dict):
        body[place] = {**inner, name: value}
    else:
        body[name] = value
    return replace(checked, body=body, content=canonical_json(body))
