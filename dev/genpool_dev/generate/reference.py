"""The field reference of the GenerationPool, from the same schema as the CRD."""

from __future__ import annotations

import json
from collections.abc import Iterator

from genpool_dev.generate.crd import spec_schema, status_schema
from genpool_dev.generate.structural import Schema

_HEAD = """<!-- Generated from core/genpool_core/api by `make generate`. Do not edit. -->

# GenerationPool, field by field

`genpool.dev/v1alpha1`, short name `gp`. A field with a default may be left out. `kubectl explain gp.spec` shows the
same text in a terminal.
"""


def page() -> str:
    """The page in Markdown: a table of ``spec``, its rules, a table of ``status``."""
    spec, status = spec_schema(), status_schema()
    parts = [_HEAD, "## spec\n", _table("spec", spec), "\n## Rules\n", _rules("spec", spec)]
    parts += ["\n## status\n", _table("status", status)]
    return "\n".join(parts).rstrip() + "\n"


def _table(path: str, schema: Schema) -> str:
    rows = ["| field | type | default | meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{name}` | {_type(node)} | {_default(node, required=required)} | {node.get('description', '')} |"
        for name, node, required in _fields(path, schema)
    ]
    return "\n".join(rows)


def _rules(path: str, schema: Schema) -> str:
    lines = [
        f"- `{name}`: {rule['message']}"
        for name, node, _ in [(path, schema, True), *_fields(path, schema)]
        for rule in node.get("x-kubernetes-validations", [])
    ]
    return "\n".join(lines)


def _fields(path: str, schema: Schema) -> Iterator[tuple[str, Schema, bool]]:
    required = set(schema.get("required", []))
    for name, node in schema.get("properties", {}).items():
        child = f"{path}.{name}"
        yield child, node, name in required
        yield from _fields(child, node)
        if "items" in node:
            yield from _fields(f"{child}[]", node["items"])


def _type(node: Schema) -> str:
    if "enum" in node:
        return " or ".join(f"`{value}`" for value in node["enum"])
    kind = str(node.get("type", "any"))
    if kind == "array":
        kind = f"list of {_type(node['items'])}"
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None:
        return f"{kind} {low}–{high}"  # noqa: RUF001 - a range is set with an en dash
    return kind


def _default(node: Schema, *, required: bool) -> str:
    if required:
        return "required"
    value = node.get("default")
    return f"`{json.dumps(value, ensure_ascii=False)}`" if value not in (None, {}, []) else ""
