"""``make test``: everything that must hold, in the order of how fast it fails.

The quick tools first, as who called, since they leave caches in the checkout. Then two runs of pytest, as root where
the cluster is the local one. The first has the tiers whose tests keep to themselves (own namespace, vhost, bucket
prefix) and mostly wait: they share the machine. The second has the e2e tier, which installs the chart once for all its
tests, restarts RabbitMQ, measures times, and orders its tests itself.

The cluster is taken down at the end unless it was up before: then it is a developer's, and stays.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from genpool_dev.cluster import api
from genpool_dev.cluster.settings import cache_home

ROOT = Path(__file__).resolve().parents[2]
#: Targets of the Makefile, which says what each runs.
_QUICK = ("lint", "types", "contracts", "verify")
_RUNS: tuple[tuple[str, ...], ...] = (
    ("-n4", "--dist=worksteal", "tests/unit", "tests/contract", "tests/integration"),
    ("tests/e2e",),
)


def quick() -> int:
    """Run the quick tools; the exit code is 0, or that of the first that failed."""
    return next((code for code in map(_target, _QUICK) if code), 0)


def tests() -> int:
    """Run all tests on a cluster; the exit code is 0, or that of a run that failed."""
    was_up = api.info() is not None
    try:
        api.ensure_up(for_tests=True)
        return _pytest()
    finally:
        if not was_up:
            api.down()


def _target(name: str) -> int:
    started = time.monotonic()
    command = ["make", "--no-print-directory", name]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    seconds = time.monotonic() - started
    print(f"test: make {name}: {'ok' if done.returncode == 0 else 'FAILED'} in {seconds:.1f} s", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode


def _pytest() -> int:
    """All runs, also after one that failed: a long run should tell all that it can."""
    # Nothing of root's in the checkout of who called through sudo.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--durations=15"]
    env = os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(cache_home() / "hypothesis")}
    codes = [
        subprocess.run([*command, *arguments], cwd=ROOT, env=env, check=False).returncode
        for arguments in _RUNS
    ]
    for arguments, code in zip(_RUNS, codes, strict=True):
        if code:
            # A later run that went well would else have the last word.
            print(f"test: FAILED: pytest {' '.join(arguments)}: see its summary above.", flush=True)
    return max(codes, key=abs)
