"""Which programs are to be started, now or later, and what a program that died tells. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from genpool_core import timing
from genpool_core.backoff import Backoff

#: Name of the program that does the tasks.
WORKER = "worker"
_AGAIN = Backoff(timing.LOCAL_RESTART_SECONDS, timing.LOCAL_RESTART_MOST_SECONDS, spread=0.0)


@dataclass(frozen=True)
class Probe:
    """How a program is asked whether it answers, as in ``spec.comfyui.probe``."""

    url: str
    startup_seconds: float
    period_seconds: float
    timeout_seconds: float
    failures: int


@dataclass(frozen=True)
class Program:
    """A program that is kept running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: str | None = None
    ready: str = ""
    """URL that answers well once it serves; empty where its running is enough."""
    state_file: str = ""
    """Written by a program that has no URL: what is wrong, and nothing once it serves."""
    needs: str = ""
    """Another program that must serve before this one is started the first time; later they find each other."""
    stop_seconds: float = timing.LOCAL_STOP_SECONDS
    """After so long it is killed."""
    restart_file: str = ""
    """Written by the worker when the program hangs: it is then restarted."""
    probe: Probe | None = None
    """How it is asked whether it answers; one that does not for long is restarted, too."""


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

    @property
    def is_new(self) -> bool:
        """Whether it was never started."""
        return not self.runs and self.failures == 0


def ended(life: Life, now: float) -> Life:
    """A program that has ended: when it is started again. One that ran for long begins anew with the short waits."""
    lived = now - life.started
    failures = 1 if lived >= timing.LOCAL_STEADY_SECONDS else life.failures + 1
    return Life(failures=failures, due=now + _AGAIN.seconds(failures))


def to_start(
    programs: Sequence[Program], lives: Mapping[str, Life], serving: Collection[str], now: float
) -> list[Program]:
    """The programs that do not run and whose time has come. ``serving``: those that others need."""
    return [each for each in programs if _may_start(each, lives[each.name], serving, now)]


def needed(programs: Sequence[Program], lives: Mapping[str, Life]) -> list[Program]:
    """The programs that others wait for to be started the first time."""
    names = {each.needs for each in programs if lives[each.name].is_new}
    return [each for each in programs if each.name in names]


def _may_start(program: Program, life: Life, serving: Collection[str], now: float) -> bool:
    if life.runs or life.due > now:
        return False
    return not program.needs or not life.is_new or program.needs in serving


def hangs(program: Program, life: Life, marked: float | None) -> bool:
    """Whether the worker says that the program, as it runs now, does not get on. ``marked``: when it said so."""
    return bool(program.restart_file) and life.runs and marked is not None and marked > life.started
