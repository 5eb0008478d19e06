"""The one error of the cluster's code: a sentence for the person at the terminal."""

from __future__ import annotations

from pathlib import Path


class ClusterError(Exception):
    """Something that keeps the cluster from doing what was asked; the message says what to do.

    ``log`` is the file that has more; its last lines are shown with the message.
    """

    def __init__(self, message: str, *, log: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.log = log


def tail(log: Path, lines: int = 15) -> str:
    """Return the last ``lines`` lines of a log file, or nothing where it cannot be read."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def explain(error: ClusterError) -> str:
    """Write an error as it is shown: the sentence, then the end of its log and where that is."""
    if error.log is None:
        return error.message
    last = tail(error.log)
    shown = f"\n--- the last lines of {error.log}\n{last}\n---" if last else ""
    return f"{error.message}\nMore in {error.log}{shown}"
