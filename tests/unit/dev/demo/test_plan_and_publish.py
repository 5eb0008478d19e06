import dataclasses
from datetime import UTC, datetime
from pathlib import Path

from genpool_core.ledger.records import EndRecord
from genpool_dev.cluster.model import RabbitMQInfo
from genpool_dev.demo import plan, publish
from genpool_dev.stack.servers.drawing import size_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNS = plan.runs("http://10.0.0.1:1", "http://10.0.0.1:2")
ROOT = Path(__file__).resolve().parents[4]


def count(run: plan.ProducerRun) -> int:
    explicit = [word for word in run.arguments if word.startswith("--count=")]
    return int(explicit[0].removeprefix("--count=")) if explicit else len(run.sizes)


def test_24_tasks_16_of_words_and_8_of_photos() -> None:
    per_queue: dict[str, int] = {}
    for run in RUNS:
        per_queue[run.queue] = per_queue.get(run.queue, 0) + count(run)
    assert per_queue == {"generation_tasks": 16, "photo_repair_tasks": 8}


def test_every_photo_is_another_one() -> None:
    urls = [url for run in RUNS if run.queue == plan.PHOTO_QUEUE for url in run.sizes]
    assert len(set(urls)) == len(urls) == 8


def test_the_producers_are_there() -> None:
    assert {(ROOT / run.script).is_file() for run in RUNS} == {True}


def test_sizes_lie_in_the_bounds_of_their_workflows() -> None:
    assert 400 <= plan.KINDS["people"][1] <= 960
    assert 960 <= plan.KINDS["buildings"][1] <= 1280


def test_a_text_task_is_known_by_its_id() -> None:
    run = RUNS[0]
    told = publish.read_line("sent 1c-2f: a fox: in a forest\n", run, NOW)
    assert told == publish.Published("generation_tasks", "1c-2f", (512, 512), NOW, "a fox: in a forest")


def test_a_photo_is_known_by_its_url_because_its_id_is_constant() -> None:
    run = next(run for run in RUNS if run.queue == plan.PHOTO_QUEUE)
    url = "http://10.0.0.1:1/people/1.jpg"
    told = publish.read_line(f"sent task_12345: {url}\n", run, NOW)
    assert told == publish.Published("photo_repair_tasks", url, size_of(1), NOW, "people-1")


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
    assert dataclasses.replace(RUNS[1]).size_of("whatever") == (512, 768)
