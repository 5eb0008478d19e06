"""Numbers in sentences for people."""

from __future__ import annotations


def plural(number: int, one: str, many: str) -> str:
    """``1 pod is ready``, ``2 pods are ready``: the number, and the words that fit it."""
    return f"{number} {one if number == 1 else many}"
