import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from genpool_core.canonical import canonical_json
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import EndRecord
from genpool_dev.cluster.model import RabbitMQInfo
from genpool_dev.demo import plan, publish
from genpool_dev.demo.prepare import STEP_SECONDS
from genpool_dev.stack.gateway import GatewayApi, Json
from genpool_dev.stack.pools import EXAMPLES, read_pools
from genpool_dev.stack.servers.drawing import size_of
from genpool_gateway.api.submission import SubmitTask

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNS = plan.runs("http://10.0.0.1:1", "http://10.0.0.1:2")
API_TASKS = plan.api_tasks("demo", "http://10.0.0.1:2")
ROOT = Path(__file__).resolve().parents[4]


@dataclasses.dataclass
class FakeApi:
    """Takes every task."""

    keys: list[str | None] = dataclasses.field(default_factory=list)

    def submit(self, body: JsonObject, *, idempotency_key: str | None = None) -> Json:
        self.keys.append(idempotency_key)
        name = str(body["pool"]).partition("/")[2]
        return {"pool": {"name": name}, "task_id": f"id-{len(self.keys) - 1}"}


def count(run: plan.ProducerRun) -> int:
    explicit = [word for word in run.arguments if word.startswith("--count=")]
    return int(explicit[0].removeprefix("--count=")) if explicit else len(run.sizes)


def test_24_tasks_a_third_through_the_api_and_a_third_for_each_producer() -> None:
    per_queue = {"api": len(API_TASKS)}
    for run in RUNS:
        per_queue[run.queue] = per_queue.get(run.queue, 0) + count(run)
    assert per_queue == {"api": 8, "generation_tasks": 8, "photo_repair_tasks": 8}


def test_the_api_takes_these_tasks_and_no_two_are_the_same() -> None:
    sent = [SubmitTask.model_validate(task.body) for task in API_TASKS]
    assert {task.pool for task in sent} == {"demo/text"}
    assert len({canonical_json(task.parameters) for task in sent}) == len(sent)
    for task, request in zip(API_TASKS, sent, strict=True):
        assert task.size == (request.parameters["width"], request.parameters["height"])


def test_what_the_api_took_is_known_by_the_id_that_it_answered() -> None:
    api = FakeApi()
    sent = publish.send_all(API_TASKS, cast("GatewayApi", api))
    assert [(task.pool, task.key, task.size) for task in sent[:2]] == [
        ("text", "id-0", (512, 768)),
        ("text", "id-1", (512, 768)),
    ]
    assert len(set(api.keys)) == len(API_TASKS)


def test_every_photo_is_another_one() -> None:
    urls = [url for run in RUNS if run.queue == plan.PHOTO_QUEUE for url in run.sizes]
    assert len(set(urls)) == len(urls) == 8


def test_the_producers_are_there() -> None:
    assert {(ROOT / run.script).is_file() for run in RUNS} == {True}


def test_sizes_lie_in_the_bounds_of_their_workflows() -> None:
    assert 400 <= plan.KINDS["people"][2] <= 960
    assert 960 <= plan.KINDS["buildings"][2] <= 1280


def test_a_text_task_is_known_by_its_id() -> None:
    run = RUNS[0]
    told = publish.read_line("sent 1c-2f: a fox: in a forest\n", run, NOW)
    assert told == publish.Published("text", "1c-2f", (512, 512), NOW, "a fox: in a forest")


def test_a_photo_is_known_by_its_url_because_its_id_is_constant() -> None:
    run = next(run for run in RUNS if run.queue == plan.PHOTO_QUEUE)
    url = "http://10.0.0.1:1/people/1.jpg"
    told = publish.read_line(f"sent task_12345: {url}\n", run, NOW)
    assert told == publish.Published("photo-people", url, size_of(1), NOW, "people-1")


def test_another_line_is_no_task() -> None:
    assert publish.read_line("connecting …\n", RUNS[0], NOW) is None


def test_an_end_record_is_matched_by_photo_or_id() -> None:
    end = EndRecord(
        task_key="k",
        task_id="task_12345",
        run=1,
        attempt=1,
        nonce="n",
        outcome="succeeded",
        reason="Succeeded",
        message="",
        worker="w",
        ended_at=NOW,
        parameters={"image_url": "http://10.0.0.1:1/people/1.jpg"},
    )
    assert publish.key_of(end) == "http://10.0.0.1:1/people/1.jpg"
    text = end.model_copy(update={"parameters": {"prompt": "x"}, "task_id": "1c-2f"})
    assert publish.key_of(text) == "1c-2f"


#: Says as what it sent its password and then its command line.
TALKATIVE = "import os, sys; print('sent 1:', os.environ['RABBITMQ_PASSWORD'], *sys.orig_argv)"


def test_the_password_goes_by_environment_and_not_by_argument(tmp_path: Path) -> None:
    rabbitmq = RabbitMQInfo(
        host="h",
        port=1,
        management_url="http://h",
        username="u",
        password="s3cret",
        in_cluster_host="c",
    )
    made = publish.producer_environment(rabbitmq, {"PATH": "/bin"})
    assert made["RABBITMQ_PASSWORD"] == "s3cret"
    assert made["PATH"] == "/bin"
    (tmp_path / "producer.py").write_text(TALKATIVE)
    run = dataclasses.replace(RUNS[0], script=Path("producer.py"))
    (sent,) = publish.publish(run, tmp_path, rabbitmq)
    password, *command = sent.label.split()
    assert password == "s3cret"
    assert str(tmp_path / "producer.py") in command
    assert not [word for word in command if "s3cret" in word]


def test_another_prompt_has_the_size_of_its_run() -> None:
    assert RUNS[0].size_of("whatever") == (512, 512)


def test_the_demo_knows_the_queues_and_pools_of_its_examples() -> None:
    texts = [(ROOT / EXAMPLES / name).read_text(encoding="utf-8") for name in STEP_SECONDS]
    pools = [pool for text in texts for pool in read_pools(text)]
    assert {pool.queue for pool in pools} | {pool.intake for pool in pools} - {None} == set(plan.QUEUES)
    assert {pool.name for pool in pools} == {run.pool for run in RUNS}
