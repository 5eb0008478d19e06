"""What the demo starts and how it is taken away again: at the end, on Ctrl-C, by the next run, by ``make demo-down``.

The demo's state says on which cluster it is, and whether that was there before: then only what the demo put on it goes.
What is up beside it, of another provider, is not touched.
"""

from __future__ import annotations

import os
import shutil

from genpool_dev.cluster import api
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.cluster.settings import ClusterRef
from genpool_dev.demo import state
from genpool_dev.demo.keyfile import key_file
from genpool_dev.demo.state import DemoState
from genpool_dev.interrupts import deaf
from genpool_dev.progress import Steps
from genpool_dev.stack import gateway, layout
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.kubectl import Kubectl
from genpool_dev.stack.servers import process
from genpool_dev.stack.servers.process import ServerProcess
from genpool_dev.stack.uninstall import CRD, delete_scenes, uninstall


class Session:
    """One demo on one cluster, from the first thing that it starts."""

    def __init__(self, cluster: ClusterRef, steps: Steps) -> None:
        self._steps = steps
        self._state = _begin(cluster, steps)

    @property
    def cluster(self) -> ClusterRef:
        """Where the demo is."""
        return self._state.cluster

    def add(self, server: ServerProcess) -> None:
        """Remember a server, so that it is ended whatever happens."""
        self._state = self._known()
        self._state = self._state.model_copy(update={"servers": [*self._state.servers, server]})
        state.save(self._state)

    def end(self) -> None:
        """Take everything away. Ctrl-C is not heard meanwhile: what is half away would be left behind."""
        with deaf():
            take_away(self._known(), self._steps)

    def _known(self) -> DemoState:
        """What is on disk: the cluster may have been adopted meanwhile."""
        return state.load(self.cluster) or self._state


def take_away(old: DemoState, steps: Steps) -> bool:
    """End what a demo has running: servers, GenPool, and the cluster unless it was there before.

    Tells whether it is gone; where its cluster is away it is forgotten, and what to do was said.

    Raises
    ------
    ClusterError
        Something did not go away; the state stays, so that it can be tried again.
    """
    gone = _take_off(old, steps)
    if not old.cluster_was_up:
        api.down(old.cluster, steps)
    elif gone:
        steps.say(
            f"The cluster of {old.context} was up before the demo and stays up: "
            f"make cluster-down PROVIDER={old.cluster.provider} ends it."
        )
    shutil.rmtree(state.folder(old.cluster), ignore_errors=True)
    return gone


def cluster_down(cluster: ClusterRef, steps: Steps) -> None:
    """Take a cluster away with the demo on it, if one was left there; from a person's own all that was put there.

    Raises
    ------
    ClusterError
        A demo runs on it right now, or something did not go away.
    """
    old = leftover(cluster)
    if old is not None:
        _take_off(old.model_copy(update={"cluster_was_up": False}), steps)
    elif api.borrowed(cluster):
        _uninstall(api.info(cluster), steps, servers_stay=False)
    api.down(cluster, steps)
    shutil.rmtree(state.folder(cluster), ignore_errors=True)


def adopt(cluster: ClusterRef) -> None:
    """Let a cluster outlive the demo that made it: somebody asked for it by ``make cluster-up``."""
    old = state.load(cluster)
    if old is not None and not old.cluster_was_up:
        state.save(old.model_copy(update={"cluster_was_up": True}))


def leftover(cluster: ClusterRef) -> DemoState | None:
    """The demo that was left running, or killed; None where there is none.

    Raises
    ------
    StackError
        It is running right now.
    """
    old = state.load(cluster)
    if old is not None and old.running():
        raise StackError(
            f"A demo is running already (process {old.pid}): wait for its end, or end it with Ctrl-C where it runs."
        )
    return old


def _begin(cluster: ClusterRef, steps: Steps) -> DemoState:
    old = leftover(cluster)
    api.check(cluster)
    context = api.context(cluster)
    if old is not None and (old.cluster, old.context) != (cluster, context):
        steps.say(f"An earlier demo was left on {old.context}: it is taken away first.")
        take_away(old, steps)
        old = None
    # Before the state is written: until then there is nothing to take away.
    was_up = api.exists(cluster) if old is None else old.cluster_was_up
    begun = state.start_time(os.getpid()) or 0.0
    mine = DemoState(pid=os.getpid(), started=begun, cluster=cluster, context=context, cluster_was_up=was_up)
    state.save(mine.model_copy(update={"servers": old.servers if old is not None else []}))
    if old is not None:
        steps.say("An earlier demo is still there: it is taken over.")
        for server in old.servers:
            process.stop(server)
        _uninstall(_answering(old), steps)
    state.save(mine)
    return mine


def _take_off(old: DemoState, steps: Steps) -> bool:
    """Take a demo off its cluster, as far as that stays. False: the cluster is away, and has it still."""
    for server in old.servers:
        process.stop(server)
    info = api.info(old.cluster)
    if info is None or info.context != old.context:
        return True  # it is gone, or another by now
    key_file(info).unlink(missing_ok=True)
    borrowed = api.borrowed(old.cluster)
    if not (old.cluster_was_up or borrowed):
        gateway.close_way(info)
        return True
    answering = _answering(old)
    if answering is None and not borrowed:
        raise StackError(
            f"The cluster of {old.context} does not answer, so the demo cannot be taken off it. `make cluster-up "
            f"PROVIDER={old.cluster.provider}` mends it; `make cluster-down PROVIDER={old.cluster.provider}` takes it "
            "away with all that is on it."
        )
    if answering is None:
        gateway.close_way(info)
        steps.say(_forgotten(old.context))
        return False
    _uninstall(answering, steps, servers_stay=old.cluster_was_up)
    return True


def _forgotten(context: str) -> str:
    """What to do by hand, when a cluster that is away is back: nothing here knows of the demo on it any more."""
    kubectl = f"kubectl --context={context} delete"
    return (
        f"The cluster of {context} does not answer, and the demo on it is forgotten. If it comes back, take away what "
        f"is left there: `helm --kube-context={context} -n {layout.SYSTEM_NAMESPACE} uninstall {layout.RELEASE}`, "
        f"`{kubectl} namespace {layout.POOL_NAMESPACE} {layout.SYSTEM_NAMESPACE}`, `{kubectl} crd {CRD}`."
    )


def _uninstall(info: ClusterInfo | None, steps: Steps, *, servers_stay: bool = True) -> None:
    if info is not None and Kubectl.of(info).answers():
        with steps.step(f"taking GenPool off the cluster of {info.context}"):
            if not servers_stay:
                delete_scenes(Kubectl.of(info))
            uninstall(info, servers_stay=servers_stay)


def _answering(old: DemoState) -> ClusterInfo | None:
    """The cluster that a demo is on, if it is up and answers."""
    info = api.info(old.cluster)
    return info if info is not None and info.context == old.context and Kubectl.of(info).answers() else None
