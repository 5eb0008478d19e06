"""``python -m genpool_cli.local.supervisor FOLDER``: starts the programs of a local GenPool, and starts them again.

It ends with SIGTERM: the programs are ended from the last to the first, so that a worker finds its broker until it is
done. Its own log is ``logs/genpool.log``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import structlog

from genpool_adapters.logs import configure_logging
from genpool_adapters.signals import EndSignal, end_signal
from genpool_cli.local.folder import Folder
from genpool_cli.local.probing import Prober, is_silent
from genpool_cli.local.program_file import read_programs
from genpool_cli.local.readiness import unready
from genpool_cli.local.supervision import Life, Program, ended, hangs, needed, to_start
from genpool_core import timing

_log = structlog.get_logger("genpool_cli.local.supervisor")
#: Where this process is killed, its programs are told to end: nothing of them stays behind unlooked-after.
_WITH_US = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


class Supervisor:
    """See the module."""

    def __init__(self, programs: list[Program], logs: Path) -> None:
        self._programs = programs
        self._logs = logs
        self._lives = {program.name: Life() for program in programs}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._probers = {
            program.name: Prober(program.probe, partial(self._pid, program.name))
            for program in programs
            if program.probe is not None
        }

    def run(self, over: EndSignal) -> None:
        """Look after the programs until told to end."""
        for prober in self._probers.values():
            prober.start()
        while not over.wait(timing.LOCAL_LOOK_SECONDS):
            self.look(time.time())
        self.stop()

    def look(self, now: float) -> None:
        """Take in what has ended, end what hangs, start what is due."""
        for program in self._programs:
            life = self._lives[program.name]
            child = self._children.get(program.name)
            if child is not None and child.poll() is not None:
                del self._children[program.name]
                self._lives[program.name] = ended(life, now)
                wait = self._lives[program.name].due - now
                _log.warning("program_ended", program=program.name, code=child.returncode, again_seconds=wait)
            elif child is not None and (why := self._hangs(program, life, now)):
                _log.warning("program_hangs", program=program.name, message=why)
                self._end(program, child, timing.PROBE_GRACE_SECONDS)
        serving = {each.name for each in needed(self._programs, self._lives) if unready(each) is None}
        for program in to_start(self._programs, self._lives, serving, now):
            self._start(program, now)

    def stop(self) -> None:
        """End all programs, the last one first."""
        for prober in self._probers.values():
            prober.end()
        for program in reversed(self._programs):
            child = self._children.get(program.name)
            if child is not None:
                self._end(program, child, program.stop_seconds)

    def _pid(self, name: str) -> int:
        return self._lives[name].pid

    def _hangs(self, program: Program, life: Life, now: float) -> str:
        """How it hangs; empty where it does not."""
        if hangs(program, life, _written(program.restart_file)):
            return "it answers, and no prompt gets on"
        prober = self._probers.get(program.name)
        if (
            program.probe is not None
            and prober is not None
            and is_silent(program.probe, life, prober.answers, now)
        ):
            return "it does not answer"
        return ""

    def _start(self, program: Program, now: float) -> None:
        # What it is told to do depends on nothing of the person's shell but where programs and homes are.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        try:
            with (self._logs / f"{program.name}.log").open("ab") as log:
                child = subprocess.Popen(
                    [*_WITH_US, *program.command],
                    env={**kept, **program.environment},
                    cwd=program.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            self._lives[program.name] = ended(
                Life(started=now, failures=self._lives[program.name].failures), now
            )
            _log.warning("program_not_started", program=program.name, message=str(error))
            return
        self._children[program.name] = child
        self._lives[program.name] = Life(child.pid, now, self._lives[program.name].failures)
        _log.info("program_started", program=program.name, pid=child.pid)

    def _end(self, program: Program, child: subprocess.Popen[bytes], seconds: float) -> None:
        """Ask it to end, and kill it and what it started where it does not."""
        child.terminate()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            _log.warning("program_killed", program=program.name)
        _kill_group(child.pid)
        child.wait()
        _log.info("program_stopped", program=program.name)


def _kill_group(pid: int) -> None:
    """Each program leads a group of its own; what it left behind in it goes."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _written(path: str) -> float | None:
    try:
        return Path(path).stat().st_mtime if path else None
    except OSError:
        return None


def main() -> None:
    """Run until SIGTERM."""
    over = end_signal()
    folder = Folder(Path(sys.argv[1]))
    configure_logging("local")
    Supervisor(read_programs(folder), folder.logs).run(over)


if __name__ == "__main__":
    main()
