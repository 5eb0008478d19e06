"""Demo and tests on somebody's cluster, each to another end; after each, the cluster is as it was."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from genpool_dev import parts, testrun
from genpool_dev.cluster import api
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.kube import Kube
from genpool_dev.cluster.model import CONTEXTS
from genpool_dev.cluster.node.health import until
from genpool_dev.currenttest import inventory, yours
from genpool_dev.currenttest.yours import CONTEXT, Yours
from genpool_dev.interrupts import deaf
from genpool_dev.progress import Steps
from genpool_dev.stack import layout

#: Two clusters run on this machine meanwhile.
WIDTH = 4
ROOT = Path(__file__).resolve().parents[3]
#: Until a demo that is to be interrupted has its pools; with images to push and pull.
POOLS_SECONDS = 300


@dataclass(frozen=True)
class Person:
    """Somebody with that cluster as the current one, who runs our commands."""

    cluster: Yours
    home: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    """In the environment of all that is started, so that what an interrupted run leaves is known."""

    def environment(
        self, contexts: str = CONTEXT, provider: str | None = "current", *, keep: bool = False
    ) -> dict[str, str]:
        """The environment of a command, with the contexts that it may use."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("GENPOOL_", "PROVIDER"))
        }
        return kept | {
            **({} if provider is None else {"PROVIDER": provider}),
            "KUBECONFIG": str(self.cluster.kube.kubeconfig),
            # This machine's own kubectl and helm come first: of another version, where there are some.
            "PATH": f"{os.environ['PATH']}:{self.cluster.kube.kubectl.parent}",
            "XDG_STATE_HOME": str(self.home),
            "GENPOOL_DEV_REGISTRY": self.cluster.registry,
            "GENPOOL_DEV_REGISTRY_INSECURE": "1",
            CONTEXTS: contexts,
            "KEEP": "1" if keep else "",
            "GENPOOL_E2E_WIDTH": str(WIDTH),
            testrun.MARK: self.mark,
        }

    def run(
        self,
        *words: str,
        contexts: str = CONTEXT,
        provider: str | None = "current",
        keep: bool = False,
        fails: bool = False,
    ) -> str:
        """Run a command to its end, and return what it said; raises where it does not end as it should."""
        env, said = self.environment(contexts, provider, keep=keep), ""
        with subprocess.Popen(
            _command(words), cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            for line in running.stdout or ():
                print(line, end="", flush=True)
                said += line
        if (running.returncode != 0) is not fails:
            raise ClusterError(f"`{' '.join(words)}` ended with the code {running.returncode}.")
        return said

    def break_off(self, number: signal.Signals) -> None:
        """Start a demo, and send it a signal when its pools are there."""
        with subprocess.Popen(_command(["demo"]), cwd=ROOT, env=self.environment()) as demo:
            kube, pools = (
                self.cluster.kube,
                ("generationpools.genpool.dev", f"--namespace={layout.POOL_NAMESPACE}"),
            )
            ended = until(lambda: demo.poll() is not None or _any(kube, *pools), POOLS_SECONDS, 0.5)
            if not ended or demo.poll() is not None:
                demo.kill()
                raise ClusterError("The demo had no pools before it ended.")
            demo.send_signal(number)


def demo(person: Person) -> None:
    """A demo to its end."""
    person.run("demo")


def kept(person: Person) -> None:
    """A demo that is kept, and ended by a command that is told neither provider nor context."""
    person.run("demo", keep=True)
    person.run("demo-down", contexts="", provider=None)


def interrupted(person: Person) -> None:
    """A demo that is interrupted; it takes its things away itself."""
    person.break_off(signal.SIGTERM)


def killed(person: Person) -> None:
    """A demo that is killed, and what is left of it ended."""
    person.break_off(signal.SIGKILL)
    person.run("demo-down")


def gone(person: Person) -> None:
    """A demo that is kept, and ended while its cluster is off; when it is back, what was said takes away the rest."""
    person.run("demo", keep=True)
    with person.cluster.off():
        said = person.run("demo-down")
        if "is gone" in said:
            raise ClusterError(f"More is said than is known of a cluster that is off: {said}")
        again = person.run("demo-down")
        if "No demo was left running." not in again:
            raise ClusterError(f"A cluster that is off is not forgotten: {again}")
    for command in re.findall(r"`((?:helm|kubectl) .+?)`", said):
        done = subprocess.run(
            shlex.split(command), env=person.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ClusterError(
                f"`{command}`, which was said to do, ended with {done.returncode}: {done.stderr}"
            )


def refused(person: Person) -> None:
    """A context that nobody named; nothing was put there, so there is nothing to end."""
    person.run("demo", fails=True, contexts="")


def up(person: Person) -> None:
    """RabbitMQ and S3 that were there before a demo are there after it, and go with ``cluster-down``."""
    person.run("cluster-up")
    before = inventory.take(person.cluster.kube)
    person.run("demo")
    left = inventory.differences(before, inventory.take(person.cluster.kube))
    if left:
        raise ClusterError("After a demo on what was up before: " + "; ".join(left))
    person.run("cluster-down")


def e2e(person: Person) -> None:
    """All e2e tests."""
    try:
        person.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/e2e")
    finally:
        person.run("cluster-down")


PARTS: dict[str, Callable[[Person], None]] = {
    part.__name__: part for part in (refused, demo, kept, interrupted, killed, gone, up, e2e)
}


_TARGET = "test-current"


def run(names: Sequence[str], home: Path) -> int:
    """Run the parts of these names (all where none is given); 0, or 1 where something is not as it should be.

    Raises :class:`~genpool_dev.cluster.errors.ClusterError` for a name that is no part's.
    """
    wanted = parts.chosen(PARTS, names, _TARGET)
    steps, beside = Steps(), _beside()
    with yours.running(steps) as cluster:
        person = Person(cluster, home)
        try:
            found = parts.faults({part.__name__: partial(_run, part, person) for part in wanted}, _TARGET)
        finally:
            with deaf():
                testrun.end_marked(person.mark)
    found += [f"the local cluster beside it: {each}" for each in inventory.differences(beside, _beside())]
    return parts.ended(_TARGET, found, "the cluster was as before after each", steps.elapsed)


def _run(part: Callable[[Person], None], person: Person) -> list[str]:
    """What is wrong after a part: how it ended, and what is not on the cluster as it was."""
    person.cluster.renew_volumes()
    before = inventory.take(person.cluster.kube)
    faults = []
    try:
        part(person)
    except ClusterError as error:
        faults.append(error.message)
    return faults + inventory.differences(before, inventory.take(person.cluster.kube))


def _beside() -> dict[str, str]:
    """What is on the local cluster that developers use, where one is up."""
    found = api.info(api.ref_of("local"))
    if found is None:
        return {}
    there = inventory.take(Kube(found.kubectl, found.helm, found.kubeconfig, found.context))
    return {name: uid for name, uid in there.items() if name.split("/")[1] == "genpool-dev"}


def _any(kube: Kube, *words: str) -> bool:
    try:
        return bool(kube.get(*words)["items"])
    except ClusterError:
        return False


def _command(words: Sequence[str]) -> list[str]:
    module = [] if words[0] == "-m" else ["-m", "genpool_dev"]
    return [sys.executable, *module, *words]
