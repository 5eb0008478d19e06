"""The servers as processes of their own: started, known by pid and start time, ended by pid.

A pid alone may be another program's by now; with the start time it is ours or it is gone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import requests
from pydantic import BaseModel

from genpool_dev.cluster import background
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.waiting import wait_for

START_SECONDS = 30
END_SECONDS = 5


class ServerProcess(BaseModel):
    """A server that runs, or ran. It is plain data, so that another run can end it."""

    name: str
    pid: int
    started: float
    """Its start time, seconds since the epoch, as the system has it."""
    url: str
    port: int
    log: Path

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return _find(self.pid, self.started) is not None


class _Ready(BaseModel):
    url: str
    port: int
    pid: int


def start(name: str, module: str, bind: str, folder: Path, extra: Sequence[str] = ()) -> ServerProcess:
    """Start ``module`` on ``bind`` and return when it answers. Its log and ready file go to ``folder``.

    Raises
    ------
    StackError
        It ended at once, or did not answer within 30 s; the message has the end of its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ready_file, log = folder / f"{name}.ready.json", folder / f"{name}.log"
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", module, "--bind", bind, "--ready-file", str(ready_file), *extra]
    pid = background.start(command, log)
    began = psutil.Process(pid).create_time()
    try:
        told = _wait_until_ready(name, pid, began, ready_file, log)
    except BaseException:
        _end(pid, began)
        raise
    return ServerProcess(name=name, pid=pid, started=began, url=told.url, port=told.port, log=log)


def _wait_until_ready(name: str, pid: int, began: float, ready_file: Path, log: Path) -> _Ready:
    def told() -> _Ready | None:
        if _find(pid, began) is None:
            raise StackError(
                f"The {name} server ended as it began:\n{log.read_text(errors='replace')[-2000:]}"
            )
        if not ready_file.exists():
            return None
        ready = _Ready.model_validate_json(ready_file.read_text())
        return ready if answers(ready.url) else None

    return wait_for(told, f"the {name} server to answer (log: {log})", seconds=START_SECONDS, pause=0.05)


def answers(url: str) -> bool:
    """Whether the server at ``url`` says that it is well."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(f"{url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False


def stop(server: ServerProcess) -> None:
    """End a server by its pid; nothing happens where it has gone."""
    _end(server.pid, server.started)


def _end(pid: int, started: float) -> None:
    process = _find(pid, started)
    if process is None:
        return
    try:
        process.terminate()
        process.wait(END_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(END_SECONDS)
    except psutil.NoSuchProcess:
        return


def _find(pid: int, started: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        ours = abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if ours else None
