"""Programs of ours as processes of tests, each forked from one that has imported them already.

To import the gateway takes a second of processor time; 500 starts were a third of all that the tests cost. What runs is
the same: ``python -m MODULE`` in a process of its own, with its own environment, files and signals. How it starts from
nothing is shown by the tests of images and of the chart.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from support.program_server import MAX_REQUEST

_TESTS = Path(__file__).parents[1]
_servers: dict[tuple[str, ...], _Server] = {}
_lock = threading.Lock()


class Program:
    """A process, as :class:`subprocess.Popen` has it."""

    def __init__(self, arguments: Sequence[str], pid: int, pidfd: int, status: socket.socket) -> None:
        self.args = list(arguments)
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd = pidfd
        self._status = status

    def poll(self) -> int | None:
        """The exit status, or the signal that ended it as a negative number; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The same at its end; raises TimeoutExpired."""
        if self.returncode is None:
            readable, _, _ = select.select([self._status], [], [], timeout)
            if not readable:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._status.recv(16))
            self._status.close()
            os.close(self._pidfd)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """To a process that has ended: nothing."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def start(
    module: str,
    arguments: Sequence[str] = (),
    *,
    environment: Mapping[str, str],
    output: IO[bytes],
    folder: Path | None = None,
    options: Sequence[str] = (),
) -> Program:
    """Run ``python {options} -m module``; what it prints, and its errors, go to ``output``."""
    key = (*options, module)
    with _lock:
        if key not in _servers:
            _servers[key] = _Server(module, options)
        return _servers[key].start(arguments, environment, output, folder or Path.cwd())


class _Server:
    def __init__(self, module: str, options: Sequence[str]) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, *options, "-m", "support.program_server", module], stdin=theirs, cwd=_TESTS
            )
        atexit.register(self._end)

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], output: IO[bytes], folder: Path
    ) -> Program:
        request = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder)}
        data = json.dumps(request).encode()
        assert len(data) < MAX_REQUEST
        status, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [data], [output.fileno(), output.fileno(), theirs.fileno()])
        said, files, _, _ = socket.recv_fds(self._control, 64, 1)
        assert said, "the process that programs are forked from has ended: see above"
        return Program(arguments, int(said), files[0], status)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()
