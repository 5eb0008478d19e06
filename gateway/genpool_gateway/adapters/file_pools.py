"""The pools of files, for one machine without Kubernetes."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

import structlog

from genpool_adapters.manifest_files import manifest_files, manifests_of
from genpool_adapters.shipped_workflows import shipped_files
from genpool_core import timing
from genpool_core.errors import InvalidManifest
from genpool_gateway.pools.directory import PoolDirectory
from genpool_gateway.pools.errors import PoolsUnknown
from genpool_gateway.pools.manifests import pools_of

_log = structlog.get_logger("genpool_gateway.adapters.file_pools")
Stamp = tuple[tuple[str, int, int, int], ...]


class FilePools:
    """See the port :class:`genpool_gateway.pools.source.PoolSource`.

    ``path``: a file, or a folder whose YAML and JSON files are read. ``workflows``: the shipped ones. ``seconds``: for
    tests.
    """

    def __init__(self, path: Path, workflows: Path, *, seconds: float = timing.POOLS_FILES_SECONDS) -> None:
        self._path = path
        self._shipped = partial(shipped_files, workflows)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._snapshot: PoolDirectory | None = None
        self._error: str | None = None
        self._stamp: Stamp | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file-pools", daemon=True)

    def start(self) -> None:
        """Begin to look at the files; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; it is for one use."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def trouble(self) -> str | None:
        """Why the pools are not known."""
        with self._lock:
            return self._trouble()

    def outdated(self) -> str | None:
        """Why the files as they are now are not what is known."""
        with self._lock:
            return self._error

    def snapshot(self) -> PoolDirectory:
        """The pools of the files as they were last read without fault."""
        with self._lock:
            if self._snapshot is None:
                raise PoolsUnknown(self._trouble() or "")
            return self._snapshot

    def _trouble(self) -> str | None:
        return None if self._snapshot is not None else self._error or f"{self._path} has not been read yet."

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._look()
            self._stopping.wait(self._seconds)

    def _look(self) -> None:
        try:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            found = pools_of(manifests_of(self._path), self._shipped)
        except OSError as error:
            self._stamp = None
            self._fail(
                f"{error.filename or self._path} cannot be read ({error.strerror or type(error).__name__})."
            )
        except InvalidManifest as error:
            self._stamp = stamp
            self._fail(f"{self._path}: {error.message}")
        else:
            self._stamp = stamp
            with self._lock:
                before, self._snapshot, self._error = self._snapshot, found, None
            # Figures in a status are others all the time, and nothing to tell.
            if before is None or _served(before) != _served(found):
                _log.info("pools_read", path=str(self._path), pools=len(found.pools))

    def _fail(self, sentence: str) -> None:
        with self._lock:
            known, self._error = self._error, sentence
        if known != sentence:
            _log.warning("pools_not_read", message=sentence)


def _served(directory: PoolDirectory) -> list[object]:
    return [(pool.ref, pool.spec, pool.trouble) for pool in directory.pools]


def _stamp(path: Path) -> Stamp:
    """Changes when a file does."""
    found = [(item, item.stat()) for item in manifest_files(path)]
    return tuple((str(item), stat.st_mtime_ns, stat.st_size, stat.st_ino) for item, stat in found)
