"""The gateway's process: the API, and delivery of callbacks. ``python -m genpool_gateway.app``."""

from __future__ import annotations

import gc
import sys

import structlog

from genpool_adapters.program import leave, run_program
from genpool_adapters.signals import end_signal
from genpool_core import timing
from genpool_gateway.factory import Gateway, build_gateway
from genpool_gateway.settings import GatewaySettings

#: New objects after which the garbage collector looks for rings among them, in place of 700. What a request or a
#: watcher has is freed without it. With 700 the requests that were under way were taken for old again and again, and
#: it went through all that a thousand watchers have, for a fifth of a second, every few seconds.
_OBJECTS = 20_000
_log = structlog.get_logger("genpool_gateway.app")


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    # A task goes through three threads; each would wait up to 5 ms for one that computes.
    sys.setswitchinterval(timing.THREAD_SWITCH_SECONDS)
    return run_program("gateway", GatewaySettings, build_gateway, run)


def run(gateway: Gateway) -> int:
    """Serve until a signal, then stop."""
    ended = end_signal()
    gateway.start()
    _log.info(
        "gateway_started",
        vhosts=len(gateway.callbacks.queues),
        port=gateway.http.port,
        api_port=gateway.tasks.server.port,
    )
    _leave_alone_what_stays()
    ended.wait()
    gateway.stop()
    _log.info("gateway_stopped")
    return 0


def _leave_alone_what_stays() -> None:
    """Have the garbage collector pass over what the start has made.

    All of it stays, and to look through it again and again took an eighth of the time in which tasks are accepted.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS)


if __name__ == "__main__":
    leave(main())
