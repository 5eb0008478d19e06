"""``/docs``: the OpenAPI document as one plain page, made here. It needs no script and nothing from the internet."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h2{margin-top:2.5rem;border-top:1px solid #d0d7de;padding-top:1rem}h2 code{font-size:1.1em}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}
pre{background:#f3f4f6;padding:.75rem;overflow:auto;font-size:.85rem}summary{cursor:pointer}a{color:#0b57d0}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}pre{background:#161b22}a{color:#79b8ff}}
"""
_METHODS = ("get", "post", "put", "patch", "delete")


def add_docs_page(app: FastAPI) -> None:
    """Serve the page."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()), headers={"Content-Security-Policy": _POLICY})


def docs_page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    operations = [
        (method, path, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    schemas = document["components"]["schemas"]
    contents = "".join(
        f'<li><a href="#{escape(op["operationId"])}"><code>{method.upper()} {escape(path)}</code></a> '
        f"{escape(op.get('summary', ''))}</li>"
        for method, path, op in operations
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])} API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>{_text(info.get('description', ''))}"
        '<p>The same for programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>'
        f"<ul>{contents}</ul>"
        f"{''.join(_operation(*operation) for operation in operations)}"
        f"<h2>Schemas</h2>{''.join(_schema(name, schema) for name, schema in sorted(schemas.items()))}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(_parameter(each) for each in operation.get("parameters", ()))
    parameters = f"<h3>Parameters</h3><table>{rows}</table>" if rows else ""
    body = operation.get("requestBody", {}).get("content", {})
    sent = f"<h3>Body</h3>{_contents(body)}" if body else ""
    answers = "".join(
        f"<tr><td><code>{escape(status)}</code></td><td>{escape(answer.get('description', ''))}</td>"
        f"<td>{_contents(answer.get('content', {}))}</td></tr>"
        for status, answer in sorted(operation["responses"].items())
    )
    return (
        f'<h2 id="{escape(operation["operationId"])}"><code>{method.upper()} {escape(path)}</code></h2>'
        f"{_text(operation.get('description', ''))}{parameters}{sent}<h3>Answers</h3><table>{answers}</table>"
    )


def _parameter(parameter: dict[str, Any]) -> str:
    need = "required" if parameter.get("required") else "optional"
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}, {need}</td>"
        f"<td>{escape(parameter.get('description', ''))}</td></tr>"
    )


def _contents(contents: dict[str, Any]) -> str:
    found = []
    for media_type, content in contents.items():
        name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
        shape = f' <a href="#schema-{escape(name)}">{escape(name)}</a>' if name else ""
        found.append(f"<div><code>{escape(media_type)}</code>{shape}</div>")
    return "".join(found)


def _schema(name: str, schema: dict[str, Any]) -> str:
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return (
        f'<details id="schema-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<pre>{text}</pre></details>"
    )


def _text(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n") if part.strip())
