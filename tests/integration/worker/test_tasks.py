"""Tasks from the queue to the bucket, on real parts."""

from __future__ import annotations

import base64
import io
import json
import uuid
from pathlib import Path

import pytest
import requests
from PIL import Image

from genpool_core import identity
from genpool_core.ledger.records import EndRecord
from genpool_core.messages import headers
from genpool_core.messages.events import (
    MessageRejected,
    TaskClaimed,
    TaskEnded,
    TaskPreview,
    TaskProgress,
    TaskRetried,
)
from genpool_dev.stack.servers import process as servers
from integration.broker import until
from integration.worker.rig import LOOPBACK, QUEUE, Rig

HOOK = "https://client.example/hook?token=secret"


def text_task(**changes: object) -> dict[str, object]:
    return {
        "task_id": str(uuid.uuid4()),
        "prompt": "a beautiful sunset",
        "negative_prompt": "blurry, low quality",
        "width": 320,
        "height": 256,
        "steps": 4,
        "model": "realisticVisionV6",
        "callback_url": HOOK,
        **changes,
    }


def picture(rig: Rig, end: EndRecord, index: int = 0) -> Image.Image:
    output = end.outputs[index]
    data = rig.read(output.key)
    assert len(data) == output.bytes
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.size == (output.width, output.height)
    return image


def test_text_task(rig: Rig) -> None:
    rig.comfyui()
    worker = rig.worker()
    task = text_task()
    rig.send(task)
    (end,) = rig.wait_ends(1)

    assert (end.outcome, end.reason, end.task_id, end.seed) == ("succeeded", "Succeeded", task["task_id"], 42)
    assert end.workflow == "text-to-image"
    assert picture(rig, end).size == (320, 256)
    assert rig.outputs() == [end.outputs[0].key]
    assert [claim.attempt for claim in rig.claims()] == [1]

    events = rig.events()
    (claimed,) = [event for event in events if isinstance(event, TaskClaimed)]
    (ended,) = [event for event in events if isinstance(event, TaskEnded)]
    assert claimed.task_key == ended.task_key == end.task_key
    assert ended.id == identity.end_id(end.task_key, 1)
    (callback,) = rig.callbacks()
    assert (callback.id, callback.url) == (ended.id, HOOK)
    (output,) = callback.body.outputs
    assert output.url is not None
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(output.url, timeout=10).content == rig.read(output.key)

    assert not list((rig.folder / "scratch" / "output").rglob("*.png"))
    assert "token=secret" not in worker.text()
    assert "a beautiful sunset" not in worker.text()
    numbers = worker.get("/metrics").text
    assert 'genpool_worker_tasks_total{outcome="succeeded",reason="Succeeded"} 1.0' in numbers
    assert 'genpool_worker_state{state="idle"} 1.0' in numbers


def test_photo_task(rig: Rig, tmp_path: Path) -> None:
    photos = servers.start("photos", "genpool_dev.stack.servers.photos", "127.0.0.1", tmp_path / "photos")
    try:
        rig.configure(image_hosts=[LOOPBACK.model_copy(update={"ports": [photos.port]})])
        rig.comfyui()
        rig.worker()
        for number in (1, 2, 1):
            rig.send(
                {
                    "task_id": "task_12345",
                    "image_url": f"http://localhost:{photos.port}/people/{number}.jpg?token=s3cr3t",
                    "workflow_type": "DDColor人物黑白修复.json",
                    "parameters": {"size": 680, "model": "ddcolor-imagenet"},
                }
            )
        ends = rig.wait_ends(2)
    finally:
        servers.stop(photos)
    for end in ends:
        assert end.outcome == "succeeded"
        assert picture(rig, end).width > 0
        assert "s3cr3t" not in end.model_dump_json()
    assert not [path for path in (rig.folder / "scratch" / "input").rglob("*") if path.is_file()]
    assert not rig.dead_letters()


def test_the_same_task_twice_is_done_once(rig: Rig) -> None:
    rig.comfyui()
    task = text_task()
    for _ in range(3):
        rig.send(task)
    rig.worker()
    rig.worker("worker-1")
    (end,) = rig.wait_ends(1)
    assert end.outcome == "succeeded"
    assert [claim.attempt for claim in rig.claims()] == [1]
    assert {callback.id for callback in rig.callbacks()} == {identity.end_id(end.task_key, 1)}


