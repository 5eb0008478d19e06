"""``workflow.yaml`` as it is written.

People write ids, titles, keys and texts without quotes, and YAML 1.1 makes a number of ``57:27``, a truth of ``on`` and
a date of ``2024-01-01``. Here plain scalars are what YAML 1.2's core schema says, and where a text is expected they are
the text that stands in the file: ``010`` is the id ``010``, and as a number 10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from genpool_core.jsontypes import JsonValue
from genpool_core.strict_json import BYTE_ORDER_MARK, JsonFault, refuse_unwritable
from genpool_core.workflow.spec import scalar_text

#: Aliases can make a small file endless.
_MAX_VALUES = 50_000
_TAG = "tag:yaml.org,2002:"
#: https://yaml.org/spec/1.2.2/#103-core-schema: what a plain scalar is, and with which characters it begins.
_CORE = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
)
_BASES = {"0o": 8, "0x": 16}
Reader = Callable[[Node], JsonValue]


class _CoreLoader(yaml.SafeLoader):
    """Knows no scalar of YAML 1.1."""


_CoreLoader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in _CORE:
    _CoreLoader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), _first)


def read_workflow_yaml(text: str) -> JsonValue:
    """The values of a ``workflow.yaml``; what is not of its shape is read all the same, for the model to refuse.

    Raises
    ------
    JsonFault
        It is no YAML, or holds what JSON cannot express.
    """
    try:
        node = yaml.compose(text.removeprefix(BYTE_ORDER_MARK), Loader=_CoreLoader)
        value = None if node is None else _Reading().file(node)
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise JsonFault(f"is not YAML: {problem}", "Correct it.") from None
    except RecursionError:
        raise JsonFault("is nested without an end", "Write it flatter.") from None
    refuse_unwritable(value)
    return value


class _Reading:
    """One reading of a file, from its nodes to its values."""

    def __init__(self) -> None:
        self._values = 0

    def file(self, node: Node) -> JsonValue:
        """The whole file."""
        texts = self._each(self._text)
        return self._object(
            node,
            {
                "description": self._text,
                "requires": lambda part: self._object(part, {}, texts),
                "parameters": lambda part: self._object(part, {}, self._parameter),
            },
        )

    def _parameter(self, node: Node) -> JsonValue:
        kind = _type_of(node)
        typed = self._text if kind == "string" else self._value
        schema: dict[str, Reader] = {
            **dict.fromkeys(("type", "description", "pattern", "default"), self._text),
            "enum": self._each(typed),
        }
        if kind != "string":
            schema["default"] = self._value

        def target(part: Node) -> JsonValue:
            ways = dict.fromkeys(("node", "class", "title", "input"), self._text)
            return self._object(part, {**ways, "values": lambda table: self._table(table, kind)})

        return self._object(
            node, {"schema": lambda part: self._object(part, schema), "targets": self._each(target)}
        )

    def _table(self, node: Node, kind: str) -> JsonValue:
        """``values`` of a target: its keys are values of the parameter, so that ``1e3`` is 1000 for a number."""
        if kind == "string":
            return self._object(node, {})
        return self._object(node, {}, key=lambda part: scalar_text(self._value(part)))

    def _object(
        self,
        node: Node,
        readers: Mapping[str, Reader],
        other: Reader | None = None,
        *,
        key: Callable[[Node], str] | None = None,
    ) -> JsonValue:
        """A mapping; ``readers`` by name, ``other`` for the rest. Anything else is read as what it is."""
        if not isinstance(node, MappingNode):
            return self._value(node)
        found: dict[str, JsonValue] = {}
        for name, part in self._pairs(node, key or _written):
            self._count(part)
            found[name] = readers.get(name, other or self._value)(part)
        return found

    def _pairs(self, node: MappingNode, key: Callable[[Node], str]) -> list[tuple[str, Node]]:
        """Keys as written, with what ``<<`` merges in before the mapping's own."""
        merged: list[tuple[str, Node]] = []
        own: list[tuple[str, Node]] = []
        for name, part in node.value:
            self._count(name)
            if name.tag == f"{_TAG}merge":
                others = part.value if isinstance(part, SequenceNode) else [part]
                for other in reversed(others):
                    merged += self._pairs(other, key) if isinstance(other, MappingNode) else []
                continue
            text = key(name)
            if text in dict(own):
                raise _fault(name, f"gives the name {text!r:.100} twice")
            own.append((text, part))
        return merged + own

    def _each(self, reader: Reader) -> Reader:
        def read(node: Node) -> JsonValue:
            if not isinstance(node, SequenceNode):
                return reader(node)
            for part in node.value:
                self._count(part)
            return [
                _written(part) if reader == self._text and _is_scalar(part) else reader(part)
                for part in node.value
            ]

        return read

    def _text(self, node: Node) -> JsonValue:
        """A scalar as written; null alone is none."""
        if _is_scalar(node) and node.tag != f"{_TAG}null":
            return _written(node)
        return self._value(node)

    def _value(self, node: Node) -> JsonValue:
        """Any node by the core schema."""
        if isinstance(node, MappingNode):
            return self._object(node, {})
        if isinstance(node, SequenceNode):
            return self._each(self._value)(node)
        return _scalar(node)

    def _count(self, node: Node) -> None:
        self._values += 1
        if self._values > _MAX_VALUES:
            raise _fault(node, f"holds more than {_MAX_VALUES:,} values")


def _type_of(node: Node) -> str:
    """``type`` of a parameter's schema; empty where there is none."""
    for name in ("schema", "type"):
        pairs = node.value if isinstance(node, MappingNode) else []
        found = [part for key, part in pairs if key.value == name]
        if not found:
            return ""
        node = found[0]
    return str(node.value)


def _scalar(node: Node) -> JsonValue:
    text = _written(node)
    kind = node.tag.removeprefix(_TAG)
    try:
        match kind:
            case "str" | "merge":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                base = _BASES.get(text[:2].lower(), 10)
                return int(text, base)
            case "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        raise _fault(node, f"has {text!r:.60} where it says !!{kind}") from None
    raise _fault(node, f"has the tag {node.tag!r:.60}, which is not known here")


def _written(node: Node) -> str:
    """A scalar's text. Two halves of a surrogate pair, as JSON escapes them, are one character."""
    if not isinstance(node, ScalarNode):
        raise _fault(node, "has a list or a mapping where a name must stand")
    text = str(node.value)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _is_scalar(node: Node) -> bool:
    return isinstance(node, ScalarNode)


def _fault(node: Node, what: str) -> JsonFault:
    return JsonFault(f"{what} (line {node.start_mark.line + 1})", "Correct it.")
