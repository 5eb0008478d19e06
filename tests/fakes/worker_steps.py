"""What all fakes of the worker share: numbered steps that fail on demand, a clock that moves when somebody waits."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Literal

from PIL import Image

from genpool_core.errors import GenPoolError

Side = Literal["before", "after"]


class CrashNow(BaseException):
    """The process is gone: no handler, no finally block may do anything any more."""


class FakeClock:
    """Time that moves only when somebody waits."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.001)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.sleep(seconds)
        return event.is_set()


class SkewedClock:
    """The same time, as a node's clock tells it that is so many seconds ahead."""

    def __init__(self, clock: FakeClock, ahead: float) -> None:
        self._clock = clock
        self._ahead = timedelta(seconds=ahead)

    def now(self) -> datetime:
        return self._clock.now() + self._ahead

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return self._clock.wait(event, seconds)


class Steps:
    """Counts a worker's calls and makes them fail on demand."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.failed: list[str] = []
        """The calls that were made to fail."""
        self.down: str | None = None
        """Calls whose names begin so fail from now on."""
        self.crash_at: int | None = None
        self.crash_on: str | None = None
        self.fail_at: int | None = None
        self.fail_on: str | None = None
        self.fail_side: Side = "before"
        self.fail_with: GenPoolError | None = None
        self.between: dict[int, Callable[[], None]] = {}
        self.dead = False

    @contextmanager
    def step(self, name: str, error: GenPoolError | None = None) -> Iterator[None]:
        if self.dead:
            raise CrashNow
        self.names.append(name)
        number = len(self.names)
        self.between.pop(number, lambda: None)()
        if number == self.crash_at or name == self.crash_on:
            self.dead = True
            raise CrashNow
        chosen = number == self.fail_at or name == self.fail_on or (self.down and name.startswith(self.down))
        fails = (self.fail_with or error) if chosen else None
        if fails:
            self.failed.append(name)
        if fails and self.fail_side == "before":
            raise fails
        yield
        if fails and self.fail_side == "after":
            raise fails


def png(width: int, height: int) -> bytes:
    """A whole grey picture."""
    file = io.BytesIO()
    Image.new("L", (width, height), 127).save(file, "PNG")
    return file.getvalue()
