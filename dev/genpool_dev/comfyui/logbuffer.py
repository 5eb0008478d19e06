"""What the server wrote last, as ComfyUI keeps it for its own pages: the last 300 writes, with its local time."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime

_CAPACITY = 300


class LogBuffer(logging.Handler):
    """Keeps each record as one write: a text with its line end."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: deque[dict[str, str]] = deque(maxlen=_CAPACITY)
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record. ComfyUI's times have no zone."""
        local = datetime.now().astimezone().replace(tzinfo=None)
        self.entries.append({"t": local.isoformat(), "m": f"{self.format(record)}\n"})

    @property
    def text(self) -> str:
        """All of it as one text."""
        return "".join(f"{entry['t']} - {entry['m']}" for entry in self.entries)
