"""Is this prompt runnable? ComfyUI's checks and its error bodies, from the node table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from genpool_dev.comfyui.profiles import Profile
from genpool_dev.comfyui.schema import Catalog, InputFiles
from genpool_dev.comfyui.validate_inputs import BrokenGraphError, InputChecks
from genpool_dev.comfyui.wire import Graph, Json, ServerTrouble, error_body


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checks found."""

    outputs: tuple[str, ...]
    """The output nodes that can run; empty with `error`."""
    error: Json | None
    node_errors: Json
    """What is wrong, by node id. May be non-empty beside runnable outputs."""


@dataclass(frozen=True, slots=True)
class World:
    """What validation must know beyond the prompt."""

    catalog: Catalog
    profile: Profile
    file_exists: Callable[[str], bool]
    """Whether the input folder has that file."""
    input_files: InputFiles


def _missing_class(node_id: str, node: Json, profile: Profile) -> Verdict:
    class_type = node.get("class_type")
    title = node.get("_meta", {}).get("title")
    details = f"Node ID '#{node_id}'"
    if not profile.names_missing_node:
        message = (
            "Cannot execute because a node is missing the class_type property."
            if "class_type" not in node
            else f"Cannot execute because node {class_type} does not exist."
        )
        return Verdict((), error_body("invalid_prompt", message, details), {})
    if "class_type" not in node:
        name = title or f"ID #{node_id}"
        message = (
            f"Node '{name}' has no class_type. The workflow may be corrupted or a custom node is missing."
        )
    else:
        title = title or class_type
        message = f"Node '{title}' not found. The custom node may not be installed."
    error = error_body(
        "missing_node_type",
        message,
        details,
        node_id=node_id,
        class_type=class_type,
        node_title=title,
    )
    return Verdict((), error, {})


def _as_graph(prompt: object) -> Graph:
    """Return the prompt as a graph; ServerTrouble where ComfyUI trips over its shape."""
    if not isinstance(prompt, dict):
        raise ServerTrouble("prompt is no object")
    for node in prompt.values():
        if not isinstance(node, dict) or not isinstance(node.get("_meta", {}), dict):
            raise ServerTrouble("a node of the prompt is no object (a workflow in UI format?)")
    return prompt


def _exception(error: BrokenGraphError) -> Json:
    return error_body(
        "exception_during_validation",
        "Exception when validating node",
        error.message,
        exception_type=error.exception_type,
        traceback=error.traceback(),
    )


def _note_errors(node_errors: Json, checks: InputChecks, graph: Graph, output: str) -> None:
    """Add what is known to be wrong so far, as errors on which this output depends.

    ComfyUI does not ask whether the output really depends on each of those nodes: with two bad
    outputs the second is listed under the first one's nodes too.
    """
    for node_id, (_, errors) in checks.results.items():
        if errors:
            entry = node_errors.setdefault(
                node_id,
                {
                    "errors": errors,
                    "dependent_outputs": [],
                    "class_type": graph[node_id]["class_type"],
                },
            )
            entry["dependent_outputs"].append(output)


def validate_prompt(prompt: object, world: World, targets: Collection[str] | None = None) -> Verdict:
    """Check a prompt; input values are converted in place (`"512"` becomes 512), as ComfyUI does.

    `targets` limits the output nodes that are looked at (`partial_execution_targets`).

    Raises
    ------
    ServerTrouble
        Where a real ComfyUI answers 500 because the prompt is no graph at all.
    """
    graph = _as_graph(prompt)
    for node_id, node in graph.items():
        if node.get("class_type") not in world.catalog:
            return _missing_class(node_id, node, world.profile)
    outputs = [
        node_id
        for node_id, node in graph.items()
        if world.catalog[node["class_type"]].output_node and (targets is None or node_id in targets)
    ]
    if not outputs:
        return Verdict((), error_body("prompt_no_outputs", "Prompt has no outputs"), {})

    checks = InputChecks(graph, world.catalog, world.file_exists, world.input_files)
    bad: dict[str, list[Json]] = {}
    node_errors: Json = {}
    for output in outputs:
        try:
            valid, reasons = checks.check(output)
        except BrokenGraphError as broken:
            valid, reasons = False, [_exception(broken)]
            checks.results[output] = (valid, reasons)
        if not valid:
            bad[output] = reasons
            _note_errors(node_errors, checks, graph, output)
    good = tuple(output for output in outputs if output not in bad)
    if good:
        return Verdict(good, None, node_errors)
    details = "\n".join(f"{e['message']}: {e['details']}" for each in bad.values() for e in each)
    error = error_body("prompt_outputs_failed_validation", "Prompt outputs failed validation", details)
    return Verdict((), error, node_errors)
