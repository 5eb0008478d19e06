"""What goes over the wire: the shapes of prompts and errors, and the error that is no JSON."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
"""An object as it came in or goes out."""

Graph = dict[str, Json]
"""A workflow in API format: node id to `{"class_type": …, "inputs": {…}}`."""


class ServerTrouble(Exception):  # noqa: N818  the name says what aiohttp answers
    """A request on which a real ComfyUI's handler raises: HTTP 500 with a text/plain body."""


def error_body(kind: str, message: str, details: str = "", **extra_info: object) -> Json:
    """One error as ComfyUI writes it: type, message, details, extra_info."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra_info}


def is_link(value: object) -> bool:
    """Whether an input's value points at another node's output."""
    return isinstance(value, list)


def standin_note() -> str:
    """Return the sentence that every place a person looks at shows."""
    return (
        "This is the GenPool ComfyUI stand-in: it answers as ComfyUI does and draws its pictures; "
        "no model runs here."
    )
