"""Which programs are to be started, now or later, and what a program that died tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genpool_core import timing
from genpool_core.backoff import Backoff

_AGAIN = Backoff(timing.LOCAL_RESTART_SECONDS, timing.LOCAL_RESTART_MOST_SECONDS, spread=0.0)


@dataclass(frozen=True)
class Program:
    """A program that is kept running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: str | None = None
    ready: str = ""
    """URL that answers well once it serves; empty where its running is enough."""
    stop_seconds: float = timing.LOCAL_STOP_SECONDS
    """After so long it is killed."""
    restart_file: str = ""
    """Written by the worker when the program hangs: it is then restarted."""


@dataclass(frozen=True)
class Life:
    """How a program fared until now."""

    pid: int = 0
    """0: it does not run."""
    started: float = 0.0
    failures: int = 0
    """Ends in a row, each soon after its start."""
    due: float = 0.0
    """Not started before this."""

    @property
    def runs(self) -> bool:
        """Whether it runs, as far as is known."""
        return self.pid != 0


def ended(life: Life, now: float) -> Life:
    """A program that has ended: when it is started again. One that ran for long begins anew with the short waits."""
    lived = now - life.started
    failures = 1 if lived >= timing.LOCAL_STEADY_SECONDS else life.failures + 1
    return Life(failures=failures, due=now + _AGAIN.seconds(failures))


def to_start(programs: Sequence[Program], lives: Mapping[str, Life], now: float) -> list[Program]:
    """The programs that do not run and whose time has come."""
    return [each for each in programs if not lives[each.name].runs and lives[each.name].due <= now]


def hangs(program: Program, life: Life, marked: float | None) -> bool:
    """Whether the worker says that the program, as it runs now, does not get on. ``marked``: when it said so."""
    return bool(program.restart_file) and life.runs and marked is not None and marked > life.started
