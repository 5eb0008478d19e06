"""What was done for which file, in a file: so that a run that broke off is gone on with.

One JSON object a line, appended and flushed; later lines about a file win. A line that was cut by a crash is left out.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from genpool_cli.errors import CliError


@dataclass(frozen=True)
class Entry:
    """How far one file is. ``key``: of the file's contents and of what is wanted with it."""

    key: str
    file: str
    upload: str = ""
    task: str = ""
    status: str = ""
    saved: tuple[str, ...] = ()


class Journal:
    """See the module. Used by several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            text = f"{path} cannot be written ({error.strerror}): it says what was sent already."
            raise CliError(text, reason="Unwritable") from error
        self._entries = {entry.key: entry for line in lines if (entry := _entry(line)) is not None}
        if lines:
            # What follows a line that was cut is a line of its own.
            self._file.write("\n")

    def close(self) -> None:
        """No more is written."""
        self._file.close()

    def of(self, key: str) -> Entry | None:
        """How far a file is."""
        with self._lock:
            return self._entries.get(key)

    def write(self, entry: Entry) -> Entry:
        """Remember it; it is in the system's hands when this returns."""
        with self._lock:
            self._entries[entry.key] = entry
            self._file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        return entry


def _entry(line: str) -> Entry | None:
    try:
        found = json.loads(line)
        return Entry(**{**found, "saved": tuple(found["saved"])})
    except (ValueError, TypeError, KeyError):
        return None
