"""Faults on request: what a prompt or a person tells the stand-in to do wrong."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genpool_dev.comfyui.wire import Graph

TASK_FAULTS = frozenset({"block", "crash", "exit", "exit-after", "fail-node", "hang", "oom", "slow", "wedge"})
"""What can be asked for in a prompt's text, and by HTTP for the next task."""

CRASH_EXIT_CODE = 139
"""As after a segmentation fault in a driver."""

_TIMED = ("block", "slow")

_TOKEN = re.compile(r"\[standin:(?P<fault>[^\]]*)\]")
_FORM = re.compile(r"(?P<name>[a-z-]+)(?:=(?P<seconds>\d+(?:\.\d+)?))?(?P<once>:once)?")


class UnknownFaultError(ValueError):
    """Somebody asked for a fault that there is not."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to do wrong."""

    name: str
    seconds: float | None = None
    once: bool = False
    """Only the first time for each output folder, across restarts."""


def parse_fault(text: str) -> Fault:
    """Read what is written as `hang`, `slow=3` or `crash:once`.

    Raises
    ------
    UnknownFaultError
        Where it is none of them, or `block` or `slow` has no seconds.
    """
    found = _FORM.fullmatch(text.strip())
    name = found["name"] if found else text
    if found is None or name not in TASK_FAULTS or (name in _TIMED and not found["seconds"]):
        known = ", ".join(sorted(TASK_FAULTS - {*_TIMED}))
        raise UnknownFaultError(
            f"The stand-in knows no fault '{text}'. It knows {known}, block=SECONDS and "
            "slow=SECONDS, each also with :once at its end."
        )
    seconds = float(found["seconds"]) if found["seconds"] else None
    return Fault(name, seconds, once=found["once"] is not None)


def faults_in(graph: Graph) -> list[Fault]:
    """Return the faults that a prompt's texts ask for, as `[standin:hang:once]`, in order.

    Raises
    ------
    UnknownFaultError
        So that a misspelt test does not pass.
    """
    return [parse_fault(match["fault"]) for text in _texts(graph) for match in _TOKEN.finditer(text)]


def _texts(graph: Graph) -> Iterator[str]:
    for node in graph.values():
        yield from (value for value in node["inputs"].values() if isinstance(value, str))


class OnceMarkers:
    """Remembers across restarts which `:once` faults acted, in files beside and in the outputs.

    Two places, because either may not last: the folder above the outputs can be a part of the
    container, which is new after each restart; the outputs are swept by whoever fetches them.
    """

    def __init__(self, output_directory: Path) -> None:
        self._places = (output_directory.parent, output_directory)

    def first_time(self, fault: Fault) -> bool:
        """Say whether this fault has not acted yet, and note that it does now."""
        markers = [place / f".standin-once-{fault.name}" for place in self._places]
        if any(marker.exists() for marker in markers):
            return False
        for marker in markers:
            try:
                marker.touch()
            except OSError:
                continue  # a read-only parent is expected; one is enough
        return True


def crash() -> None:
    """End the process at once, with nothing tidied up."""
    os._exit(CRASH_EXIT_CODE)


def hang(seconds: float | None = None) -> None:
    """Stop answering: block the event loop, for good or for some seconds.

    An interrupt (SIGINT) changes nothing, as with a driver that holds the interpreter; SIGTERM ends
    the process by its default action, unless it is PID 1.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    while deadline is None or time.monotonic() < deadline:
        try:
            time.sleep(3600 if deadline is None else max(0.0, deadline - time.monotonic()))
        except KeyboardInterrupt:
            continue
