"""The manifests of docs/examples, the documents beside them, and the producers of the demo."""

from __future__ import annotations

import importlib.util
import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from genpool_core import errors
from genpool_core.api import GenerationPool
from genpool_core.egress_policy import check_url
from genpool_core.errors import (
    AttemptFailed,
    InvalidMessage,
    InvalidTask,
    RefusedInput,
    TaskFailure,
)
from genpool_core.intakes import intake_fault, routes
from genpool_core.messages.task import RESERVED, Shape, parse_body, parse_task
from genpool_core.workerconfig import worker_config
from genpool_core.workflow.bind import bind
from genpool_core.workflow.render import check_targets, render
from genpool_core.workflow.spec import WorkflowYaml, check_template, parse_workflow_yaml

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs/examples"
SINGLE_POOLS = ["text-pool.yaml", "photo-pool.yaml"]
PRODUCERS = ROOT / "tests/data/producers"


def documents(file: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / file).read_text()))


def pools_of(file: str) -> list[GenerationPool]:
    found = [item for item in documents(file) if item["kind"] == "GenerationPool"]
    for number, item in enumerate(found, 1):
        item["metadata"]["uid"] = f"uid-{number}"
    return [GenerationPool.parse(item) for item in found]


def pool_of(file: str) -> GenerationPool:
    (pool,) = pools_of(file)
    return pool


def builtin(name: str) -> WorkflowYaml:
    text = (ROOT / "workflows" / name / "workflow.yaml").read_text()
    return parse_workflow_yaml(yaml.safe_load(text), where=name)


@pytest.mark.parametrize("file", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_an_example_is_a_pool_that_works(file: str) -> None:
    pools = pools_of(file)
    assert pools
    for pool in pools:
        assert pool.metadata.namespace == "genpool-demo"
        assert worker_config(pool).workflows
        for workflow in pool.spec.workflows:
            if workflow.source.builtin is not None:
                assert (ROOT / "workflows" / workflow.source.builtin / "template.json").is_file()
    assert (EXAMPLES / "README.md").read_text().count(f"[{file}]({file})") == 1


@pytest.mark.parametrize(
    ("file", "queue", "workflows", "most"),
    [
        ("text-pool.yaml", "generation_tasks", ["text-to-image"], 3),
        (
            "photo-pool.yaml",
            "photo_repair_tasks",
            ["DDColor人物黑白修复.json", "DDColor建筑黑白修复.json"],
            2,
        ),
    ],
)
def test_the_pools_of_the_demo(file: str, queue: str, workflows: list[str], most: int) -> None:
    pool = pool_of(file)
    assert pool.spec.queue.name == queue
    assert [workflow.name for workflow in pool.spec.workflows] == workflows
    assert (pool.spec.scaling.min_replicas, pool.spec.scaling.max_replicas) == (0, most)
    resources: Any = pool.spec.comfyui.resources
    assert resources["limits"]["nvidia.com/gpu"] == 1


@pytest.mark.parametrize("file", SINGLE_POOLS)
def test_what_the_readme_tells_to_replace_is_there(file: str) -> None:
    text = (EXAMPLES / file).read_text()
    readme = (EXAMPLES / "README.md").read_text()
    assert text.count("genpool/comfyui-standin:dev") == 1
    assert "http://s3.genpool-dev.svc:9000" in text
    replaced = text.replace("192.0.2.10", "10.88.0.1").replace("8091", "40001").replace("8092", "40002")
    body = yaml.safe_load(replaced)
    body["metadata"]["uid"] = "uid-1"
    security = GenerationPool.parse(body).spec.security
    assert check_url("http://10.88.0.1:40002/hook", security.callback_hosts) == ("10.88.0.1", 40002)
    if file == "photo-pool.yaml":
        assert check_url("http://10.88.0.1:40001/1.jpg", security.image_hosts) == ("10.88.0.1", 40001)
    for part in (
        "genpool/comfyui-standin:dev",
        "192.0.2.10",
        "8091",
        "8092",
        "http://s3.genpool-dev.svc:9000",
    ):
        assert f"`{part}`" in readme


def test_the_two_pools_share_a_bucket_and_no_folder() -> None:
    prefixes = {pool_of(file).spec.storage.s3.prefix for file in SINGLE_POOLS}
    assert len(prefixes) == len(SINGLE_POOLS)


def test_the_pools_behind_one_queue() -> None:
    pools = pools_of("photo-pools.yaml")
    assert [intake_fault(pool, pools) for pool in pools] == [None, None]
    assert {pool.spec.queue.intake for pool in pools} == {"photo_repair_tasks"}
    assert {name: pool.metadata.name for name, pool in routes(pools).by_name.items()} == {
        "DDColor人物黑白修复.json": "photo-people",
        "DDColor建筑黑白修复.json": "photo-buildings",
    }
    assert len({pool.spec.storage.s3.prefix for pool in pools} | {"photo/"}) == 3
    text = (EXAMPLES / "photo-pools.yaml").read_text()
    assert text.count("genpool/comfyui-standin:dev") == text.count("http://s3.genpool-dev.svc:9000") == 2
    one = documents("photo-pool.yaml")[0]["spec"]
    for body in documents("photo-pools.yaml"):
        same = {
            name: value
            for name, value in body["spec"].items()
            if name not in {"queue", "workflows", "storage"}
        }
        assert same == {name: one[name] for name in same}, "as the pool that has both workflows"


def test_an_own_workflow() -> None:
    config_map, _ = documents("own-workflow.yaml")
    pool = pool_of("own-workflow.yaml")
    source = pool.spec.workflows[0].source.config_map
    assert source is not None
    assert source.name == config_map["metadata"]["name"]
    data = config_map["data"]
    template = check_template(json.loads(data[source.key]), where=source.key)
    workflow = parse_workflow_yaml(yaml.safe_load(data[source.parameters_key]), where=source.parameters_key)
    check_targets(template, workflow, where=source.parameters_key)
    comment = (EXAMPLES / "own-workflow.yaml").read_text().split("apiVersion")[0].replace("\n#", "\n")
    task = parse_task(parse_body(comment[comment.index("{") : comment.rindex("}") + 1].encode()))
    assert task.workflow == pool.spec.workflows[0].name
    bound = bind(workflow, task.given, task.explicit)
    graph: Any = render(template, workflow, bound, uploads={"image_url": "up.png"}, prefix="job")
    assert graph["1"]["inputs"]["image"] == "up.png"
    scale = graph["2"]["inputs"]
    assert (scale["upscale_method"], scale["width"], scale["height"]) == ("lanczos", 1536, 1024)


def test_the_reference_of_the_message_shows_tasks_that_work() -> None:
    text = (ROOT / "docs/reference/task-message.md").read_text()
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 3
    shapes = set()
    for block in blocks:
        task = parse_task(parse_body(block.encode()))
        shapes.add(task.shape)
        if task.shape is not Shape.GRAPH:
            workflow = builtin(task.workflow or "text-to-image")
            bind(workflow, task.given, task.explicit)
    assert shapes == set(Shape)
    for name in RESERVED:
        assert f"`{name}`" in text


def test_the_reference_names_every_reason_of_a_message_that_is_refused() -> None:
    text = (ROOT / "docs/reference/task-message.md").read_text()
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TaskFailure)
    ]
    refusals = {kind for kind in kinds if "reason" in vars(kind)} - {AttemptFailed, TaskFailure}
    assert refusals >= {InvalidMessage, InvalidTask, RefusedInput}
    for refusal in refusals:
        assert f"`{refusal.reason}`" in text


