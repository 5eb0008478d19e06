"""From what a task gives to the values of a workflow's parameters: names, types, bounds, defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genpool_core.data_uri import is_data_uri
from genpool_core.errors import InvalidTask
from genpool_core.jsontypes import JsonObject
from genpool_core.one_line import one_line
from genpool_core.shown import shown
from genpool_core.tasks.inline import is_input
from genpool_core.workflow.schema import Scalar, check_value
from genpool_core.workflow.spec import Parameter, WorkflowYaml

#: Seed of a task that gives none, as the workers do whose tasks must go on working.
DEFAULT_SEED = 42
_NAME_MOST = 128


@dataclass(frozen=True)
class Bound:
    """Values of all parameters that have one; ``files`` names those whose value is a file: its URL, or itself."""

    values: Mapping[str, Scalar]
    files: tuple[str, ...]

    @property
    def seed(self) -> int | None:
        """The seed in force, of a workflow that has one."""
        seed = self.values.get("seed")
        return seed if isinstance(seed, int) else None


def bind(workflow: WorkflowYaml, given: JsonObject, explicit: frozenset[str]) -> Bound:
    """Check a task's values against the workflow's parameters.

    ``given`` holds candidates by name; a name among ``explicit`` must be a parameter of the workflow, others are left
    alone. None stands for "not given".

    Raises
    ------
    InvalidTask
        A name that the workflow does not have, a missing value, or a value out of its bounds.
    """
    unknown = sorted(explicit - workflow.parameters.keys())
    if unknown:
        known = ", ".join(sorted(workflow.parameters))
        raise InvalidTask(
            f"parameter {unknown[0]!r} is unknown to this workflow. It has: {known}.",
            parameter=one_line(unknown[0], _NAME_MOST),
            expected={"propertyNames": {"enum": [*sorted(workflow.parameters)]}},
            sent=shown(given.get(unknown[0])),
        )
    values: dict[str, Scalar] = {}
    for name, parameter in workflow.parameters.items():
        raw = given.get(name)
        if raw is None:
            raw = _default(name, parameter)
        if raw is None:
            if parameter.required:
                sentence = f"{name} is missing: this workflow needs it."
                raise InvalidTask(sentence, parameter=name, expected=parameter.value.json_schema)
            continue
        # The schema of a file is about its URL.
        if parameter.file and isinstance(raw, str) and (is_data_uri(raw) or is_input(raw)):
            values[name] = raw
        else:
            values[name] = check_value(name, raw, parameter.value)
    files = tuple(
        name for name, parameter in workflow.parameters.items() if parameter.file and name in values
    )
    return Bound(values, files)


def defaults(workflow: WorkflowYaml) -> Bound:
    """What a task that gives nothing gets; no value where a task must give one."""
    values = {name: _default(name, parameter) for name, parameter in workflow.parameters.items()}
    return Bound({name: value for name, value in values.items() if value is not None}, ())


def _default(name: str, parameter: Parameter) -> Scalar | None:
    value = parameter.value.default
    return DEFAULT_SEED if value is None and name == "seed" else value
