"""Whether the programs of a local GenPool serve, and why one does not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import requests

from genpool_cli.errors import Away
from genpool_cli.local.folder import Folder, Run
from genpool_cli.local.program_file import read_programs
from genpool_cli.local.supervision import Program
from genpool_core import timing

_LOG_LINES = 12


def unready(program: Program) -> str | None:
    """Why a program does not serve yet, in its own words where it has some; None when it does."""
    if program.state_file:
        return _told(Path(program.state_file))
    if not program.ready:
        return None
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(program.ready, timeout=timing.CLI_RETRY_SECONDS)
    except requests.RequestException:
        return "does not answer"
    return None if answer.ok else answer.text.strip() or f"answers {answer.status_code}"


def states(folder: Folder) -> list[tuple[str, str | None]]:
    """Each program, and why it does not serve; None when it does."""
    return [(program.name, unready(program)) for program in read_programs(folder)]


def wait_ready(folder: Folder, programs: Sequence[Program], run: Run) -> None:
    """Wait until all programs serve. Raises Away, with the end of the log of one that does not."""
    deadline = time.monotonic() + timing.LOCAL_UP_SECONDS
    waiting = list(programs)
    while waiting:
        trouble = unready(waiting[0])
        if trouble is None:
            waiting.pop(0)
        elif time.monotonic() > deadline or not run.alive:
            log = folder.logs / f"{waiting[0].name}.log"
            raise Away(
                f"{waiting[0].name}: {trouble}. The end of {log}:\n{_tail(log)}",
                reason="NotReady",
            )
        else:
            time.sleep(timing.LOCAL_LOOK_SECONDS / 5)


def _told(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") or None
    except OSError:
        return "has not finished its first look"


def _tail(path: Path) -> str:
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:])
    except OSError:
        return "(no log)"
