from datetime import UTC, datetime, timedelta

from genpool_core.ledger.records import Claim, EndRecord, Outcome, Output
from genpool_dev.demo.measure import Evidence, api_faults, ledger_faults, measure
from genpool_dev.demo.publish import Published
from genpool_dev.demo.table import Sample
from genpool_dev.stack.bucket import RunRecord
from genpool_dev.stack.servers.receiver import Delivery

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def sent(key: str, at: float = 0.0) -> Published:
    return Published("text", key, (8, 8), T0 + timedelta(seconds=at), key)


def run(
    task_id: str,
    at: float,
    *,
    claims: int = 1,
    outcome: Outcome = "succeeded",
    files: tuple[str, ...] = ("p.png",),
    named: tuple[str, ...] = ("p.png",),
) -> RunRecord:
    outputs = [
        Output(key=key, bucket="b", node="9", kind="images", content_type="image/png", bytes=1, sha256="0")
        for key in named
    ]
    end = EndRecord(
        task_key=task_id,
        task_id=task_id,
        run=1,
        attempt=claims,
        nonce="n",
        outcome=outcome,
        reason="NodeFailed" if outcome == "dead" else "Succeeded",
        message="why",
        worker="w",
        outputs=outputs,
        ended_at=T0 + timedelta(seconds=at),
    )
    made = tuple(
        Claim.model_construct(task_key=task_id, run=1, attempt=number) for number in range(1, claims + 1)
    )
    return RunRecord(task_id, 1, made, end, tuple(files))


def delivery(webhook_id: str, status: int = 204) -> Delivery:
    return Delivery(time=T0, webhook_id=webhook_id, path="/", verified=True, status=status, body={})


def sample(**figures: int | None) -> Sample:
    values: dict[str, int | None] = {"waiting": 0, "running": 0, "replicas": 0, "dead": 0, **figures}
    return Sample(pool="text", tasks=2, **values)


def test_figures_of_a_good_demo() -> None:
    evidence = Evidence(
        published=[sent("a"), sent("b", 1)],
        runs=[run("a", 9, claims=2), run("b", 7)],
        deliveries=[delivery("1", 503), delivery("1"), delivery("1"), delivery("2")],
        samples=[sample(), sample()],
        peak=3,
    )
    figures = measure(evidence)
    assert (figures.tasks, figures.results, figures.dead, figures.waiting) == (2, 2, 0, 0)
    assert (figures.p50_s, figures.p95_s, figures.cold_s) == (6.0, 9.0, 7.0)
    assert (figures.retries, figures.callbacks, figures.callback_ids) == (1, 3, 2)
    assert (figures.peak_replicas, figures.final_replicas, figures.unverified) == (3, 0, 0)


def test_a_dead_task_is_no_result_and_counts_once() -> None:
    runs = [run("a", 9, outcome="dead", files=(), named=())]
    figures = measure(Evidence([sent("a")], runs, [], [sample(dead=1)], 2))
    assert (figures.results, figures.dead) == (0, 1)


def test_what_the_last_look_did_not_see_is_unknown() -> None:
    figures = measure(Evidence([sent("a")], [], [], [sample(running=None), sample(replicas=None)], 2))
    assert figures.waiting is None
    assert figures.final_replicas is None


def test_an_end_of_a_task_that_was_not_published_is_no_result() -> None:
    figures = measure(Evidence([sent("a")], [run("other", 3)], [], [sample()], 2))
    assert figures.results == 0
    assert figures.cold_s is None


def test_a_clean_ledger_has_no_fault() -> None:
    assert ledger_faults([sent("a")], [run("a", 1)]) == []


def test_faults_of_the_ledger() -> None:
    published = [sent("a"), sent("b"), sent("c"), sent("d")]
    runs = [
        run("b", 1, files=("p.png", "stray.png")),
        run("c", 1),
        run("c", 2),
        run("d", 1, outcome="dead"),
        run("x", 1),
    ]
    told = ledger_faults(published, runs)
    assert told == [
        "a has no end record",
        "c has more than one end record",
        "x has an end record, and was never published",
        "stray.png is in the bucket, and no end record names it",
        "d ended as dead: NodeFailed: why",
    ]


def told(task_id: str, status: str = "succeeded", url: str | None = None) -> dict[str, object]:
    parameters = {"prompt": "x"} if url is None else {"image_url": url}
    return {"task_id": task_id, "status": status, "parameters": parameters}


def test_the_api_tells_the_same_story() -> None:
    published = [sent("a"), sent("http://p/1.jpg"), sent("http://p/2.jpg")]
    tasks = [told("a"), told("task_12345", url="http://p/1.jpg"), told("task_12345", url="http://p/2.jpg")]
    assert api_faults(published, tasks) == []


def test_where_the_api_tells_another_story_it_is_said() -> None:
    faults = api_faults([sent("a"), sent("b"), sent("c")], [told("a"), told("a"), told("b", "failed")])
    assert len(faults) == 3
    for part in ("does not know c", "tells of a more than once", "says that b is failed"):
        assert any(part in fault for fault in faults)
