"""From pydantic's JSON Schema to Kubernetes' structural schema.

A structural schema has no references, no ``anyOf`` with null and no titles; unknown fields are refused by the API
server's own strict decoding, not by ``additionalProperties: false``. Defaults of nested objects become ``{}``, so that
the defaults inside them apply: a default that is written out twice would differ one day. Where an object has rules its
default holds those of its fields: the API server tries the rules on the default as it is written.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_RULES = "x-kubernetes-validations"


def structural(schema: Schema, *, defaults: bool = True) -> Schema:
    """The structural form of a whole model. ``defaults``: keep default values (a status has none)."""
    return _node(schema, schema.get("$defs", {}), defaults=defaults)


def _node(node: Schema, definitions: dict[str, Schema], *, defaults: bool) -> Schema:
    merged = _resolve(node, definitions)
    out: Schema = {}
    for key in ("description", "type", "format", "pattern", "enum"):
        if key in merged:
            out[key] = merged[key]
    if "description" in out:
        out["description"] = " ".join(out["description"].replace("``", "`").split())
    if "const" in merged:
        out["enum"] = [merged["const"]]
    out.update({key: merged[key] for key in _BOUNDS if key in merged})
    out.update({key: value for key, value in merged.items() if key.startswith("x-kubernetes-")})
    if defaults and merged.get("default") is not None:
        out["default"] = {} if merged.get("type") == "object" else merged["default"]
    if out.get(_PRESERVE):
        # Any field is allowed in it; those that are named are checked.
        known = {key: merged[key] for key in ("properties",) if key in merged}
        _children(out, known, definitions, defaults=defaults)
        return out
    _children(out, merged, definitions, defaults=defaults)
    if out.get("default") == {} and _RULES in out:
        fields = out.get("properties", {})
        out["default"] = {name: field["default"] for name, field in fields.items() if "default" in field}
    return out


def _children(out: Schema, merged: Schema, definitions: dict[str, Schema], *, defaults: bool) -> None:
    if "properties" in merged:
        out["properties"] = {
            name: _node(value, definitions, defaults=defaults) for name, value in merged["properties"].items()
        }
        if merged.get("required"):
            out["required"] = sorted(merged["required"])
    elif isinstance(merged.get("additionalProperties"), dict):
        out["additionalProperties"] = _node(merged["additionalProperties"], definitions, defaults=defaults)
    if "items" in merged:
        out["items"] = _node(merged["items"], definitions, defaults=defaults)


_BOUNDS = (
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
)


def _resolve(node: Schema, definitions: dict[str, Schema]) -> Schema:
    """Follow a reference and drop the null of an optional value; what stands beside them wins, rules add up."""
    if "anyOf" in node:
        (real,) = (option for option in node["anyOf"] if option.get("type") != "null")
        node = _overlay(real, {key: value for key, value in node.items() if key != "anyOf"})
    if "$ref" not in node:
        return node
    target = definitions[node["$ref"].removeprefix("#/$defs/")]
    return _resolve(_overlay(target, {k: v for k, v in node.items() if k != "$ref"}), definitions)


def _overlay(base: Schema, top: Schema) -> Schema:
    both = [*base.get(_RULES, []), *top.get(_RULES, [])]
    return {**base, **top, **({_RULES: both} if both else {})}
