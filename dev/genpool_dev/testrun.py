"""``make test``: everything that must hold, in the order of how fast it fails.

The quick tools first, then one pytest over all tiers, so that its summary is the last thing that is printed. The
cluster for the integration and e2e tiers is started while the quick part has already passed, and taken down at the end
unless it was up before (then it is a developer's, and stays).
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from genpool_dev.cluster import api

ROOT = Path(__file__).resolve().parents[2]
_BIN = Path(sys.executable).parent
_QUICK: tuple[tuple[str, list[str]], ...] = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("import contracts", ["lint-imports"]),
)
_TIERS = ("unit", "contract", "integration", "e2e")


def main() -> int:
    """Run all of it and return the exit code: 0, or that of the first part that failed."""
    for name, command in _QUICK:
        code = _step(name, [str(_BIN / command[0]), *command[1:]])
        if code:
            return code
    code = _step("generated files", [sys.executable, "-m", "genpool_dev", "generate", "--check"])
    if code:
        return code
    was_up = api.info() is not None
    try:
        api.ensure_up(for_tests=True)
        return _pytest()
    finally:
        if not was_up:
            api.down()


def _step(name: str, command: list[str]) -> int:
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    seconds = time.monotonic() - started
    print(f"test: {name}: {'ok' if done.returncode == 0 else 'FAILED'} in {seconds:.1f} s", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode


def _pytest() -> int:
    tiers = [f"tests/{tier}" for tier in _TIERS]
    command = [sys.executable, "-m", "pytest", "--durations=15", *tiers]
    return subprocess.run(command, cwd=ROOT, check=False).returncode
