"""The folder of a local GenPool: what is kept, where logs are, and who looks after it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from genpool_cli.errors import CliError


def default_folder() -> Path:
    """Where a person's programs keep their state (XDG)."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "genpool"


@dataclass(frozen=True)
class Run:
    """A local GenPool that is up, or was: its supervisor, and what to tell people."""

    pid: int
    started: float
    """When the supervisor's process began, as the system says it: a number alone may be another's by now."""
    url: str
    pool: str
    comfyui: str
    rabbitmq: str

    @property
    def alive(self) -> bool:
        """Whether its supervisor runs."""
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


@dataclass(frozen=True)
class Folder:
    """See the module. Only its owner may look into it."""

    root: Path

    @property
    def secrets(self) -> Path:
        """Logins and keys."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        """One file a program."""
        return self.root / "logs"

    @property
    def data(self) -> Path:
        """What stays when GenPool is down: the task store, the broker's queues, results."""
        return self.root / "data"

    @property
    def work(self) -> Path:
        """Files that are written anew at each start."""
        return self.root / "run"

    def make(self) -> None:
        """Make it. Raises CliError."""
        try:
            for path in (self.root, self.secrets, self.logs, self.data, self.work):
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.root.chmod(0o700)
        except OSError as error:
            text = f"{self.root} cannot be made ({error.strerror}): name another folder by --folder."
            raise CliError(text, reason="Unwritable") from error

    def run(self) -> Run | None:
        """The run that was written down last."""
        try:
            return Run(**json.loads(self._state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write_run(self, run: Run | None) -> None:
        """Write a run down; None: there is none any more."""
        if run is None:
            self._state.unlink(missing_ok=True)
        else:
            write(self._state, json.dumps(asdict(run)))

    @property
    def _state(self) -> Path:
        return self.root / "run.json"


def pools_file(folder: Folder) -> Path:
    """The pool as the gateway reads it."""
    return folder.work / "pools" / "pool.yaml"


def topology_state(folder: Folder) -> Path:
    """What is wrong with the topology; empty when nothing is."""
    return folder.work / "topology"


def write(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as part:
        part.write(text)
    Path(part.name).replace(path)
