"""The run itself: the cluster in cases that people meet, the demo, the e2e tests, and the end of all of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from genpool_dev.cluster.artifacts import packages
from genpool_dev.cluster.errors import ClusterError, explain
from genpool_dev.kindtest import cases, engine, nodeimage, publicimages, traces
from genpool_dev.kindtest.checkout import Checkout
from genpool_dev.progress import Steps, seconds


def demo(checkout: Checkout) -> None:
    """The demo to its end, on the cluster that is up."""
    _ends_well(checkout.command("demo"))


def e2e(checkout: Checkout) -> None:
    """All e2e tests."""
    _ends_well(checkout.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/e2e"))


def down(checkout: Checkout) -> None:
    """``cluster-down`` leaves neither a container nor a file."""
    _ends_well(checkout.command("cluster-down"))
    if left := checkout.containers():
        raise AssertionError(f"containers {left} are there")
    if checkout.home.exists() and (files := list(checkout.home.iterdir())):
        raise AssertionError(f"{', '.join(map(str, files))} is there")


Part = Callable[[Checkout], None]
PARTS: dict[str, Part] = {part.__name__: part for part in (*cases.CASES, demo, e2e)}
"""In their order: the later ones use the cluster that the earlier ones leave."""


def run(names: Sequence[str]) -> int:
    """Run the parts of these names (all where none is given), and end; 0, or 1 where one failed.

    Raises :class:`~genpool_dev.cluster.errors.ClusterError` for a name that is no part's, and where there is no engine.
    """
    if unknown := sorted(set(names) - set(PARTS)):
        raise ClusterError(f"No parts of test-kind: {', '.join(unknown)}. There are {', '.join(PARTS)}.")
    steps = Steps()
    packages.install_missing(steps, engine.NEEDS)
    before = traces.found()
    with engine.running(steps) as running:
        publicimages.ensure(running, steps)
        image = nodeimage.ensure(running, steps)
        checkout = Checkout(running, running.programs.parent / "home", image)
        wanted = [*(PARTS[name] for name in names or PARTS), down]
        failed = [part.__name__ for part in wanted if not _goes_well(part, checkout)]
    if left := sorted(traces.found() - before):
        failed.append(f"this machine has now: {'; '.join(left)}")
    said = f"FAILED: {', '.join(failed)}" if failed else "ok, and this machine is as it was"
    print(f"test-kind: {said}, in {seconds(steps.elapsed)}", flush=True)
    return 1 if failed else 0


def _goes_well(part: Part, checkout: Checkout) -> bool:
    begun, fault = time.monotonic(), ""
    try:
        part(checkout)
    except AssertionError as error:
        fault = str(error)
    except ClusterError as error:
        fault = explain(error)
    said = f"FAILED: {fault}" if fault else "ok"
    print(f"test-kind: {part.__name__}: {said}, in {seconds(time.monotonic() - begun)}", flush=True)
    return not fault


def _ends_well(code: int) -> None:
    if code:
        raise AssertionError(f"it ended with the code {code}")