def test_one_id_with_two_bodies_is_two_tasks(rig: Rig) -> None:
    rig.comfyui()
    rig.worker()
    rig.send(text_task(task_id="same", width=256))
    rig.send(text_task(task_id="same", width=320))
    assert {picture(rig, end).width for end in rig.wait_ends(2)} == {256, 320}


@pytest.mark.parametrize("message_id", ["m-1", None])
def test_a_task_without_task_id(rig: Rig, message_id: str | None) -> None:
    rig.comfyui()
    rig.worker()
    task = {key: value for key, value in text_task().items() if key != "task_id"}
    rig.send(task, message_id=message_id)
    (end,) = rig.wait_ends(1)
    assert end.outcome == "succeeded"
    assert end.task_id == (message_id or str(uuid.UUID(end.task_id)))


@pytest.mark.parametrize("body", [b"not json", b"[1, 2]", b'{"prompt": "\\ud800"}', b""])
def test_a_message_that_is_no_task(rig: Rig, body: bytes) -> None:
    rig.comfyui()
    rig.worker()
    origin = {"correlation_id": "c-1", "reply_to": "answers", "app_id": "theirs", "timestamp": 1_700_000_000}
    rig.send(body, headers={"trace": "abc", "x-genpool-run": 7}, **origin)
    ((properties, letter),) = until(rig.dead_letters, "a dead letter")
    rig.wait_quiet()
    assert letter == body
    assert {name: getattr(properties, name) for name in origin} == origin
    assert properties.headers[headers.REASON] == "InvalidMessage"
    assert properties.headers["trace"] == "abc"
    assert headers.RUN not in properties.headers
    assert properties.user_id == rig.user
    assert not rig.keys()
    (event,) = rig.events()
    assert isinstance(event, MessageRejected)


@pytest.mark.parametrize(
    ("changes", "reason", "part"),
    [
        ({"workflow_type": "nope"}, "InvalidTask", "text-to-image"),
        ({"width": 10}, "InvalidTask", "width"),
        ({"prompt": {"1": {"class_type": "X", "inputs": {}}}}, "InvalidTask", "accepts none"),
        ({"callback_url": "http://10.0.0.1:99/"}, "InvalidTask", "callback_url"),
        ({"model": "no-such.safetensors"}, "InvalidPrompt", "ckpt_name"),
        ({"prompt": "[standin:fail-node]"}, "NodeFailed", "KSampler"),
    ],
)
def test_a_task_that_cannot_be_done_is_dead_at_once(
    rig: Rig, changes: dict[str, object], reason: str, part: str
) -> None:
    rig.comfyui()
    rig.worker()
    task = text_task(**changes)
    rig.send(task)
    (end,) = rig.wait_ends(1)
    assert (end.outcome, end.reason) == ("dead", reason), end.message
    assert part in end.message
    assert len(rig.claims()) == (reason != "InvalidTask")
    ((properties, body),) = rig.dead_letters()
    assert json.loads(body) == task
    assert properties.headers[headers.REASON] == reason
    assert properties.headers[headers.TASK_KEY] == end.task_key
    assert len(rig.callbacks()) == ("callback_url" not in changes)
    assert not rig.outputs()


def test_a_failure_that_may_pass_is_tried_max_attempts_times(rig: Rig) -> None:
    rig.comfyui()
    rig.worker()
    rig.send(text_task(prompt="[standin:oom]"))
    (end,) = rig.wait_ends(1)
    assert (end.outcome, end.reason, end.attempt) == ("dead", "OutOfMemory", 3)
    claims = rig.claims()
    assert [claim.attempt for claim in claims] == [1, 2, 3]
    assert [claim.failure is not None for claim in claims] == [True, True, False]
    ((properties, _),) = rig.dead_letters()
    assert properties.headers[headers.ATTEMPTS] == 3
    retried = [event for event in rig.events() if isinstance(event, TaskRetried)]
    assert [(event.attempt, event.delay_seconds) for event in retried] == [(1, 5), (2, 30)]
    assert len(rig.callbacks()) == 1


