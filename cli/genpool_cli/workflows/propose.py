"""Parameters that a graph should have, from what people change in graphs and what ComfyUI says of inputs. Pure.

The usual ones get the names that GenPool's own workflows have; all others are offered when they are asked for. Types,
bounds and choices are those of ``/object_info``, defaults those of the graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genpool_core.jsontypes import JsonObject

Json = dict[str, Any]
#: Largest seed that ComfyUI takes.
_SEED_MOST = 2**64 - 1
_TEXT_MOST = 20_000
#: Names for inputs of any class.
_USUAL = {
    "seed": "seed",
    "noise_seed": "seed",
    "steps": "steps",
    "cfg": "cfg",
    "width": "width",
    "height": "height",
    "ckpt_name": "model",
    "unet_name": "model",
}
_TYPES = {"INT": "integer", "FLOAT": "number", "STRING": "string", "BOOLEAN": "boolean"}
#: Longer lists are somebody's model folder: they change, and a pool should not have to be applied again for it.
_CHOICES_MOST = 30


@dataclass(frozen=True)
class Proposal:
    """A parameter: its name, JSON Schema and place."""

    name: str
    schema: Json
    node: str
    input: str
    file: bool = False

    def as_yaml(self) -> Json:
        """As ``workflow.yaml`` has it."""
        body: Json = {"schema": self.schema}
        if self.file:
            body["file"] = True
        if "default" not in self.schema:
            body["required"] = True
        return {**body, "targets": [{"node": self.node, "input": self.input}]}


def propose(
    graph: JsonObject, described: Mapping[str, Json | None], *, every: bool = False
) -> list[Proposal]:
    """The parameters, in the order of the nodes. ``every``: also those that are no usual ones."""
    found: dict[str, Proposal] = {}
    prompts = _prompts(graph)
    for node, class_type, inputs in _nodes(graph):
        for name, value in inputs.items():
            spec = _spec(described.get(class_type), name)
            if isinstance(value, list) or spec is None:
                continue
            usual = _usual_name(node, name, spec, prompts)
            if usual is None and not every:
                continue
            proposal = _proposal(usual or f"{_slug(class_type)}_{_slug(name)}", node, name, value, spec)
            if proposal is not None:
                found.setdefault(_free(proposal.name, found), proposal)
    return [Proposal(key, item.schema, item.node, item.input, item.file) for key, item in found.items()]


def _proposal(parameter: str, node: str, name: str, value: object, spec: list[Any]) -> Proposal | None:
    options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    if _is_upload(options):
        schema = {"type": "string", "description": "URL of the picture.", "minLength": 1}
        return Proposal(parameter, schema, node, name, file=True)
    choices = options.get("options") if spec[0] == "COMBO" else spec[0]
    if isinstance(choices, list):
        return Proposal(parameter, _choice(value, choices), node, name)
    kind = _TYPES.get(str(choices if spec[0] == "COMBO" else spec[0]))
    if kind is None:
        return None
    return Proposal(parameter, _plain(parameter, kind, value, options), node, name)


def _choice(value: object, choices: list[Any]) -> Json:
    words = [each for each in choices if isinstance(each, str | int | float)]
    schema: Json = {"type": "string"} if all(isinstance(each, str) for each in words) else {"type": "number"}
    if schema["type"] == "string":
        schema["maxLength"] = 255
    if 0 < len(words) <= _CHOICES_MOST and value in words:
        schema["enum"] = words
    return {**schema, "default": value}


def _plain(parameter: str, kind: str, value: object, options: Json) -> Json:
    schema: Json = {"type": kind}
    tooltip = options.get("tooltip")
    if isinstance(tooltip, str):
        schema["description"] = " ".join(tooltip.split())
    if kind == "string":
        schema["maxLength"] = _TEXT_MOST
        if parameter == "prompt":
            return {**schema, "minLength": 1}
        return {**schema, "default": value if isinstance(value, str) else ""}
    if kind == "boolean":
        return {**schema, "default": bool(value)}
    for keyword, option in (("minimum", "min"), ("maximum", "max")):
        bound = options.get(option)
        if isinstance(bound, int | float) and abs(bound) <= _SEED_MOST:
            schema[keyword] = bound
    step = options.get("step")
    if kind == "integer" and isinstance(step, int) and step > 1 and _fits(value, step):
        schema["multipleOf"] = step
    return {**schema, "default": value}


def _fits(value: object, step: int) -> bool:
    return isinstance(value, int) and value % step == 0


def _usual_name(node: str, name: str, spec: list[Any], prompts: Mapping[str, str]) -> str | None:
    options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    if name == "text" and node in prompts:
        return prompts[node]
    if name == "image" and _is_upload(options):
        return "image_url"
    return _USUAL.get(name)


def _is_upload(options: Json) -> bool:
    return any("upload" in key and options[key] is True for key in options)


def _prompts(graph: JsonObject) -> dict[str, str]:
    """The text nodes behind the two inputs by which samplers are told what to show, and what not."""
    found: dict[str, str] = {}
    by_id = {node: inputs for node, _, inputs in _nodes(graph)}
    for _, _, inputs in _nodes(graph):
        for name, parameter in (("positive", "prompt"), ("negative", "negative_prompt")):
            for node in _behind(inputs.get(name), by_id):
                found.setdefault(node, parameter)
    texts = [node for node, _, inputs in _nodes(graph) if isinstance(inputs.get("text"), str)]
    if not found and texts:
        found[texts[0]] = "prompt"
    return found


def _behind(link: object, by_id: Mapping[str, Json]) -> Iterator[str]:
    """The node that a link leads to, where it has a text; else those that it has its own conditioning from."""
    seen: set[str] = set()
    waiting = [link]
    while waiting:
        link = waiting.pop()
        if not isinstance(link, list) or not link or str(link[0]) in seen:
            continue
        node = str(link[0])
        seen.add(node)
        inputs = by_id.get(node, {})
        if isinstance(inputs.get("text"), str):
            yield node
        else:
            waiting += [inputs[name] for name in ("conditioning", "positive", "text") if name in inputs]


def _spec(described: Json | None, name: str) -> list[Any] | None:
    inputs = (described or {}).get("input")
    if not isinstance(inputs, dict):
        return None
    for group in ("required", "optional"):
        spec = (inputs.get(group) or {}).get(name)
        if isinstance(spec, list) and spec:
            return spec
    return None


def _nodes(graph: JsonObject) -> Iterator[tuple[str, str, Json]]:
    for node, body in graph.items():
        if isinstance(body, dict) and isinstance(body.get("inputs"), dict):
            yield node, str(body.get("class_type", "")), body["inputs"]  # type: ignore[misc]


def _free(name: str, taken: Mapping[str, object]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _slug(text: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "x"
