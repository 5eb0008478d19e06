"""The operator's process: ``python -m genpool_operator.app``."""

from __future__ import annotations

import asyncio

import kopf
import structlog

from genpool_adapters.program import leave, run_program
from genpool_adapters.signals import END_SIGNALS, EndSignal, end_signal
from genpool_operator.factory import Operator, build_operator
from genpool_operator.settings import OperatorSettings

_log = structlog.get_logger("genpool_operator.app")
IDENTITY = "genpool-operator"


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    return run_program("operator", OperatorSettings, build_operator, run)


def run(operator: Operator) -> int:
    """Run the watches in this thread, everything else in its own."""
    told = end_signal()
    operator.start()
    _log.info("operator_started", port=operator.http.port)
    try:
        asyncio.run(_watch(operator, told))
    finally:
        operator.stop()
        _log.info("operator_stopped")
    return 0


async def _watch(operator: Operator, told: EndSignal) -> None:
    """Until a signal comes. ``told``: one came before the loop took them over."""
    stop = asyncio.Event()
    _handle_signals(stop)
    if told.wait(0):
        return
    existing = asyncio.all_tasks()
    tasks = await kopf.spawn_tasks(
        registry=operator.registry,
        settings=operator.kopf_settings,
        standalone=True,
        clusterwide=not operator.namespaces,
        namespaces=operator.namespaces,
        # Without one kopf asks for the name of the user, and the user of a container may have none.
        identity=IDENTITY,  # type: ignore[arg-type]  # a str whose name kopf does not export
        stop_flag=stop,
    )
    # kopf's own handlers take no second signal: asyncio logs an exception then.
    _handle_signals(stop)
    await kopf.run_tasks(tasks, ignored=existing)


def _handle_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in END_SIGNALS:
        loop.add_signal_handler(number, stop.set)


if __name__ == "__main__":
    leave(main())
