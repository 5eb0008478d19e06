"""From a template and bound values to the graph that ComfyUI gets. A pure function; no template engine, no eval."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, cast

from pydantic import Field

from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject
from genpool_core.loose import LooseModel
from genpool_core.workflow.bind import Bound, defaults
from genpool_core.workflow.schema import Scalar
from genpool_core.workflow.spec import Parameter, Target, WorkflowYaml, scalar_text

#: Input of the nodes that save files. Each job has a prefix of its own: ComfyUI answers an identical prompt from its
#: cache with the old file names, even when the files are gone.
PREFIX_INPUT = "filename_prefix"
#: An input that no class has. ComfyUI does not hand it to the node, but counts it when it looks for a cached result.
MARK_INPUT = "genpool_mark"


class _NodeMeta(LooseModel):
    title: str | None = None


class _Node(LooseModel):
    """How a node can be found in a graph. A task's graph may hold anything."""

    class_type: str | None = None
    meta: Annotated[_NodeMeta, Field(alias="_meta")] = _NodeMeta()


def render(
    template: JsonObject,
    workflow: WorkflowYaml,
    bound: Bound,
    *,
    uploads: Mapping[str, str],
    prefix: str,
) -> JsonObject:
    """The graph for one attempt.

    ``uploads`` maps each name of ``bound.files`` to the name that ComfyUI gave the uploaded file; ``prefix`` is where
    the job's outputs go, without a slash at its end.
    """
    graph = copy.deepcopy(template)
    for name, value in bound.values.items():
        parameter = workflow.parameters[name]
        actual: Scalar = uploads[name] if parameter.file else value
        for target, node_ids in places(graph, parameter):
            for node_id in node_ids:
                _inputs(graph, node_id)[target.input] = _for_input(target, actual)
    return with_prefix(graph, prefix)


def by_default(template: JsonObject, workflow: WorkflowYaml) -> JsonObject:
    """The graph of a task that gives nothing; where a task must give something, what the template has."""
    uploads = {name: str(parameter.value.default) for name, parameter in workflow.parameters.items()}
    return render(template, workflow, defaults(workflow), uploads=uploads, prefix="")


def asked(usual: JsonObject, workflow: WorkflowYaml, bound: Bound) -> frozenset[tuple[str, str]]:
    """The inputs, as (node id, name), into which a task put a file, or something else than they have by default.

    ``usual``: the graph of :func:`by_default`. Several names may stand for one value, such as a model's: the input gets
    the same.
    """
    values = defaults(workflow).values
    return frozenset(
        (node_id, target.input)
        for name, value in bound.values.items()
        if name in bound.files or values.get(name) != value
        for target, node_ids in places(usual, workflow.parameters[name])
        for node_id in node_ids
        if name in bound.files or _inputs(usual, node_id)[target.input] != _for_input(target, value)
    )


def reachable(template: JsonObject, workflow: WorkflowYaml) -> frozenset[tuple[str, str]]:
    """The inputs, as (node id, name), into which a task can put something."""
    return _inputs_of(template, workflow.parameters.values())


def always_given(template: JsonObject, workflow: WorkflowYaml) -> frozenset[tuple[str, str]]:
    """The inputs, as (node id, name), into which every task puts something: what the template has there is not used."""
    usual = defaults(workflow).values
    given = (item for name, item in workflow.parameters.items() if item.required and name not in usual)
    return _inputs_of(template, given)


def _inputs_of(template: JsonObject, parameters: Iterable[Parameter]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (node_id, target.input)
        for parameter in parameters
        for target, node_ids in places(template, parameter)
        for node_id in node_ids
    )


def with_prefix(graph: JsonObject, prefix: str) -> JsonObject:
    """The graph with a file name prefix of its own for every node that saves files.

    It replaces whatever stands there, a link to another node too: behind a link the prefix would be another task's.
    """
    graph = copy.deepcopy(graph)
    for node_id in graph:
        inputs = _inputs(graph, node_id)
        if PREFIX_INPUT in inputs:
            inputs[PREFIX_INPUT] = f"{prefix}/{node_id}"
    return graph


