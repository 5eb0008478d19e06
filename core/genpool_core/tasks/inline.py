"""Inputs that came inside a task and are too large for its message: the gateway puts them into the pool's bucket.

In the message a file is ``input:<SHA-256>`` then, and a graph ``{"$input": "<SHA-256>"}``. The object lies below the
task's own key, so a message can name no other task's; and it is named by what it holds, so equal tasks stay equal. Only
in messages whose owner the gateway has written do these names count.
"""

from __future__ import annotations

import re

from genpool_core.jsontypes import JsonObject

SCHEME = "input:"
_GRAPH = "$input"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def input_value(digest: str) -> str:
    """What a parameter says for a file. ``digest``: its SHA-256, hexadecimal."""
    return f"{SCHEME}{digest}"


def is_input(value: object) -> bool:
    """Whether a parameter means such a file, well written or not."""
    return isinstance(value, str) and value.startswith(SCHEME)


def digest_of(value: str) -> str | None:
    """SHA-256 of the file that a parameter means; None where the value is none."""
    digest = value.removeprefix(SCHEME)
    return digest if is_input(value) and _DIGEST.fullmatch(digest) else None


def graph_reference(digest: str) -> JsonObject:
    """What stands for a graph. ``digest``: SHA-256 of its canonical JSON, hexadecimal."""
    return {_GRAPH: digest}


def is_graph_reference(graph: JsonObject) -> bool:
    """Whether it stands for a graph, well written or not; no node of a graph is named so."""
    return _GRAPH in graph


def graph_digest(reference: JsonObject) -> str | None:
    """SHA-256 of the graph that it stands for; None where it stands for none."""
    digest = reference.get(_GRAPH)
    return digest if isinstance(digest, str) and len(reference) == 1 and _DIGEST.fullmatch(digest) else None
