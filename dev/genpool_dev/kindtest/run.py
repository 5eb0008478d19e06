"""The run itself: the cluster in cases that people meet, the demo, the e2e tests, and the end of all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from genpool_dev import parts
from genpool_dev.cluster.artifacts import packages
from genpool_dev.kindtest import cases, engine, nodeimage, publicimages, traces
from genpool_dev.kindtest.checkout import Checkout
from genpool_dev.progress import Steps


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
_TARGET = "test-kind"


def run(names: Sequence[str]) -> int:
    """Run the parts of these names (all where none is given), and end; 0, or 1 where one failed.

    Raises :class:`~genpool_dev.cluster.errors.ClusterError` for a name that is no part's, and where there is no engine.
    """
    wanted = [*parts.chosen(PARTS, names, _TARGET), down]
    steps = Steps()
    packages.install_missing(steps, engine.NEEDS)
    before = traces.found()
    with engine.running(steps) as running:
        publicimages.ensure(running, steps)
        image = nodeimage.ensure(running, steps)
        checkout = Checkout(running, running.programs.parent / "home", image)
        found = parts.faults({part.__name__: partial(_run, part, checkout) for part in wanted}, _TARGET)
    found += [f"this machine has now: {each}" for each in sorted(traces.found() - before)]
    return parts.ended(_TARGET, found, "this machine is as it was", steps.elapsed)


def _run(part: Part, checkout: Checkout) -> Sequence[str]:
    part(checkout)
    return ()


def _ends_well(code: int) -> None:
    if code:
        raise AssertionError(f"it ended with the code {code}")
