"""``workflow.yaml``: the parameters of a template and where each goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject, JsonValue
from genpool_core.validation import first_fault
from genpool_core.workflow.schema import ParameterSchema, Scalar, Strict


def scalar_text(value: object) -> str:
    """How a value is written as a key of ``values``: ``true``, ``20`` (also for 20.0), or the text itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


class Target(Strict):
    """An input of a node, which is found by id, by class or by title: exactly one of them."""

    node: Annotated[str | None, Field(coerce_numbers_to_str=True)] = None
    """Id of the node, as in the exported file."""
    class_type: Annotated[str | None, Field(alias="class")] = None
    """Class of the node; every node of the class."""
    title: str | None = None
    """Title of the node, as shown in ComfyUI; with ``apply: all`` every node of the title."""
    input: str
    """Name of the input."""
    values: dict[str, Scalar] = {}
    """What the input gets for a given value; a value that is not listed goes in as it is."""
    round_to: Annotated[int, Field(ge=1)] | None = None
    """The input gets the nearest multiple of this: for nodes that work in steps where tasks give any number."""

    @field_validator("values", mode="before")
    @classmethod
    def _keys_as_text(cls, raw: object) -> object:
        """YAML reads a key like ``true`` or ``20`` as no text."""
        return {scalar_text(key): value for key, value in raw.items()} if isinstance(raw, dict) else raw

    @model_validator(mode="after")
    def _one_way(self) -> Target:
        if sum(way is not None for way in (self.node, self.class_type, self.title)) != 1:
            raise ValueError("a target names exactly one of node, class and title")
        return self


class Parameter(Strict):
    """One parameter."""

    model_config = ConfigDict(protected_namespaces=())

    value: Annotated[ParameterSchema, Field(alias="schema")]
    """JSON Schema of the value."""
    required: bool = False
    """A task without it is refused."""
    file: bool = False
    """The value is a URL or a data URI: the file is uploaded to ComfyUI, and the input gets its name there."""
    targets: Annotated[list[Target], Field(min_length=1)]
    """Where the value goes."""
    apply: Literal["first", "all"] = "first"
    """``first``: only the first target that the template has; ``all``: every one that it has."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Parameter:
        if self.file and self.value.type != "string":
            raise ValueError("a file is given as a URL: its schema has the type string")
        if self.value.type not in {"integer", "number"} and any(target.round_to for target in self.targets):
            raise ValueError("roundTo is for a parameter of the type integer or number")
        return self


class Requirements(Strict):
    """What the ComfyUI image or its model volume must hold."""

    models: list[str] = []
    """Model files, as ``folder/file``."""
    custom_nodes: list[str] = []
    """Node packs."""


class WorkflowYaml(Strict):
    """The file ``workflow.yaml``."""

    description: str
    """One line for people."""
    requires: Requirements = Requirements()
    """Models and custom nodes."""
    parameters: dict[str, Parameter]
    """Parameters by name, as tasks give them."""


def parse_workflow_yaml(data: JsonValue, *, where: str) -> WorkflowYaml:
    """Read the parsed YAML.

    Raises
    ------
    InvalidManifest
        The first fault, with its path; ``where`` says of which file.
    """
    try:
        return WorkflowYaml.model_validate(data)
    except ValidationError as error:
        raise InvalidManifest(f"{where}: {first_fault(error)}", reason="InvalidWorkflow") from None


def check_template(data: JsonValue, *, where: str) -> JsonObject:
    """A template in ComfyUI's API format: node ids to ``{class_type, inputs}``.

    Raises
    ------
    InvalidManifest
        It is something else, most often a workflow saved in the UI's own format.
    """
    if not isinstance(data, dict) or not data:
        raise InvalidManifest(
            f"{where}: not a ComfyUI workflow: a JSON object of nodes is expected.",
            reason="InvalidWorkflow",
        )
    if isinstance(data.get("nodes"), list):
        raise InvalidManifest(
            f"{where}: this is the format of ComfyUI's editor. Export it with Export (API) and use that.",
            reason="InvalidWorkflow",
        )
    for node_id, node in data.items():
        if (
            not isinstance(node, dict)
            or not isinstance(node.get("class_type"), str)
            or not isinstance(node.get("inputs"), dict)
        ):
            raise InvalidManifest(
                f"{where}: node {node_id!r} has no class_type and inputs: export it again with Export (API).",
                reason="InvalidWorkflow",
            )
    return data
