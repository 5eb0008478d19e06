"""The digest of ComfyUI's image, as the operator tells it in an annotation that is mounted as a file."""

from __future__ import annotations

from pathlib import Path

_MOST_BYTES = 1000


def read_digest(path: Path) -> str | None:
    """What the file holds now; None where there is none yet, or no such volume."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return None
