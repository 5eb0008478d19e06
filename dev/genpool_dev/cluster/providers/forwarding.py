"""A command that is started again whenever it ends: ``kubectl port-forward`` ends with the pod that it leads to.

Run as ``python -m genpool_dev.cluster.providers.forwarding COMMAND…``; SIGTERM ends it and the command.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from genpool_adapters.signals import EndSignal, end_signal

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
#: A command that ran for so many seconds has worked.
WORKED = 5.0


def keep(command: Sequence[str], ended: EndSignal) -> None:
    """Run a command again and again until ``ended`` is told; the longer it has not worked, the less often."""
    pause = FIRST_PAUSE
    while not ended.wait(0):
        began = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:
            while child.poll() is None and not ended.wait(FIRST_PAUSE):
                pass
            child.terminate()
        pause = FIRST_PAUSE if time.monotonic() - began > WORKED else min(2 * pause, LONGEST_PAUSE)
        ended.wait(pause)


def main() -> None:
    """Keep the command of the arguments running until told to end."""
    keep(sys.argv[1:], end_signal([signal.SIGTERM]))


if __name__ == "__main__":
    main()
