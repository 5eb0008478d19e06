"""What the demo starts and how it is taken away again: at the end, on Ctrl-C, by the next run, by ``make demo-down``.

Who had a cluster before keeps it: then only what the demo put on it goes.
"""

from __future__ import annotations

import os
import shutil

from genpool_dev.cluster import api
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.demo import state
from genpool_dev.demo.keyfile import key_file
from genpool_dev.demo.state import DemoState
from genpool_dev.interrupts import deaf
from genpool_dev.progress import Steps
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.kubectl import Kubectl
from genpool_dev.stack.servers import process
from genpool_dev.stack.servers.process import ServerProcess
from genpool_dev.stack.uninstall import uninstall


class Session:
    """One demo, from the first thing that it starts."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._state = _begin(steps)

    @property
    def cluster_was_up(self) -> bool:
        """The cluster is somebody's and stays."""
        return self._state.cluster_was_up

    def add(self, server: ServerProcess) -> None:
        """Remember a server, so that it is ended whatever happens."""
        self._state = self._state.model_copy(update={"servers": [*self._state.servers, server]})
        state.save(self._state)

    def end(self) -> None:
        """Take everything away. Ctrl-C is not heard meanwhile: what is half away would be left behind."""
        with deaf():
            take_away(self._state, self._steps)


def take_away(old: DemoState, steps: Steps) -> None:
    """End what a demo has running: servers, GenPool, and the cluster unless it was there before."""
    for server in old.servers:
        process.stop(server)
    known = api.info()
    if known is not None:
        key_file(known).unlink(missing_ok=True)
    info = _answering()
    if info is not None and old.cluster_was_up:
        with steps.step("taking GenPool off the cluster"):
            uninstall(info)
        steps.say("The cluster was up before the demo and stays up: make cluster-down ends it.")
    elif not old.cluster_was_up:
        api.down(steps)
    shutil.rmtree(state.folder(), ignore_errors=True)


def leftover() -> DemoState | None:
    """The demo that was left running, or killed; None where there is none.

    Raises
    ------
    StackError
        It is running right now.
    """
    old = state.load()
    if old is not None and old.running():
        raise StackError(
            f"A demo is running already (process {old.pid}): wait for its end, or end it with Ctrl-C where it runs."
        )
    return old


def _begin(steps: Steps) -> DemoState:
    old = leftover()
    info = _answering()
    was_up = info is not None if old is None else old.cluster_was_up
    if old is not None:
        steps.say("An earlier demo is still there: it is taken over.")
        for server in old.servers:
            process.stop(server)
    begun = state.start_time(os.getpid()) or 0.0
    mine = DemoState(pid=os.getpid(), started=begun, cluster_was_up=was_up)
    state.save(mine)
    if old is not None and info is not None:
        with steps.step("taking the earlier demo off the cluster"):
            uninstall(info)
    return mine


def _answering() -> ClusterInfo | None:
    """The cluster that is up and answers, or None."""
    info = api.info()
    return info if info is not None and Kubectl.of(info).answers() else None
