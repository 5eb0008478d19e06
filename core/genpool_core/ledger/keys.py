"""Keys of a task's objects. Every key begins with the pool's prefix, which is empty or ends in a slash."""

from __future__ import annotations

import re

_END = re.compile(r"tasks/[^/]+/runs/\d+/end\.json$")
_ATTEMPT = re.compile(r"/attempts/(\d+)\.json$")


def tasks_prefix(prefix: str) -> str:
    """Everything of all tasks."""
    return f"{prefix}tasks/"


def is_end(key: str) -> bool:
    """Whether the end record of a run lies at ``key``."""
    return _END.search(key) is not None


def task_prefix(prefix: str, task_key: str) -> str:
    """Everything of one task."""
    return f"{tasks_prefix(prefix)}{task_key}/"


def inputs_prefix(prefix: str, task_key: str = "") -> str:
    """Inputs that came inside a task and were too large for its message; of all tasks where none is named.

    They lie apart from the rest of a task, so that those of tasks that came to nothing are found.
    """
    return f"{prefix}inputs/{task_key}/" if task_key else f"{prefix}inputs/"


def input_key(prefix: str, task_key: str, digest: str) -> str:
    """Such an input. ``digest``: SHA-256 of what it holds, hexadecimal."""
    return f"{inputs_prefix(prefix, task_key)}{digest}"


def run_prefix(prefix: str, task_key: str, run: int) -> str:
    """Everything of one run."""
    return f"{task_prefix(prefix, task_key)}runs/{run}/"


def claims_prefix(prefix: str, task_key: str, run: int) -> str:
    """The claims of one run."""
    return f"{run_prefix(prefix, task_key, run)}attempts/"


def claim_key(prefix: str, task_key: str, run: int, attempt: int) -> str:
    """The claim of one attempt."""
    return f"{claims_prefix(prefix, task_key, run)}{attempt}.json"


def end_key(prefix: str, task_key: str, run: int) -> str:
    """The end record of a run: the only index of its outputs."""
    return f"{run_prefix(prefix, task_key, run)}end.json"


def output_prefix(prefix: str, task_key: str, run: int, attempt: int, nonce: str) -> str:
    """Outputs of one claim. The nonce separates two workers that both believe to hold the attempt."""
    return f"{run_prefix(prefix, task_key, run)}a{attempt}-{nonce}/"


def probe_key(prefix: str, name: str) -> str:
    """Object on which a program tries what the store does, and what it lets the program do."""
    return f"{prefix}probes/{name}.json"


def attempt_of(key: str) -> int | None:
    """Number of the attempt whose claim lies at ``key``, or None for another object."""
    match = _ATTEMPT.search(key)
    return int(match.group(1)) if match else None
