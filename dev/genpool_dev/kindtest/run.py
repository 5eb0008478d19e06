"""The run itself: the cluster in cases that people meet, the demo, the e2e tests, and the end of all of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from genpool_dev.cluster.artifacts import packages
from genpool_dev.cluster.errors import ClusterError, explain
from genpool_dev.kindtest import engine, nodeimage, publicimages, traces
from genpool_dev.kindtest.cases import CASES
from genpool_dev.kindtest.checkout import Checkout
from genpool_dev.progress import Steps, seconds

_PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


def main() -> int:
    """Run everything, also after a part that failed; 0 where all went well, else 1."""
    steps = Steps()
    packages.install_missing(steps, engine.NEEDS)
    before = traces.found()
    with engine.running(steps) as running:
        publicimages.ensure(running, steps)
        image = nodeimage.ensure(running, steps)
        checkout = Checkout(running, running.programs.parent / "state", image)
        parts: list[tuple[str, Callable[[], None]]] = [
            *((name, lambda case=case: case(checkout)) for name, case in CASES),
            ("demo", lambda: _ends_well(checkout.command("demo"))),
            ("e2e tests", lambda: _ends_well(checkout.run(*_PYTEST, "tests/e2e"))),
            ("cluster-down", lambda: _ends_well(checkout.command("cluster-down"))),
            ("nothing left of the cluster", lambda: _nothing_left(checkout)),
        ]
        failed = [name for name, part in parts if not _went_well(name, part)]
    if left := traces.found() - before:
        failed.append(f"this machine has now: {'; '.join(sorted(left))}")
    said = f"FAILED: {', '.join(failed)}" if failed else "ok"
    print(f"test-kind: {said}; {seconds(steps.elapsed)} in all. The Docker engine is gone.", flush=True)
    return 1 if failed else 0


def _went_well(name: str, part: Callable[[], None]) -> bool:
    begun, fault = time.monotonic(), ""
    try:
        part()
    except AssertionError as error:
        fault = str(error)
    except ClusterError as error:
        fault = explain(error)
    said = f"FAILED: {fault}" if fault else "ok"
    print(f"test-kind: {name}: {said} in {seconds(time.monotonic() - begun)}", flush=True)
    return not fault


def _ends_well(code: int) -> None:
    if code:
        raise AssertionError(f"exit code {code}")


def _nothing_left(checkout: Checkout) -> None:
    if left := checkout.containers():
        raise AssertionError(f"containers {left}")
    if checkout.state.exists():
        raise AssertionError(f"{checkout.state} is there")