def origin(graph: JsonObject, node_id: str) -> str:
    """The node of the graph behind a node that ran: one that node ``5`` put there meanwhile is known as ``5.0.3``."""
    return node_id if node_id in graph else node_id.partition(".")[0]


def with_mark(graph: JsonObject, node_ids: Collection[str], mark: str) -> JsonObject:
    """The graph in which these nodes run again, whatever ComfyUI's cache holds; ``mark`` was never used before.

    All nodes get the mark where one is not found.
    """
    graph = copy.deepcopy(graph)
    found = {origin(graph, node_id) for node_id in node_ids}
    for node_id in found if found.issubset(graph) else graph:
        _inputs(graph, node_id)[MARK_INPUT] = mark
    return graph


def places(graph: JsonObject, parameter: Parameter) -> list[tuple[Target, list[str]]]:
    """The targets that the graph has and the nodes of each; only the first target unless ``apply`` is ``all``.

    A node without the input is no place: ComfyUI ignores inputs that a node's class does not have, and the value
    would be lost without a word.
    """
    found = [(target, nodes) for target in parameter.targets if (nodes := _places_of(graph, target))]
    return found if parameter.apply == "all" else found[:1]


def _places_of(graph: JsonObject, target: Target) -> list[str]:
    return [node_id for node_id in _nodes(graph, target) if target.input in _inputs(graph, node_id)]


def _for_input(target: Target, value: Scalar) -> Scalar:
    """What a target's input gets for a parameter's value."""
    value = target.values.get(scalar_text(value), value)
    if target.round_to is None or not isinstance(value, (int, float)):
        return value
    # Whole numbers all the way: a float has no room for the larger seeds.
    steps, rest = divmod(value, target.round_to)
    return int(steps + (2 * rest >= target.round_to)) * target.round_to


def check_targets(template: JsonObject, workflow: WorkflowYaml, *, where: str) -> None:
    """Every parameter has a place in the template, and a title means one node where only one place is wanted.

    A class names all its nodes on purpose. A title is what people tell two nodes apart by; ComfyUI gives every node of
    a class the same one, and both prompts of a workflow would get the value of one.

    Raises
    ------
    InvalidManifest
        One has none: the template was exported again with other ids, or the file belongs to another template. Or a
        title stands for several nodes.
    """
    for name, parameter in workflow.parameters.items():
        if not places(template, parameter):
            wanted = "; ".join(_describe(target) for target in parameter.targets)
            raise InvalidManifest(
                f"{where}: parameter {name} has no place in the template. Looked for: {wanted}.",
                reason="InvalidWorkflow",
            )
        for target, nodes in places(template, parameter):
            if parameter.apply == "first" and target.title is not None and len(nodes) > 1:
                raise InvalidManifest(
                    f"{where}: parameter {name} goes to {len(nodes)} nodes ({', '.join(nodes)}) that have the title "
                    f"{target.title!r}: give them titles of their own, name the node's id, or say apply: all.",
                    reason="InvalidWorkflow",
                )


def _nodes(graph: JsonObject, target: Target) -> list[str]:
    if target.node is not None:
        return [target.node] if target.node in graph else []
    if target.class_type is not None:
        return [key for key, node in graph.items() if _Node.read_object(node).class_type == target.class_type]
    return [key for key, node in graph.items() if _Node.read_object(node).meta.title == target.title]


def _inputs(graph: JsonObject, node_id: str) -> JsonObject:
    node = cast("JsonObject", graph[node_id])
    return cast("JsonObject", node["inputs"])


def _describe(target: Target) -> str:
    way = {"node": target.node, "class": target.class_type, "title": target.title}
    kind, value = next((kind, value) for kind, value in way.items() if value is not None)
    return f"{kind} {value!r} input {target.input!r}"
