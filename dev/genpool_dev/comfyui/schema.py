"""What a node class is: the one table that both validation and /object_info are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from genpool_dev.comfyui.wire import Json

ANY_TYPE = "*"
"""The type of an input that takes whatever a link carries."""

InputFiles = Callable[[], list[str]]
"""Lists the files of the input folder, for the drop-down of LoadImage."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a node class."""

    name: str
    type: str
    """INT, FLOAT, STRING, BOOLEAN, COMBO, or the type that a link must carry (MODEL, IMAGE …)."""
    default: object = None
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    """What a COMBO allows."""
    input_file: bool = False
    """A COMBO over the input folder, checked by the file's existence instead of the list."""
    required: bool = True
    options: Mapping[str, object] = field(default_factory=dict)
    """Further keys that /object_info shows."""

    def config(self, input_files: InputFiles) -> list[object]:
        """Return the `[type, options]` pair of /object_info and of error bodies."""
        options: Json = {}
        for key in ("default", "min", "max"):
            value = getattr(self, key)
            if value is not None:
                options[key] = value
        options.update(self.options)
        if self.type == "COMBO":
            return [input_files() if self.input_file else list(self.choices), options]
        return [self.type, options]


@dataclass(frozen=True, slots=True)
class NodeSchema:
    """One node class: what goes in, what comes out."""

    name: str
    category: str
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, str], ...] = ()
    """Type and name of each output slot."""
    output_node: bool = False
    display_name: str = ""
    description: str = ""
    python_module: str = "nodes"

    def input(self, name: str) -> Input | None:
        """Return the input of that name, None where the class has none."""
        return next((each for each in self.inputs if each.name == name), None)

    def object_info(self, input_files: InputFiles) -> Json:
        """Return the entry of /object_info for this class."""
        required = [each for each in self.inputs if each.required]
        optional = [each for each in self.inputs if not each.required]
        inputs: Json = {"required": {each.name: each.config(input_files) for each in required}}
        order: Json = {"required": [each.name for each in required]}
        if optional:
            inputs["optional"] = {each.name: each.config(input_files) for each in optional}
            order["optional"] = [each.name for each in optional]
        if self.output_node:
            inputs["hidden"] = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
            order["hidden"] = ["prompt", "extra_pnginfo"]
        return {
            "input": inputs,
            "input_order": order,
            "is_input_list": False,
            "output": [kind for kind, _ in self.outputs],
            "output_is_list": [False for _ in self.outputs],
            "output_name": [name for _, name in self.outputs],
            "name": self.name,
            "display_name": self.display_name or self.name,
            "description": self.description,
            "python_module": self.python_module,
            "category": self.category,
            "output_node": self.output_node,
        }


Catalog = Mapping[str, NodeSchema]
"""The node classes that a server has, by class name."""
