"""The checks of one node's inputs, and of what they are linked to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genpool_dev.comfyui.schema import ANY_TYPE, Catalog, Input, InputFiles
from genpool_dev.comfyui.wire import Graph, Json, ServerTrouble, error_body, is_link

_CONVERT: dict[str, Callable[[Any], object]] = {
    "INT": int,
    "FLOAT": float,
    "STRING": str,
    "BOOLEAN": bool,
}
_LONG_LIST = 20
Result = tuple[bool, list[Json]]


class BrokenGraphError(Exception):
    """The prompt points at something that is not there; ComfyUI trips over it while it checks."""

    def __init__(self, exception_type: str, message: str) -> None:
        super().__init__(message)
        self.exception_type = exception_type
        self.message = message

    def traceback(self) -> list[str]:
        """Return what ComfyUI lets out here: lines with paths of the server."""
        reason = f"    {self.exception_type}: {self.message}\n"
        return [
            '  File "/opt/ComfyUI/execution.py", line 1120, in validate_prompt\n    ...\n',
            f'  File "/opt/ComfyUI/execution.py", line 871, in validate_inputs\n{reason}',
        ]


class InputChecks:
    """Checks nodes from an output upwards; remembers each node's result."""

    def __init__(
        self,
        graph: Graph,
        catalog: Catalog,
        file_exists: Callable[[str], bool],
        input_files: InputFiles,
    ) -> None:
        self._graph = graph
        self._catalog = catalog
        self._file_exists = file_exists
        self._input_files = input_files
        self._visiting: list[str] = []
        self.results: dict[str, Result] = {}
        """Validity and own errors by node id. A node that only depends on a bad one has none."""

    def check(self, node_id: str) -> Result:
        """Check one node and all it depends on.

        Raises
        ------
        BrokenGraphError
            Where a link points at no node or slot.
        """
        if node_id in self.results:
            return self.results[node_id]
        if node_id in self._visiting:
            return self._cycle(node_id)
        node = self._graph[node_id]
        inputs = node.get("inputs")
        if not isinstance(inputs, dict):
            raise BrokenGraphError("KeyError", "'inputs'")
        errors: list[Json] = []
        valid = True
        for spec in self._catalog[node["class_type"]].inputs:
            if spec.name not in inputs:
                if spec.required:
                    errors.append(self._missing(spec))
            elif is_link(inputs[spec.name]):
                sound, error = self._link(node_id, spec, inputs[spec.name])
                valid = valid and sound
                errors += [error] if error else []
            else:
                error = self._value(spec, inputs)
                errors += [error] if error else []
        known_valid, known = self.results.get(node_id, (True, []))
        merged = known + [error for error in errors if error not in known]
        self.results[node_id] = (known_valid and valid and not errors, merged)
        return self.results[node_id]

    @staticmethod
    def _missing(spec: Input) -> Json:
        return error_body(
            "required_input_missing",
            "Required input is missing",
            spec.name,
            input_name=spec.name,
        )

    def _cycle(self, node_id: str) -> Result:
        path = [*self._visiting[self._visiting.index(node_id) :], node_id]
        members = list(dict.fromkeys(path))
        details = " -> ".join(f"{each} ({self._graph[each]['class_type']})" for each in path)
        for each in members:
            error = error_body(
                "dependency_cycle",
                "Dependency cycle detected",
                details,
                node_id=each,
                cycle_nodes=members,
            )
            self.results[each] = (False, [error])
        return self.results[node_id]

    def _link(self, node_id: str, spec: Input, link: list[Any]) -> tuple[bool, Json | None]:
        """Check a link and its source; return whether the source is sound, and an own error."""
        config = spec.config(self._input_files)
        if len(link) != 2:  # noqa: PLR2004  a link is [node id, slot]
            return True, error_body(
                "bad_linked_input",
                "Bad linked input, must be a length-2 list of [node_id, slot_index]",
                spec.name,
                input_name=spec.name,
                input_config=config,
                received_value=link,
            )
        received = self._received_type(link)
        if received != spec.type and ANY_TYPE not in {received, spec.type}:
            return True, error_body(
                "return_type_mismatch",
                "Return type mismatch between linked nodes",
                f"{spec.name}, received_type({received}) mismatch input_type({spec.type})",
                input_name=spec.name,
                input_config=config,
                received_type=received,
                linked_node=link,
            )
        self._visiting.append(node_id)
        try:
            return self.check(link[0])[0], None
        except BrokenGraphError as error:
            self.results[link[0]] = (False, [self._inner(spec, config, link, error)])
            return False, None
        finally:
            self._visiting.pop()

    def _received_type(self, link: list[Any]) -> str:
        source, slot = link
        if not isinstance(source, str) or source not in self._graph:
            raise BrokenGraphError("KeyError", repr(source))
        outputs = self._catalog[self._graph[source]["class_type"]].outputs
        if not isinstance(slot, int):
            raise BrokenGraphError(
                "TypeError", f"tuple indices must be integers or slices, not {type(slot).__name__}"
            )
        if not -len(outputs) <= slot < len(outputs):
            raise BrokenGraphError("IndexError", "tuple index out of range")
        return outputs[slot][0]

    @staticmethod
    def _inner(spec: Input, config: list[object], link: list[Any], error: BrokenGraphError) -> Json:
        return error_body(
            "exception_during_inner_validation",
            "Exception when validating inner node",
            error.message,
            input_name=spec.name,
            input_config=config,
            exception_message=error.message,
            exception_type=error.exception_type,
            traceback=error.traceback(),
            linked_node=link,
        )

    def _value(self, spec: Input, inputs: Json) -> Json | None:
        """Check and convert one plain value; None where it is good."""
        value = inputs[spec.name]
        if isinstance(value, dict) and "__value__" in value:
            inputs[spec.name] = value = value["__value__"]
        if spec.input_file:
            return self._file(spec, value)
        convert = _CONVERT.get(spec.type)
        if convert is not None:
            try:
                inputs[spec.name] = value = convert(value)
            except (TypeError, ValueError, OverflowError) as error:
                return self._bad_value(
                    spec,
                    value,
                    "invalid_input_type",
                    f"Failed to convert an input value to a {spec.type} value",
                    f"{spec.name}, {value}, {error}",
                    exception_message=str(error),
                )
        if spec.min is not None and value < spec.min:
            message = f"Value {value} smaller than min of {spec.min}"
            return self._bad_value(spec, value, "value_smaller_than_min", message, spec.name)
        if spec.max is not None and value > spec.max:
            message = f"Value {value} bigger than max of {spec.max}"
            return self._bad_value(spec, value, "value_bigger_than_max", message, spec.name)
        if spec.type == "COMBO" and value not in spec.choices:
            return self._not_in_list(spec, value)
        return None

    def _not_in_list(self, spec: Input, value: object) -> Json:
        shown = str(list(spec.choices))
        error = self._bad_value(
            spec, value, "value_not_in_list", "Value not in list", f"{spec.name}: {value!r} not in "
        )
        if len(spec.choices) > _LONG_LIST:
            shown = f"(list of length {len(spec.choices)})"
            error["extra_info"]["input_config"] = None
        error["details"] += shown
        return error

    def _file(self, spec: Input, value: object) -> Json | None:
        if not isinstance(value, str):
            raise ServerTrouble("the name of an input file is no text")
        if value and self._file_exists(value):
            return None
        return error_body(
            "custom_validation_failed",
            "Custom validation failed for node",
            f"{spec.name} - Invalid image file: {value}",
            input_name=spec.name,
        )

    def _bad_value(
        self,
        spec: Input,
        value: object,
        kind: str,
        message: str,
        details: str,
        **more: object,
    ) -> Json:
        return error_body(
            kind,
            message,
            details,
            input_name=spec.name,
            input_config=spec.config(self._input_files),
            received_value=value,
            **more,
        )
