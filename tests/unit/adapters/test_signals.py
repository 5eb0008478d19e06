"""A program that is told to end at any moment ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from queue import Empty, SimpleQueue

import pytest

from genpool_adapters.signals import END_SIGNALS, EndSignal, end_signal

#: Signals come ten thousand times a second, while the flag is asked for again and again. A flag that takes a lock
#: to be set waits in the handler for what the handler interrupted, as ``threading.Event`` did at once.
STORM = """
import signal
from genpool_adapters.signals import EndSignal

came = 0
told = EndSignal()

def handler(*_):
    global came
    came += 1
    told.tell()

signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
while came < 2000:
    # Each look is a first one: one that has been told waits for nothing any more.
    told = EndSignal()
    while not told.wait(1e-5):
        pass
signal.setitimer(signal.ITIMER_REAL, 0)
print(told.wait())
"""

#: What a library may leave behind: a thread that is no daemon and never ends.
LEAVES_A_THREAD = """
import threading
from genpool_adapters.program import leave

threading.Thread(target=threading.Event().wait).start()
print("said before the end")
leave(3)
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_signal_at_any_moment_stops_nothing() -> None:
    done = run(STORM)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_a_thread_that_hangs_keeps_no_program() -> None:
    done = run(LEAVES_A_THREAD)
    assert (done.returncode, done.stdout) == (3, "said before the end\n"), done.stderr


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", END_SIGNALS)
def test_the_signals_tell_the_end(number: signal.Signals) -> None:
    told = end_signal()
    assert not told.wait(0)
    os.kill(os.getpid(), number)
    assert told.wait(20)
    # For good, and to be told again changes nothing.
    os.kill(os.getpid(), number)
    assert told.wait()
    assert told.wait(0)


def test_who_is_not_told_waits_that_long() -> None:
    began = time.monotonic()
    assert not EndSignal().wait(0.2)
    assert time.monotonic() - began >= 0.2
    assert not EndSignal().wait(-1)


class _Unnoticed(SimpleQueue[None]):
    """As when a signal comes just before the system's wait begins: its handler runs when the wait is over."""

    came = False

    def get(self, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - as it is
        assert timeout is not None, "it would wait for ever"
        if not self.came:
            self.came = True
            self.put(None)
            raise Empty
        return super().get(block, timeout)


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_a_signal_just_before_the_wait_is_noticed_soon(seconds: float | None) -> None:
    told = EndSignal()
    told._told = _Unnoticed()
    assert told.wait(seconds)
