"""The OpenAPI document: what FastAPI makes of the routes, and what it does not know of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.routing import compile_path

from genpool_gateway.api.problem_view import ProblemView
from genpool_gateway.keys import cookie

_SECURITY: dict[str, dict[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookie.NAME,
        "description": "After POST /v1/session. Requests that change something need X-CSRF-Token too.",
    },
}
#: What FastAPI gives for invalid requests; ours are problems.
_UNUSED = ("HTTPValidationError", "ValidationError")


def link(operation: str, **parameters: str) -> dict[str, Any]:
    """A link of an answer to the operation that its fields are parameters of."""
    return {operation: {"operationId": operation, "parameters": parameters}}


def methods_of(document: dict[str, Any], path: str) -> list[str]:
    """The methods that a path has, as for the header ``Allow``."""
    paths = document["paths"]
    fitting = [path] if path in paths else [each for each in paths if compile_path(each)[0].match(path)]
    return sorted({method.upper() for each in fitting for method in paths[each]})


def describe(app: FastAPI) -> None:
    """Have an application give out the whole document, made once."""
    made = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(made())
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign] # FastAPI's way to change it


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the shape of problems and the ways to send a key."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _UNUSED:
        schemas.pop(name, None)
    schemas[ProblemView.__name__] = ProblemView.model_json_schema()
    components["securitySchemes"] = _SECURITY
    document["security"] = [{name: []} for name in _SECURITY]
    return document
