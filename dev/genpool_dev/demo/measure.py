"""From what was published, and what bucket, broker and receiver tell in the end, to the demo's figures. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from genpool_dev.demo.figures import Figures, cold_start, percentile, waits
from genpool_dev.demo.publish import Published, key_of
from genpool_dev.demo.table import Sample
from genpool_dev.stack.bucket import RunRecord
from genpool_dev.stack.gateway import Json
from genpool_dev.stack.servers.receiver import Delivery


@dataclass(frozen=True)
class Evidence:
    """Everything that the figures come from."""

    published: Sequence[Published]
    runs: Sequence[RunRecord]
    """Every run of every task in the bucket."""
    deliveries: Sequence[Delivery]
    samples: Sequence[Sample]
    """The last look at each pool."""
    peak: int


def measure(evidence: Evidence) -> Figures:
    """The figures of a demo."""
    ends = [run.end for run in evidence.runs if run.end is not None]
    good = {key_of(end): end.ended_at for end in ends if end.outcome == "succeeded"}
    sent = {task.key: task.published_at for task in evidence.published}
    spans = waits(sent, good)
    taken = [delivery for delivery in evidence.deliveries if delivery.status < 300]  # noqa: PLR2004 - HTTP
    return Figures(
        tasks=len(evidence.published),
        results=sum(key in good for key in sent),
        dead=max(
            sum(end.outcome != "succeeded" for end in ends),
            sum(sample.dead or 0 for sample in evidence.samples),
        ),
        waiting=_total([count for sample in evidence.samples for count in (sample.waiting, sample.running)]),
        peak_replicas=evidence.peak,
        final_replicas=_total([sample.replicas for sample in evidence.samples]),
        p50_s=percentile(spans, 0.5),
        p95_s=percentile(spans, 0.95),
        cold_s=cold_start(sent, {key: time for key, time in good.items() if key in sent}),
        retries=sum(max(len(run.claims) - 1, 0) for run in evidence.runs),
        callbacks=len(taken),
        callback_ids=len({delivery.webhook_id for delivery in taken}),
        unverified=sum(delivery.verified is False for delivery in evidence.deliveries),
    )


def ledger_faults(published: Sequence[Published], runs: Sequence[RunRecord]) -> list[str]:
    """What is doubled, missing or left over in the bucket, a sentence each."""
    ends = Counter(key_of(run.end) for run in runs if run.end is not None)
    sent = Counter(task.key for task in published)
    missing, doubled, unknown = sent - ends, ends - sent, ends.keys() - sent.keys()
    strays = [key for run in runs for key in run.strays]
    failed = [run.end for run in runs if run.end is not None and run.end.outcome != "succeeded"]
    lists = [
        ([f"{key} has no end record" for key in missing]),
        ([f"{key} has more than one end record" for key in doubled if key not in unknown]),
        ([f"{key} has an end record, and was never published" for key in unknown]),
        ([f"{key} is in the bucket, and no end record names it" for key in strays]),
        ([f"{key_of(end)} ended as {end.outcome}: {end.reason}: {end.message}" for end in failed]),
    ]
    return [sentence for sentences in lists for sentence in sentences]


def api_faults(published: Sequence[Published], tasks: Sequence[Json]) -> list[str]:
    """Where the API tells another story than what was sent: each task once, and succeeded. A sentence each."""
    told = Counter(_api_key(task) for task in tasks)
    sent = Counter(task.key for task in published)
    other = [task for task in tasks if task["status"] != "succeeded" and _api_key(task) in sent]
    return [
        *(f"the API does not know {key}" for key in sent - told),
        *(f"the API tells of {key} more than once, or of a task that was not sent" for key in told - sent),
        *(f"the API says that {_api_key(task)} is {task['status']}" for task in other),
    ]


def _api_key(task: Json) -> str:
    """What a task of the API was published under (``Published.key``)."""
    url = (task.get("parameters") or {}).get("image_url")
    return url if isinstance(url, str) else str(task["task_id"])


def _total(counts: Sequence[int | None]) -> int | None:
    """The sum, or None where one is unknown: unknown is not zero."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
