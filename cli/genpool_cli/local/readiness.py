"""Whether the programs of a local GenPool serve, and why one does not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import requests

from genpool_cli.client.gateway import Gateway
from genpool_cli.errors import Away
from genpool_cli.local.folder import Folder, Run
from genpool_cli.local.program_file import read_programs
from genpool_cli.local.supervision import Program
from genpool_core import conditions, timing

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


def wait_told(gateway: Gateway, pool: str) -> None:
    """Wait until the API says that the pool is ready: nobody shall be told it serves, and then read that it does not.

    Raises
    ------
    Away
        It does not say so in time: its last sentence.
    Refused
        The gateway does not take the key.
    """
    deadline = time.monotonic() + timing.LOCAL_UP_SECONDS
    while trouble := _untold(gateway, pool):
        if time.monotonic() > deadline:
            raise Away(f"pool {pool}: {trouble}", reason="NotReady")
        time.sleep(timing.LOCAL_LOOK_SECONDS / 5)


def _untold(gateway: Gateway, pool: str) -> str:
    """Why the API does not say that a pool is ready; empty when it does."""
    try:
        found = gateway.get_now(f"/v1/pools/{pool}")
    except Away as error:
        return error.message
    if found["ready"]:
        return ""
    said = [each["message"] for each in found["conditions"] if each["type"] == conditions.READY]
    return said[0] if said else "its status is not known yet."


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
