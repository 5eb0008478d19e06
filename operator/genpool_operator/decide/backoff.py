"""How long to wait after failures in a row."""

from __future__ import annotations

FIRST_SECONDS = 1.0
MOST_SECONDS = 60.0


def backoff_seconds(failures: int) -> float:
    """1, 2, 4 … 60 seconds."""
    return float(min(MOST_SECONDS, FIRST_SECONDS * 2 ** min(max(failures - 1, 0), 10)))
