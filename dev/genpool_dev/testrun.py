"""``make test``: everything that must hold.

The quick tools first, as who called, since they leave caches in the checkout. Then pytest, as root where the cluster is
the local one. First the tests that keep to themselves (own namespace, vhost, bucket prefix) and mostly wait: they share
the machine. Then the e2e tier, which installs the chart once for all its tests, restarts RabbitMQ, measures times, and
orders its tests itself. Last the demo, which installs its own. The end of the e2e tier, where one test runs at a time,
and the demo mostly wait: beside them run tests that ask nothing of the cluster.

The cluster is taken down at the end unless it was up before: then it is a developer's, and stays.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from genpool_dev.cluster import api
from genpool_dev.cluster.model import ClusterInfo
from genpool_dev.cluster.node import process
from genpool_dev.cluster.settings import ClusterRef, ProviderName, cache_home
from genpool_dev.interrupts import deaf
from genpool_dev.stack.install import look
from genpool_dev.stack.uninstall import marked_namespaces, uninstall

ROOT = Path(__file__).resolve().parents[2]
#: Targets of the Makefile, which says what each runs.
_QUICK = ("lint", "types", "contracts", "verify")
#: In the environment of all programs that tests start, however far down.
MARK = "GENPOOL_TEST_RUN"
Words = tuple[str, ...]
#: Tests that ask nothing of the cluster: those of the command line have a RabbitMQ of their own, which the e2e tier
#: does not restart.
_BESIDE_E2E: Words = ("tests/contract", "tests/integration/chart", "tests/integration/cli")
#: What is run, one after the other, and what is run beside it, once it says that it is quiet.
_RUNS: tuple[tuple[Words, Words | None], ...] = (
    (
        ("-n6", "--dist=worksteal", "tests/integration", *(f"--ignore={folder}" for folder in _BESIDE_E2E)),
        None,
    ),
    (("tests/e2e",), ("-n3", "--dist=loadfile", *_BESIDE_E2E)),
    (("tests/demo",), ("-n2", "tests/unit")),
)
#: Names a file; tests that run make it when they begin to leave most of the machine to others.
QUIET = "GENPOOL_TEST_QUIET"
_LOOK_SECONDS = 0.5


def quick() -> int:
    """Run the quick tools; the exit code is 0, or that of the first that failed."""
    return next((code for code in map(_target, _QUICK) if code), 0)


def tests(ref: ClusterRef) -> int:
    """Run all tests on a cluster; the exit code is 0, or that of a run that failed."""
    api.check(ref)
    was_up = api.exists(ref)
    run = uuid.uuid4().hex
    try:
        info = api.ensure_up(ref)
        if was_up:
            take_leftovers(info)
        return _pytest(run, ref.provider)
    finally:
        with deaf():
            try:
                end_marked(run)
            finally:
                if not was_up:
                    api.down(ref)


def take_leftovers(info: ClusterInfo) -> None:
    """Take away a GenPool that a demo or an earlier run left: its operator would take the pools of these tests."""
    if left := marked_namespaces(look(info).kubectl):
        print(f"test: taking away the GenPool of a demo or an earlier run: {', '.join(left)}", flush=True)
        uninstall(info)


def _target(name: str) -> int:
    started = time.monotonic()
    command = ["make", "--no-print-directory", name]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    seconds = time.monotonic() - started
    print(f"test: make {name}: {'ok' if done.returncode == 0 else 'FAILED'} in {seconds:.1f} s", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode


def _pytest(run: str, provider: ProviderName) -> int:
    """All runs, also after one that failed: a long run should tell all that it can."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--durations=15"]
    env = _environment(os.environ) | {MARK: run, "PROVIDER": provider}
    codes: dict[Words, int] = {}
    for arguments, others in _RUNS:
        codes |= _together(command, arguments, others, env)
    for arguments, code in codes.items():
        if code:
            # A later run that went well would else have the last word.
            print(f"test: FAILED: pytest {' '.join(arguments)}: see its summary above.", flush=True)
    return max(codes.values(), key=abs)


def _together(
    command: Sequence[str], arguments: Words, others: Words | None, env: Mapping[str, str]
) -> dict[Words, int]:
    """Run tests, and others when these are quiet or have ended; what the others say comes after it."""
    if others is None:
        return {arguments: _run([*command, *arguments], env)}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryDirectory() as folder:
        quiet = Path(folder) / "quiet"
        first = subprocess.Popen([*command, *arguments], cwd=ROOT, env={**env, QUIET: str(quiet)})
        while first.poll() is None and not quiet.exists():
            time.sleep(_LOOK_SECONDS)
        words = ["nice", *command, *others]
        beside = subprocess.Popen(words, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
        codes = {arguments: first.wait(), others: beside.wait()}
        output.seek(0)
        sys.stdout.buffer.write(output.read())
        sys.stdout.flush()
    return codes


def _run(command: Sequence[str], env: Mapping[str, str]) -> int:
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """That of pytest and all that it starts: nothing of root's lies in the checkout of who called through sudo.

    Bytecode goes to the cache and not nowhere: each of hundreds of programs would compile our modules anew.
    """
    kept = {name: value for name, value in given.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache_home() / "hypothesis"),
        "PYTHONPYCACHEPREFIX": str(cache_home() / "bytecode"),
    }


def end_marked(run: str) -> None:
    """Kill what an interrupted run left: programs that it had started carry the mark in their environment."""
    marked = [process.identify(each.pid) for each in psutil.process_iter() if _mark_of(each) == run]
    process.kill(each for each in marked if each is not None)


def _mark_of(running: psutil.Process) -> str | None:
    try:
        return running.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
