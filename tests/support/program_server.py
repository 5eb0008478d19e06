"""What programs of tests are forked from: ``python -m support.program_server MODULE``, with a socket as its stdin.

It has imported the program. Each request brings the files of the new process, and one more socket: on it goes, after
the process has ended, its exit status. Decides nothing else; who asks is :mod:`support.programs`.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

MAX_REQUEST = 1 << 20
#: Of a request: standard output, standard error, the socket for the exit status.
FILES = 3


@dataclass(frozen=True)
class Child:
    """A process that has been started."""

    pid: int
    pidfd: int
    status: socket.socket

    def close(self) -> None:
        """Let go of it."""
        os.close(self.pidfd)
        self.status.close()


def main(module: str) -> None:
    """Serve until nobody asks any more. Returns in each new process, which is to run the module then."""
    _import(module)
    # What is imported stays: a collector that looks at it in each new process would also copy all of its memory.
    gc.collect()
    gc.freeze()
    children: dict[int, Child] = {}
    with socket.socket(fileno=os.dup(0)) as control, selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in children:
                    selector.unregister(key.fd)
                    _tell_end(children.pop(key.fd))
                elif (child := _next(control)) is not None:
                    children[child.pidfd] = child
                    selector.register(child.pidfd, selectors.EVENT_READ)
                else:
                    for other in children.values():
                        other.close()
                    return


def _import(module: str) -> None:
    """All that the program imports; itself it is run anew in each process, as ``python -m`` does."""
    spec = importlib.util.find_spec(module)
    name = f"{module}.__main__" if spec is not None and spec.submodule_search_locations else module
    importlib.import_module(name)
    del sys.modules[name]


def _next(control: socket.socket) -> Child | None:
    """Fork as the next request says. None: this is the new process."""
    data, files, _, _ = socket.recv_fds(control, MAX_REQUEST, FILES)
    if not data:
        sys.exit(0)
    pid = os.fork()
    if pid == 0:
        _become(json.loads(data), files)
        return None
    pidfd = os.pidfd_open(pid)
    *outputs, status = files
    for file in outputs:
        os.close(file)
    socket.send_fds(control, [str(pid).encode()], [pidfd])
    return Child(pid, pidfd, socket.socket(fileno=status))


def _become(request: dict[str, Any], files: list[int]) -> None:
    """The process that was asked for: its files, its environment, its arguments."""
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in zip((null, *files), (0, 1, 2, None), strict=True):
        if target is not None:
            os.dup2(source, target)
        os.close(source)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv[1:] = request["arguments"]


def _tell_end(child: Child) -> None:
    _, status = os.waitpid(child.pid, 0)
    # Who has let go of a process does not hear of its end.
    with suppress(BrokenPipeError):
        child.status.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    child.close()


if __name__ == "__main__":
    wanted = sys.argv.pop(1)
    # A test that is interrupted ends its processes itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(wanted)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runpy.run_module(wanted, run_name="__main__", alter_sys=True)
