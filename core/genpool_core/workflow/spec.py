"""``workflow.yaml``: the parameters of a template and where each goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from genpool_core.errors import InvalidManifest
from genpool_core.jsontypes import JsonObject, JsonValue

Scalar = str | int | float | bool


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class Target(_Strict):
    """An input of a node, which is found by id, by class or by title: exactly one of them."""

    node: str | None = None
    """Id of the node, as in the exported file."""
    class_type: Annotated[str | None, Field(alias="class")] = None
    """Class of the node; every node of the class."""
    title: str | None = None
    """Title of the node, as shown in ComfyUI; every node of the title."""
    input: str
    """Name of the input."""
    values: dict[str, Scalar] = {}
    """What the input gets for a given value; a value that is not listed goes in as it is."""

    @model_validator(mode="after")
    def _one_way(self) -> Target:
        if sum(way is not None for way in (self.node, self.class_type, self.title)) != 1:
            raise ValueError("a target names exactly one of node, class and title")
        return self


class ParameterSchema(_Strict):
    """JSON Schema of a parameter, of the keywords listed here."""

    type: Literal["string", "integer", "number", "boolean"]
    """JSON type."""
    description: str | None = None
    """For people."""
    default: Scalar | None = None
    """Value when a task gives none."""
    enum: list[Scalar] | None = None
    """Allowed values."""
    minimum: float | int | None = None
    """Smallest number."""
    maximum: float | int | None = None
    """Largest number."""
    multiple_of: int | None = None
    """The number is a multiple of this."""
    min_length: int | None = None
    """Shortest text."""
    max_length: int | None = None
    """Longest text."""
    pattern: str | None = None
    """Regular expression that the text contains."""


class Parameter(_Strict):
    """One parameter."""

    model_config = ConfigDict(protected_namespaces=())

    value: Annotated[ParameterSchema, Field(alias="schema")]
    """JSON Schema of the value."""
    required: bool = False
    """A task without it is refused."""
    file: bool = False
    """The value is a URL: the file is fetched and uploaded to ComfyUI, the input gets its name there."""
    targets: Annotated[list[Target], Field(min_length=1)]
    """Where the value goes."""
    apply: Literal["first", "all"] = "first"
    """``first``: only the first target that the template has; ``all``: every one that it has."""


class Requirements(_Strict):
    """What the ComfyUI image or its model volume must hold."""

    models: list[str] = []
    """Model files, as ``folder/file``."""
    custom_nodes: list[str] = []
    """Node packs."""


class WorkflowYaml(_Strict):
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
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise InvalidManifest(f"{where}: {path}: {first['msg']}", reason="InvalidWorkflow") from None


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
