"""The gateway's process: delivers callbacks from the queues of all brokers. ``python -m genpool_gateway.app``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

from genpool_adapters.logs import configure_logging
from genpool_core.errors import GenPoolError
from genpool_gateway.factory import build_gateway
from genpool_gateway.settings import load


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    try:
        settings = load()
        configure_logging("gateway", settings.log_format, settings.log_level)
        gateway = build_gateway(settings)
    except (GenPoolError, OSError) as error:
        sys.stderr.write(f"genpool-gateway: {error}\n")
        return 1
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_end, ended.set))
    gateway.start()
    ended.wait()
    gateway.stop()
    return 0


def _end(end: Callable[[], None], _number: int, _frame: FrameType | None) -> None:
    end()


if __name__ == "__main__":
    sys.exit(main())