def test_a_task_of_the_gateway_keeps_owner_run_and_pool_through_a_retry(rig: Rig) -> None:
    """The pool was made again since the task was accepted for it."""
    rig.comfyui()
    rig.worker()
    task = text_task(prompt="[standin:oom:once]")
    rig.accept(task, **{headers.OWNER: "k1", headers.RUN: 2, headers.POOL: "gone"})
    (end,) = rig.wait_ends(1)
    assert (end.outcome, end.owner, end.run, end.attempt) == ("succeeded", "k1", 2, 2)
    assert end.task_key == identity.task_key("gone", str(task["task_id"]), task, tenant="k1")
    assert [claim.owner for claim in rig.claims()] == ["k1", "k1"]


def test_a_retry_that_succeeds(rig: Rig) -> None:
    rig.comfyui()
    rig.worker()
    rig.send(text_task(prompt="[standin:oom:once]"), message_id="kept", priority=3)
    (end,) = rig.wait_ends(1)
    assert (end.outcome, end.attempt) == ("succeeded", 2)
    assert not rig.dead_letters()
    assert rig.outputs() == [output.key for output in end.outputs]


def test_an_image_that_cannot_be_had(rig: Rig, tmp_path: Path) -> None:
    photos = servers.start("photos", "genpool_dev.stack.servers.photos", "127.0.0.1", tmp_path / "photos")
    try:
        rig.configure(image_hosts=[LOOPBACK.model_copy(update={"ports": [photos.port]})])
        rig.comfyui()
        rig.worker()
        for url in (
            f"http://localhost:{photos.port}/none.jpg",
            f"http://localhost:{photos.port}/healthz",
            "http://localhost:1/people/1.jpg",
            "http://169.254.169.254/latest/meta-data",
        ):
            rig.send({"task_id": url, "image_url": url, "workflow_type": "DDColor人物黑白修复.json"})
        ends = {end.task_id.rsplit("/", 1)[-1]: end for end in rig.wait_ends(4)}
    finally:
        servers.stop(photos)
    assert {name: end.reason for name, end in ends.items()} == {
        "none.jpg": "InputUnavailable",
        "healthz": "RefusedInput",
        "1.jpg": "RefusedInput",
        "meta-data": "RefusedInput",
    }
    assert len(rig.claims()) == 2


def test_progress_is_told(rig: Rig) -> None:
    rig.comfyui("--standin-step-seconds", "0.4")
    rig.worker()
    rig.send(text_task(steps=10))
    rig.wait_ends(1)
    values = [event.value for event in rig.events() if isinstance(event, TaskProgress)]
    assert values == sorted(values)
    assert 2 <= len(values) <= 8
    assert 0 < values[0] < 1


@pytest.mark.parametrize("wanted", [True, False])
def test_previews_are_told_where_the_pool_asks_for_them(rig: Rig, *, wanted: bool) -> None:
    rig.configure(previews=wanted)
    rig.comfyui("--standin-step-seconds", "0.1")
    rig.worker()
    rig.send(text_task(steps=30))
    rig.wait_ends(1)
    previews = [event for event in rig.events() if isinstance(event, TaskPreview)]
    # Thirty steps in three seconds, each with a picture.
    assert 3 <= len(previews) <= 7 if wanted else not previews
    for event in previews:
        shown = Image.open(io.BytesIO(base64.b64decode(event.image)))
        assert (event.content_type, shown.format) == ("image/jpeg", "JPEG")


def test_a_graph_of_the_producer(rig: Rig) -> None:
    rig.configure(allow_graphs=True)
    rig.comfyui()
    rig.worker()
    graph = json.loads((rig.folder / "config" / rig.config.workflows[0].template_key).read_text())
    rig.send({"task_id": "g", "prompt": graph})
    (end,) = rig.wait_ends(1)
    assert (end.outcome, end.workflow) == ("succeeded", None), end.message
    assert picture(rig, end).width == 512


def test_the_queue_is_empty_and_declared_by_plain_producers(rig: Rig) -> None:
    """A bare declare, as existing producers do before each publish, does not disturb the pool's queue."""
    with rig.vhost.raw() as connection:
        declared = connection.channel().queue_declare(queue=QUEUE, durable=True).method
    assert (declared.queue, declared.message_count) == (QUEUE, 0)
