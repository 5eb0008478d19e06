"""Tests that mostly wait, run side by side: a pytest plugin for the marker ``together``.

The first of them starts all of them in threads; pytest then comes to each in turn, waits for its end and reports it as
its own. Such a test takes one session-wide fixture, the same for all (``lab``), and its parameters. The marker's
``seconds`` tells about how long it takes: the longest are started first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from support.waiting import BROKEN_OFF

MARKER = "together"
FIXTURE = "lab"


class Together:
    """The plugin. ``width``: how many run at the same time."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._items: list[pytest.Function] = []
        self._futures: dict[str, Future[float]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._seconds: dict[str, float] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Find the tests, and refuse those that cannot run so."""
        found = [item for item in session.items if item.get_closest_marker(MARKER)]
        self._items = [item for item in found if isinstance(item, pytest.Function)]
        for item in self._items:
            given = set(getattr(item, "fixturenames", ())) - {FIXTURE} - set(_parameters(item))
            if own := {name for name in given if name in _arguments(item)}:
                raise pytest.UsageError(
                    f"{item.nodeid} is marked {MARKER} and wants {own}: it gets {FIXTURE} only"
                )

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Instead of calling one of these tests, wait for its thread."""
        if pyfuncitem not in self._items:
            return None
        if self._pool is None:
            self._start(pyfuncitem.funcargs[FIXTURE])
        self._seconds[pyfuncitem.nodeid] = self._futures[pyfuncitem.nodeid].result()
        return True

    def pytest_sessionfinish(self) -> None:
        """Let no thread outlive the run."""
        self.end()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell how long each took; pytest's own durations are those of the waiting."""
        if self._seconds:
            terminalreporter.write_sep("-", "seconds of the tests that ran together")
        for nodeid, seconds in sorted(self._seconds.items(), key=lambda pair: -pair[1]):
            terminalreporter.write_line(f"{seconds:6.1f}  {nodeid}")

    def end(self) -> None:
        """End the waits of all threads, and the threads."""
        if self._pool is not None:
            if not all(future.done() for future in self._futures.values()):
                BROKEN_OFF.set()
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self, shared: object) -> None:
        self._pool = ThreadPoolExecutor(self._width, thread_name_prefix="together")
        for item in sorted(self._items, key=_expected, reverse=True):
            arguments = {FIXTURE: shared, **_parameters(item)}
            self._futures[item.nodeid] = self._pool.submit(_timed, item.obj, arguments)


def _timed(function: Callable[..., None], arguments: dict[str, object]) -> float:
    started = time.monotonic()
    function(**arguments)
    return time.monotonic() - started


def _expected(item: pytest.Function) -> float:
    marker = item.get_closest_marker(MARKER)
    return float(marker.kwargs.get("seconds", 0)) if marker else 0.0


def _parameters(item: pytest.Function) -> dict[str, Any]:
    callspec = getattr(item, "callspec", None)
    return dict(callspec.params) if callspec else {}


def _arguments(item: pytest.Function) -> tuple[str, ...]:
    code = item.obj.__code__
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
