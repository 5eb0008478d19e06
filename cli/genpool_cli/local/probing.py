"""Whether a program answers, as Kubernetes' probes ask it on a cluster: one that does not for long is started again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import requests

from genpool_cli.local.supervision import Life, Probe


@dataclass(frozen=True)
class Answers:
    """What one life of a program answered."""

    pid: int = 0
    answered: bool = False
    """Once at least: it has started."""
    silences: int = 0
    """Since the last answer."""

    def then(self, pid: int, *, answer: bool) -> Answers:
        """With what it answered, or did not, when it was asked again."""
        before = self if self.pid == pid else Answers(pid)
        return Answers(pid, before.answered or answer, 0 if answer else before.silences + 1)


def is_silent(probe: Probe, life: Life, answers: Answers, now: float) -> bool:
    """Whether it is to be started again: it answered once and does no more, or never did in all its start. Pure."""
    if not life.runs:
        return False
    if answers.pid == life.pid and answers.answered:
        return answers.silences >= probe.failures
    return now - life.started > probe.startup_seconds


class Prober(threading.Thread):
    """Asks one program, on a thread of its own: an answer that does not come keeps nobody waiting.

    ``pid`` tells which life of the program is asked; 0: none.
    """

    def __init__(self, probe: Probe, pid: Callable[[], int]) -> None:
        super().__init__(name="probe", daemon=True)
        self.answers = Answers()
        self._probe = probe
        self._pid = pid
        self._over = threading.Event()

    def run(self) -> None:
        """Ask until told to end."""
        while not self._over.wait(self._probe.period_seconds):
            if pid := self._pid():
                self.answers = self.answers.then(pid, answer=self._answers())

    def end(self) -> None:
        """Have it end; returns at once."""
        self._over.set()

    def _answers(self) -> bool:
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.get(self._probe.url, timeout=self._probe.timeout_seconds).ok
        except requests.RequestException:
            return False
