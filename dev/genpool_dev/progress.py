"""Shows what a long command is doing: moving lines on a terminal, plain lines in a log.

One :class:`Steps` serves a whole command. Steps may run in several threads at once; each says when it
starts, and when it ends how long it took.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Step:
    """One step under way."""

    def __init__(self, task: TaskID) -> None:
        self.task = task
        self.ended_with = ""

    def result(self, text: str) -> None:
        """Show ``text`` in the line that says that the step is done."""
        self.ended_with = text


class Steps:
    """The steps of one command, shown on ``stream`` (standard error where none is given)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self._live = self._console.is_terminal
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._open = 0

    @property
    def console(self) -> Console:
        """Where lines go that belong between the steps."""
        return self._console

    @property
    def elapsed(self) -> float:
        """Seconds since the first step could begin."""
        return time.monotonic() - self._begun

    def say(self, text: str) -> None:
        """Print one line that stays."""
        with self._lock:
            self._console.print(text, markup=False)

    @contextmanager
    def step(self, title: str, hint: str = "") -> Iterator[Step]:
        """Run the block as one step; ``hint`` says what to expect ("about 4 min the first time")."""
        step = self._start(title, hint)
        begun = time.monotonic()
        try:
            yield step
        except BaseException:
            self._end(step, f"✗ {title}: failed after {seconds(time.monotonic() - begun)}", "red")
            raise
        extra = f" ({step.ended_with})" if step.ended_with else ""
        self._end(step, f"✓ {title}: {seconds(time.monotonic() - begun)}{extra}", "green")

    def _start(self, title: str, hint: str) -> Step:
        with self._lock:
            line = f"{title} ({hint})" if hint else title
            if not self._live:
                self._console.print(f"… {line}", markup=False)
                return Step(TaskID(0))
            self._open += 1
            if self._progress is None:
                columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
                self._progress = Progress(*columns, console=self._console, transient=True)
                self._progress.start()
            return Step(self._progress.add_task(line, total=None))

    def _end(self, step: Step, line: str, style: str) -> None:
        with self._lock:
            if self._progress is not None:
                self._progress.remove_task(step.task)
                self._open -= 1
                if self._open == 0:
                    self._progress.stop()
                    self._progress = None
            self._console.print(line, style=style, markup=False)


def seconds(span: float) -> str:
    """Write a span of seconds for a person: ``0.4 s``, ``12.3 s``, ``4 min 10 s``."""
    if span < 60:  # noqa: PLR2004 - a minute
        return f"{span:.1f} s"
    return f"{int(span // 60)} min {int(span % 60)} s"
