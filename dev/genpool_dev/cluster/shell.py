"""Running other programs: one way, with what they said when they fail."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from genpool_dev.cluster.errors import ClusterError

LAST_LINES = 12

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_running: set[subprocess.Popen[Any]] = set()
_lock = threading.Lock()


@contextmanager
def _child(words: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:  # noqa: ANN401 - as Popen has them
    """Start a program that :func:`end_running` knows of; where the block fails, kill it and all that it started."""
    try:
        child = subprocess.Popen(words, **options)
    except FileNotFoundError as error:
        raise ClusterError(f"The program {words[0]} is missing on this machine.") from error
    except PermissionError as error:
        raise ClusterError(f"This user may not run {words[0]}.") from error
    with child:
        with _lock:
            _running.add(child)
        try:
            yield child
        except BaseException:
            if child.poll() is None:
                _kill_with_descendants(child.pid)
            raise
        finally:
            with _lock:
                _running.discard(child)


def _kill_with_descendants(pid: int) -> None:
    """Kill a program and what it started: kind's ``docker run`` else makes a container after all was taken away."""
    with contextlib.suppress(psutil.NoSuchProcess):
        child = psutil.Process(pid)
        # Stopped first, so that it starts nothing meanwhile.
        child.suspend()
        for each in [*child.children(recursive=True), child]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def end_running() -> None:
    """Ask every program to end that other threads run here; each of them then raises :class:`ClusterError`."""
    with _lock:
        for child in _running:
            child.terminate()


def run(
    command: Sequence[str | Path],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 600,
) -> str:
    """Run a command to its end and return its standard output.

    Raises :class:`ClusterError` with the last lines that it wrote where it fails, is missing or
    takes longer than ``timeout`` seconds.
    """
    words = [str(word) for word in command]
    shown = " ".join(words[:6])
    with _child(
        words,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=None if env is None else dict(env),
        cwd=cwd,
        text=True,
        errors="replace",
    ) as child:
        try:
            said, complained = child.communicate(stdin, timeout)
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"`{shown} …` did not end within {timeout:.0f} s.") from error
    if child.returncode != 0:
        last = "\n".join(f"{complained}{said}".strip().splitlines()[-LAST_LINES:])
        raise ClusterError(f"`{shown} …` failed with code {child.returncode}:\n{last}")
    return str(said)


def succeeds(command: Sequence[str | Path], timeout: float = 15) -> bool:
    """Tell whether a command is there and ends well within ``timeout`` seconds."""
    try:
        run(command, timeout=timeout)
    except ClusterError:
        return False
    return True


def run_logged(
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    what: str,
    anew: bool = False,
) -> None:
    """Run a long command with its output at the end of ``log``, emptied first where ``anew``.

    Fails with a sentence that names ``what``.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in command]
    with (
        log.open("wb" if anew else "ab") as output,
        _child(
            words,
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as child,
    ):
        code = child.wait()
    if code != 0:
        raise ClusterError(f"{what} failed (code {code}).", log=log)


def with_system_path(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment whose PATH also has the folders of system programs."""
    merged = dict(os.environ if env is None else env)
    merged["PATH"] = f"{merged['PATH']}:{SYSTEM_PATH}" if merged.get("PATH") else SYSTEM_PATH
    return merged
