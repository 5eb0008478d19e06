"""``genpool submit --each``: uploads, sends, waits and downloads for many files side by side."""

from __future__ import annotations

import glob
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from genpool_cli.batch.journal import Entry, Journal
from genpool_cli.catalogue import pool_of
from genpool_cli.client import ENDED, Gateway
from genpool_cli.errors import Away, CliError, NotSucceeded
from genpool_cli.files import download, names_for, upload
from genpool_cli.show.output import Format, as_json, note
from genpool_core import timing
from genpool_core.canonical import canonical_json

#: Beside the results: what was sent, and how far it is.
JOURNAL = ".genpool-submit.jsonl"


@dataclass(frozen=True)
class Wishes:
    """What is wanted of each file: ``task`` is the task without it."""

    pattern: str
    task: dict[str, Any]
    parameter: str
    parallel: int
    folder: Path | None
    wait: bool

    @property
    def to_end(self) -> bool:
        """Whether its end is waited for."""
        return self.wait or self.folder is not None


@dataclass
class Count:
    """What became of the files."""

    succeeded: int = 0
    sent: int = 0
    already: int = 0
    failed: int = 0


def submit_each(gateway: Gateway, workflow: dict[str, Any], wishes: Wishes, output: Format) -> None:
    """A task for each file that fits, except for those that an earlier run has dealt with.

    Raises
    ------
    Away
        The gateway is away for long: run it again, and it goes on.
    NotSucceeded
        Some did not succeed; each was told.
    CliError
        No file fits, or nothing can be sent.
    """
    # As a shell reads it: an absolute pattern, and `**`, which Path.glob does not take so.
    found = glob.glob(wishes.pattern, recursive=True)  # noqa: PTH207
    files = sorted(path for path in map(Path, found) if path.is_file())
    if not files:
        raise CliError(
            f"No file fits {wishes.pattern}: quote the pattern, so that the shell leaves it alone."
        )
    pool = pool_of(workflow, wishes.task.get("pool"))
    task = {**wishes.task, "workflow": workflow["name"], "pool": pool}
    journal = Journal((wishes.folder or Path()) / JOURNAL)
    work = _Work(gateway, journal, replace(wishes, task=task), _root(wishes.pattern))
    try:
        count = _all(work, files, live=output is Format.TABLE)
    finally:
        journal.close()
    if output is Format.JSON:
        as_json(vars(count) | {"files": len(files), "journal": str(journal.path)})
    else:
        done = f"{count.succeeded} succeeded" if wishes.to_end else f"{count.sent} sent"
        note(f"{len(files)} files: {done}, {count.already} dealt with before, {count.failed} failed")
    if count.failed:
        raise NotSucceeded(
            f"{count.failed} of {len(files)} files did not succeed; {journal.path} says which."
        )


def _all(work: _Work, files: list[Path], *, live: bool) -> Count:
    count = Count()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True, highlight=False)
    pool = ThreadPoolExecutor(work.wishes.parallel, thread_name_prefix="file")
    with Progress(*columns, console=console, disable=not live) as progress:
        bar = progress.add_task("files", total=len(files))
        running = {pool.submit(work.do, path): path for path in files}
        try:
            for done in as_completed(running):
                try:
                    setattr(count, name := done.result(), getattr(count, name) + 1)
                except Away:
                    raise
                except CliError as error:
                    count.failed += 1
                    progress.console.print(f"{running[done]}: {error.message}", markup=False)
                progress.advance(bar)
        finally:
            # An interruption, or a gateway that is gone: what has begun is in the journal.
            work.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
    return count


class _Work:
    """What is done for one file, in one of the threads."""

    def __init__(self, gateway: Gateway, journal: Journal, wishes: Wishes, root: Path) -> None:
        self.wishes = wishes
        self.stop = threading.Event()
        self._gateway = gateway
        self._journal = journal
        self._root = root

    def do(self, path: Path) -> str:
        """Bring a file as far as is wanted; the name of what to count."""
        key = key_of(path, self.wishes.task, self.wishes.parameter)
        entry = self._journal.of(key) or Entry(key, str(path))
        if _dealt_with(entry, self.wishes):
            return "already" if entry.status in {"succeeded", "queued"} else "failed"
        entry = self._sent(entry, path)
        if not self.wishes.to_end:
            return "sent"
        task = self._ended(entry)
        entry = self._journal.write(replace(entry, status=task["status"]))
        if task["status"] != "succeeded":
            why = (task.get("error") or {}).get("message", "")
            raise CliError(f"{task['status']} (task {task['id']}): {why}", reason="NotSucceeded")
        if self.wishes.folder is not None:
            self._journal.write(replace(entry, saved=self._saved(task, path)))
        return "succeeded"

    def _sent(self, entry: Entry, path: Path) -> Entry:
        if entry.task:
            return entry
        if not entry.upload:
            value = upload(self._gateway, self.wishes.task["pool"], path)
            # Before the task is sent: sent again it must be the same.
            entry = self._journal.write(replace(entry, upload=value))
        task = self.wishes.task
        body = {**task, "parameters": {**task["parameters"], self.wishes.parameter: entry.upload}}
        same = hashlib.sha256(f"{entry.key} {entry.upload}".encode()).hexdigest()
        made = self._gateway.post("/v1/tasks", body, again=True, **{"Idempotency-Key": same})
        return self._journal.write(replace(entry, task=made["id"], status=made["status"]))

    def _ended(self, entry: Entry) -> dict[str, Any]:
        while True:
            task = self._gateway.task(entry.task, wait=timing.CLI_WAIT_SECONDS)
            if task["status"] in ENDED:
                return task
            if self.stop.is_set():
                raise Away("The program was stopped: run it again, and it goes on.", reason="Stopped")

    def _saved(self, task: dict[str, Any], path: Path) -> tuple[str, ...]:
        assert self.wishes.folder is not None  # noqa: S101 - who calls has looked
        folder = self.wishes.folder / path.relative_to(self._root).parent
        saved = []
        for output, name in names_for(task, path.stem):
            target = folder / name
            download(output, target)
            saved.append(str(target))
        return tuple(saved)


def key_of(path: Path, task: dict[str, Any], parameter: str) -> str:
    """Of a file's contents and of what is wanted with it: another wish is another task. Raises CliError."""
    try:
        digest = hashlib.file_digest(path.open("rb"), "sha256").hexdigest()
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}.", reason="Unreadable") from error
    wish = canonical_json({**task, "file": str(path), "parameter": parameter, "contents": digest})
    return hashlib.sha256(wish).hexdigest()


def _dealt_with(entry: Entry, wishes: Wishes) -> bool:
    if not entry.task:
        return False
    if not wishes.to_end:
        return True
    ended = entry.status in ENDED
    return ended and (entry.status != "succeeded" or wishes.folder is None or bool(entry.saved))


def _root(pattern: str) -> Path:
    """The folder above the first wildcard: below it the results lie as the files do."""
    parts = Path(pattern).parts
    fixed = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return Path(*parts[:fixed])
