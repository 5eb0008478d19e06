"""What a ComfyUI lacks for a graph, by its own description of its node classes. Pure.

Only what is certain counts. That a class is not there is. That a value is not in the list of an input is so for model
files of ComfyUI's own loaders: a node pack may check its inputs in another way (``VALIDATE_INPUTS``), which
``/object_info`` does not tell, and then ComfyUI itself has to be asked, by a prompt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, InstanceOf

from genpool_core.jsontypes import JsonObject
from genpool_core.loose import LooseModel
from genpool_core.one_line import one_line

#: What ComfyUI takes for model files (``folder_paths.supported_pt_extensions``), and two more that packs use.
_MODEL_FILES = (
    *(".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft"),
    *(".gguf", ".onnx"),
)
_OWN_MODULES = ("nodes", "comfy_extras.")
_SHOWN = 200

NODE_MISSING = "NodeMissing"
MODEL_MISSING = "ModelMissing"


class _Inputs(LooseModel):
    required: InstanceOf[JsonObject] = Field(default_factory=dict)
    optional: InstanceOf[JsonObject] = Field(default_factory=dict)


class NodeClass(LooseModel):
    """A node class as ``GET /object_info/{class}`` describes it."""

    input: Annotated[_Inputs, Field(default_factory=_Inputs)]
    output_node: bool = False
    python_module: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is one of ComfyUI's own, and no pack's."""
        return self.python_module.startswith(_OWN_MODULES)

    def choices(self, name: str) -> Sequence[object] | None:
        """What an input may be, where that is a list; None where it is not, or a file is uploaded to it."""
        spec = self.input.required.get(name, self.input.optional.get(name))
        if not isinstance(spec, list) or not spec:
            return None
        options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
        if any("upload" in key or key == "remote" for key in options):
            return None
        found = options.get("options") if spec[0] == "COMBO" else spec[0]
        return found if isinstance(found, list) else None


@dataclass(frozen=True)
class Lack:
    """A node's class, or the model file that one of its inputs names (``input`` and ``value``).

    ``others``: whether ComfyUI has other files for that input.
    """

    node: str
    class_type: str
    input: str | None = None
    value: str = ""
    others: bool = False

    @property
    def reason(self) -> str:
        """Constant in CamelCase."""
        return NODE_MISSING if self.input is None else MODEL_MISSING

    def is_at(self, places: Collection[tuple[str, str]]) -> bool:
        """Whether it is the file of one of these inputs, given as (node id, name)."""
        return self.input is not None and (self.node, self.input) in places

    def __str__(self) -> str:
        """What is missing, for the middle of a sentence."""
        if self.input is None:
            return f"the node class {_cut(self.class_type)} of node {_cut(self.node)}"
        where = f"{_cut(self.input)} of node {_cut(self.node)}, {_cut(self.class_type)}"
        return f"the model file {_cut(self.value)} ({where})"


def class_types(graph: JsonObject) -> frozenset[str]:
    """The node classes that a checked graph uses."""
    return frozenset(class_type for _, class_type, _ in _nodes(graph))


def find_lacks(graph: JsonObject, known: Mapping[str, NodeClass | None]) -> tuple[Lack, ...]:
    """What is missing for a checked graph, in the order of its nodes.

    ``known``: what ComfyUI says of each class; None: it has none of that name. A class that is not in it could not be
    asked for, and lacks nothing. ComfyUI looks at the inputs of those nodes only from which a result is made.
    """
    used = _used(graph, known)
    found: list[Lack] = []
    for node_id, class_type, inputs in _nodes(graph):
        if class_type not in known:
            continue
        node_class = known[class_type]
        if node_class is None:
            found.append(Lack(node_id, class_type))
        elif node_class.is_own and node_id in used:
            missing = _missing_files(inputs, node_class)
            found += [Lack(node_id, class_type, name, value, others) for name, value, others in missing]
    return tuple(found)


def _used(graph: JsonObject, known: Mapping[str, NodeClass | None]) -> Collection[str]:
    """The nodes that give results, and all before them."""
    results = (
        node_id
        for node_id, class_type, _ in _nodes(graph)
        if (node_class := known.get(class_type)) is not None and node_class.output_node
    )
    return upstream(graph, results)


def model_files(graph: JsonObject, node_id: str) -> dict[str, str]:
    """The inputs of a node that name a model file, with what they name; none for a node that is not in the graph."""
    return next((_model_files(inputs) for known, _, inputs in _nodes(graph) if known == node_id), {})


def _model_files(inputs: JsonObject) -> dict[str, str]:
    return {
        name: value
        for name, value in inputs.items()
        if isinstance(value, str) and value.lower().endswith(_MODEL_FILES)
    }


def _missing_files(inputs: JsonObject, node_class: NodeClass) -> Iterator[tuple[str, str, bool]]:
    for name, value in _model_files(inputs).items():
        choices = node_class.choices(name)
        if choices is not None and value not in choices:
            yield name, value, bool(choices)


def upstream(graph: JsonObject, node_ids: Iterable[str]) -> Collection[str]:
    """These nodes, and all from which links lead to them."""
    inputs_of = {node_id: inputs for node_id, _, inputs in _nodes(graph)}
    waiting, used = list(node_ids), set[str]()
    while waiting:
        node_id = waiting.pop()
        if node_id in used or node_id not in inputs_of:
            continue
        used.add(node_id)
        waiting += [str(link[0]) for link in inputs_of[node_id].values() if isinstance(link, list) and link]
    return used


def _nodes(graph: JsonObject) -> Iterator[tuple[str, str, JsonObject]]:
    for node_id, node in graph.items():
        if isinstance(node, dict):
            class_type, inputs = node.get("class_type"), node.get("inputs")
            if isinstance(class_type, str) and isinstance(inputs, dict):
                yield node_id, class_type, inputs


def _cut(text: str) -> str:
    return one_line(text, _SHOWN)
