"""Runs of several parts, each told with how it went: of ``make test-kind`` and ``make test-current``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from genpool_dev.cluster.errors import ClusterError, explain
from genpool_dev.progress import seconds

Part = TypeVar("Part")


def chosen(parts: Mapping[str, Part], names: Sequence[str], target: str) -> list[Part]:
    """The parts of these names, all where none is given. Raises ClusterError for a name that is no part's."""
    if unknown := sorted(set(names) - set(parts)):
        raise ClusterError(f"No parts of {target}: {', '.join(unknown)}. There are {', '.join(parts)}.")
    return [parts[name] for name in names or parts]


def faults(acts: Mapping[str, Callable[[], Iterable[str]]], target: str) -> list[str]:
    """Run parts, and say how each went. What was wrong with one: what it returns, or the error that it raises."""
    return [f"{part}: {fault}" for part, act in acts.items() for fault in _faults(act, target, part)]


def _faults(act: Callable[[], Iterable[str]], target: str, part: str) -> list[str]:
    begun = time.monotonic()
    try:
        found = list(act())
    except AssertionError as error:
        found = [str(error)]
    except ClusterError as error:
        found = [explain(error)]
    said = f"FAILED: {'; '.join(found)}" if found else "ok"
    print(f"{target}: {part}: {said}, in {seconds(time.monotonic() - begun)}", flush=True)
    return found


def ended(target: str, found: Sequence[str], otherwise: str, elapsed: float) -> int:
    """Say how all of them went; the exit code."""
    said = f"FAILED: {'; '.join(found)}" if found else f"ok, and {otherwise}"
    print(f"{target}: {said}, in {seconds(elapsed)}", flush=True)
    return 1 if found else 0
