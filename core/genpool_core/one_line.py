"""Text of others, as it stands in a sentence of ours."""

from __future__ import annotations


def one_line(text: str, most: int) -> str:
    """A text without line breaks, cut to at most ``most`` characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
