"""The file that asks for a restart of ComfyUI's container, on a volume that ComfyUI can only read."""

from __future__ import annotations

from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)
_READABLE = 0o644


class RestartMarkFile:
    """Implements ``ports.RestartMark``. The file holds a prompt id; the container's user may differ from ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str | None:
        """The marked prompt."""
        try:
            return self._path.read_text(encoding="ascii").strip() or None
        except (OSError, ValueError):
            return None

    def write(self, prompt_id: str) -> None:
        """Mark a prompt, at once as a whole."""
        new = self._path.with_suffix(".new")
        try:
            new.write_text(prompt_id, encoding="ascii")
            new.chmod(_READABLE)
            new.replace(self._path)
        except OSError as error:
            _log.error(
                "restart_not_asked_for",
                message=f"{self._path} cannot be written ({error.strerror}): nothing restarts ComfyUI, which is "
                "wedged. Mount a volume there in both containers, or restart ComfyUI by hand.",
            )

    def clear(self) -> None:
        """Take the mark away. One that stays counts for no later life of ComfyUI."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.info("restart_mark_stays", message=f"{self._path}: {error.strerror}")
