"""What is seen of one attempt while it runs: the times of its steps, where it failed, what ComfyUI wrote last."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from genpool_core.errors import TaskFailure
from genpool_core.ledger.records import FailedNode, Times
from genpool_worker.comfyui.run_times import RunTimes
from genpool_worker.errors import FailedAtNode


@dataclass
class AttemptTrace:
    """Filled in by the attempt's thread; the lease's thread reads when the run began."""

    gpus: int = 1
    fetched: datetime | None = None
    stored: datetime | None = None
    runs: list[RunTimes] = field(default_factory=list)
    """The prompts of the attempt: one, or two where the first was answered from the cache."""
    node: FailedNode | None = None
    log_lines: list[str] = field(default_factory=list)
    failure: TaskFailure | None = None
    """What was noted last, so that it is noted once."""

    def new_run(self) -> RunTimes:
        """Times for one more prompt."""
        self.runs.append(RunTimes())
        return self.runs[-1]

    @property
    def posted(self) -> datetime | None:
        """When the last prompt was posted."""
        return self.runs[-1].posted if self.runs else None

    @property
    def started(self) -> datetime | None:
        """When ComfyUI began to execute the first prompt."""
        return next((run.started for run in self.runs if run.started is not None), None)

    def note(self, failure: TaskFailure, log_lines: list[str]) -> None:
        """The attempt failed."""
        self.failure = failure
        self.node = failure.at if isinstance(failure, FailedAtNode) else None
        self.log_lines = log_lines

    def gpu_seconds(self, now: datetime) -> float | None:
        """Time on the GPUs times their number: until ``now`` where the end of a run was not seen; None: not known."""
        known = [seconds for run in self.runs if (seconds := run.seconds(now)) is not None]
        return None if self.runs and not known else round(sum(known) * self.gpus, 3)

    def times(self, *, enqueued: datetime | None, claimed: datetime, ended: datetime) -> Times:
        """All times of the attempt, which ended its run."""
        first, last = (self.runs[0], self.runs[-1]) if self.runs else (RunTimes(), RunTimes())
        return Times(
            enqueued=enqueued,
            claimed=claimed,
            fetched=self.fetched,
            submitted=first.submitted,
            started=self.started,
            finished=last.finished,
            stored=self.stored,
            ended=ended,
        )
