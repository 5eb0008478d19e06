"""Ending ComfyUI's process after a drain, so that the pod and its GPU are free at once.

As long as ComfyUI lives, the pod lives. One that ignores SIGTERM would hold its GPU for the whole grace, which covers
the longest task. The pod's containers share one process namespace and one user, so the worker may end it.
"""

from __future__ import annotations

import os
import time

import psutil
import structlog

from genpool_core import timing

_log = structlog.get_logger(__name__)


def end_listener(port: int) -> bool:
    """End the process that listens on a TCP port, and what it started. False: there is none that we may end."""
    found = _listener(port)
    if found is None:
        _log.info("comfyui_not_ended", message=f"no process of this user listens on port {port}")
        return False
    processes = [*_children(found), found]
    _signal(processes, kill=False)
    alive = _left_after(processes, timing.COMFYUI_TERM_SECONDS)
    _signal(alive, kill=True)
    alive = _left_after(alive, timing.COMFYUI_TERM_SECONDS)
    _log.info("comfyui_ended", pid=found.pid, left=len(alive))
    return not alive


def _left_after(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still run when the time is over. One that only waits for its parent to notice has ended."""
    deadline = time.monotonic() + seconds
    while (left := [item for item in processes if _runs(item)]) and time.monotonic() < deadline:
        time.sleep(timing.COMFYUI_GONE_SECONDS)
    return left


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _listener(port: int) -> psutil.Process | None:
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.Error:
        return None
    pids = {
        item.pid
        for item in connections
        if item.status == psutil.CONN_LISTEN and item.laddr and item.laddr.port == port and item.pid
    }
    pids.discard(os.getpid())
    try:
        return psutil.Process(min(pids)) if pids else None
    except psutil.Error:
        return None


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _signal(processes: list[psutil.Process], *, kill: bool) -> None:
    for process in processes:
        try:
            if kill:
                process.kill()
            else:
                process.terminate()
        except psutil.Error as error:
            _log.info("process_not_signalled", pid=process.pid, reason=type(error).__name__)
