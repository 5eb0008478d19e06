"""``make test``: everything that must hold, in the order of how fast it fails.

The quick tools first, then two runs of pytest. The first has the tiers whose tests keep to themselves (own namespace,
vhost, bucket prefix) and mostly wait: they share the machine. The second has the e2e tier, which installs the chart
once for all its tests, restarts RabbitMQ, measures times, and orders its tests itself.

The cluster is taken down at the end unless it was up before: then it is a developer's, and stays.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from genpool_dev.cluster import api

ROOT = Path(__file__).resolve().parents[2]
#: Targets of the Makefile, which says what each runs.
_QUICK = ("lint", "types", "contracts", "verify")
_RUNS: tuple[tuple[str, ...], ...] = (
    ("-n4", "--dist=worksteal", "tests/unit", "tests/contract", "tests/integration"),
    ("tests/e2e",),
)


def main() -> int:
    """Run all of it and return the exit code: 0, or that of the first part that failed."""
    for target in _QUICK:
        code = _quick(target)
        if code:
            return code
    was_up = api.info() is not None
    try:
        api.ensure_up(for_tests=True)
        return _pytest()
    finally:
        if not was_up:
            api.down()


def _quick(target: str) -> int:
    started = time.monotonic()
    command = ["make", "--no-print-directory", target]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    seconds = time.monotonic() - started
    print(f"test: make {target}: {'ok' if done.returncode == 0 else 'FAILED'} in {seconds:.1f} s", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode


def _pytest() -> int:
    """All runs, also after one that failed: a long run should tell all that it can."""
    command = [sys.executable, "-m", "pytest", "--durations=15"]
    codes = [subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode for arguments in _RUNS]
    for arguments, code in zip(_RUNS, codes, strict=True):
        if code:
            # A later run that went well would else have the last word.
            print(f"test: FAILED: pytest {' '.join(arguments)}: see its summary above.", flush=True)
    return max(codes, key=abs)