class Recorder:
    """Stands for the module pika in a producer, and keeps what it sent."""

    def __init__(self) -> None:
        self.declared: list[dict[str, Any]] = []
        self.published: list[dict[str, Any]] = []
        self.connected_to: dict[str, Any] = {}
        self.closed = False

    def ConnectionParameters(self, **settings: Any) -> dict[str, Any]:  # noqa: N802, ANN401 - pika's own
        self.connected_to = settings
        return settings

    def PlainCredentials(self, user: str, password: str) -> tuple[str, str]:  # noqa: N802 - pika's own
        return user, password

    def BasicProperties(self, **properties: Any) -> dict[str, Any]:  # noqa: N802, ANN401 - pika's own
        return properties

    def BlockingConnection(self, _parameters: dict[str, Any]) -> Recorder:  # noqa: N802 - pika's own
        return self

    def channel(self) -> Recorder:
        return self

    def queue_declare(self, **arguments: Any) -> None:  # noqa: ANN401 - pika's own
        self.declared.append(arguments)

    def basic_publish(self, **arguments: Any) -> None:  # noqa: ANN401 - pika's own
        self.published.append(arguments)

    def close(self) -> None:
        self.closed = True


def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> Recorder:
    """Run a producer with a recorder for pika."""
    spec = importlib.util.spec_from_file_location(name, PRODUCERS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    recorder = Recorder()
    monkeypatch.setattr(module, "pika", recorder)
    monkeypatch.setattr("sys.argv", [name, *arguments])
    module.main()
    assert recorder.closed
    return recorder


def test_the_text_producer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RABBITMQ_HOST", "broker")
    sent = run(
        monkeypatch, "generation_producer", "--count", "3", "--callback-url", "http://192.0.2.10:8092/hook"
    )
    assert sent.connected_to["host"] == "broker"
    assert sent.declared == [{"queue": "generation_tasks", "durable": True}]
    ids = set()
    for message in sent.published:
        assert (message["exchange"], message["routing_key"]) == ("", "generation_tasks")
        assert message["properties"] == {"delivery_mode": 2}
        task = parse_task(parse_body(message["body"].encode()))
        assert task.task_id is not None
        assert uuid.UUID(task.task_id).version == 4
        assert task.callback_url == "http://192.0.2.10:8092/hook"
        assert task.shape is Shape.FALLBACK
        bind(builtin("text-to-image"), task.given, task.explicit)
        ids.add(task.task_id)
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("arguments", "workflow", "size"),
    [
        ([], "DDColor人物黑白修复.json", 680),
        (["--workflow", "DDColor建筑黑白修复.json"], "DDColor建筑黑白修复.json", 1080),
        (["--size", "512"], "DDColor人物黑白修复.json", 512),
    ],
)
def test_the_photo_producer(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], workflow: str, size: int
) -> None:
    urls = ["https://example.com/1.jpg", "https://example.com/2.jpg"]
    sent = run(monkeypatch, "photo_producer", *urls, *arguments)
    assert sent.declared == [{"queue": "photo_repair_tasks", "durable": True}]
    assert [json.loads(message["body"]) for message in sent.published] == [
        {
            "task_id": "task_12345",
            "image_url": url,
            "workflow_type": workflow,
            "parameters": {"size": size, "model": "ddcolor-imagenet"},
        }
        for url in urls
    ]
    for message in sent.published:
        assert message["properties"] == {"delivery_mode": 2}
        task = parse_task(parse_body(message["body"].encode()))
        bind(builtin(workflow), task.given, task.explicit)


def test_the_producers_are_plain() -> None:
    files = {file.stem: file.read_text() for file in PRODUCERS.glob("*.py")}
    assert files.keys() == {"generation_producer", "photo_producer"}
    assert not [name for name, text in files.items() if "genpool_" in text]
