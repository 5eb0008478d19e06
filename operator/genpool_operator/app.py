"""The operator's process: ``python -m genpool_operator.app``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import kopf
import structlog

from genpool_adapters.program import run_program
from genpool_operator.factory import Operator, build_operator
from genpool_operator.settings import OperatorSettings

_log = structlog.get_logger("genpool_operator.app")
IDENTITY = "genpool-operator"


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    return run_program("operator", OperatorSettings, build_operator, run)


def run(operator: Operator) -> int:
    """Run the watches in this thread, everything else in its own."""
    told = threading.Event()
    _on_signals(lambda *_: told.set())
    operator.start()
    _log.info("operator_started", port=operator.http.port)
    try:
        _watch(operator, told)
    finally:
        operator.stop()
        _log.info("operator_stopped")
    return 0


def _watch(operator: Operator, told: threading.Event) -> None:
    """Until a signal comes; kopf takes them over as it begins. ``told``: one came before."""
    _on_signals(_end)
    if told.is_set():
        return
    kopf.run(
        registry=operator.registry,
        settings=operator.kopf_settings,
        standalone=True,
        clusterwide=not operator.namespaces,
        namespaces=operator.namespaces,
        # Without one kopf asks for the name of the user, and the user of a container may have none.
        identity=IDENTITY,  # type: ignore[arg-type]  # a str whose name kopf does not export
    )


def _on_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _end(*_: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
