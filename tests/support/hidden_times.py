"""Finds waits that are written as numbers in Python code, in a syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_TIME = re.compile(
    r"(^|_)(seconds|timeout|grace|margin|expiry|every|lease|steps|tick|wait|delay|period)$", re.IGNORECASE
)
_BACKOFF = {"first", "cap"}
_WAITS = {"wait", "join", "sleep", "rest", "stop", "settimeout", "sigtimedwait", "wait_connected"}
#: Fields of Kubernetes' manifests.
_FIELD = re.compile(r"^[a-z][A-Za-z]*Seconds$")


def hidden_times(tree: ast.AST) -> Iterator[str]:
    """Names by which numbers that are waits are assigned, defaults, arguments, fields of manifests, or added to now."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
                yield from _assigned(target, value)
            case ast.arguments():
                yield from _defaults(node)
            case ast.Call():
                yield from _arguments(node)
            case ast.Dict(keys=keys, values=values):
                fields = [
                    (str(getattr(key, "value", "")), value) for key, value in zip(keys, values, strict=True)
                ]
                yield from (key for key, value in fields if _FIELD.match(key) and _is_number(value))
            case ast.BinOp(left=ast.Name(id="now"), right=right) if _is_number(right):
                yield "now"


def _assigned(target: ast.expr, value: ast.expr | None) -> Iterator[str]:
    name = _name(target)
    constant_timedelta = isinstance(value, ast.Call) and name.isupper()
    if _is_number(value) and (constant_timedelta or _TIME.search(name)):
        yield name


def _defaults(node: ast.arguments) -> Iterator[str]:
    positional = [*node.posonlyargs, *node.args]
    last = positional[len(positional) - len(node.defaults) :]
    pairs = [*zip(last, node.defaults, strict=True), *zip(node.kwonlyargs, node.kw_defaults, strict=True)]
    yield from (arg.arg for arg, value in pairs if _TIME.search(arg.arg) and _is_number(value))


def _arguments(node: ast.Call) -> Iterator[str]:
    for item in node.keywords:
        name = item.arg or ""
        if (_TIME.search(name) or name in _BACKOFF) and _is_number(item.value):
            yield name
    if _name(node.func) in _WAITS and any(_is_number(value) for value in node.args):
        yield _name(node.func)


def _name(node: ast.expr) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def _is_number(node: ast.expr | None) -> bool:
    """A number that is written out; a tuple, list, product or timedelta of such. Zero is no wait."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return not isinstance(value, bool) and value != 0
        case ast.Tuple(elts=[_, *_] as parts) | ast.List(elts=[_, *_] as parts):
            return all(_is_number(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return _is_number(left) and _is_number(right)
        case ast.Call() if _name(node.func) == "timedelta":
            return all(_is_number(part) for part in (*node.args, *(item.value for item in node.keywords)))
    return False
