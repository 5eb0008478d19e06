"""An intake on a real RabbitMQ: two pools of files behind the queue of a producer that knows of neither."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
import pytest
import yaml

from genpool_core import names
from genpool_core.topology.desired import WorkQueueOptions, gateway_topology, intake_topology, pool_topology
from genpool_gateway.intake.consumer import WINDOW
from integration.broker import Vhost, until
from integration.gateway.conftest import GatewayProcess, key_of
from support import amqp_wire as wire
from support.pool_objects import BUILDINGS, PEOPLE

INTAKE = "photo_repair_tasks"
PRODUCER = Path(__file__).resolve().parents[2] / "data/producers/photo_producer.py"
POOLS = {"people": PEOPLE, "buildings": BUILDINGS}


def queue_of(pool: str) -> str:
    return f"{pool}_tasks"


def manifest(vhost: str, pool: str, **queue: Any) -> dict[str, Any]:  # noqa: ANN401 - fields
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": pool, "namespace": "photos", "uid": f"uid-{pool}"},
        "spec": {
            "broker": {"name": "default", "vhost": vhost},
            "queue": {"name": queue_of(pool), "intake": INTAKE, **queue},
            "workflows": [{"name": POOLS[pool], "source": {"builtin": POOLS[pool]}}],
            "comfyui": {"image": "comfyui:1"},
            "storage": {"type": "S3", "s3": {"endpoint": "http://127.0.0.1:1", "bucket": "results"}},
        },
    }


def photo(number: int, pool: str = "people", **fields: object) -> dict[str, object]:
    size = 680 if pool == "people" else 1080
    return {
        "task_id": "task_12345",
        "image_url": f"https://photos.example/{number}.jpg",
        "workflow_type": POOLS[pool],
        "parameters": {"size": size, "model": "ddcolor-imagenet"},
        **fields,
    }


@dataclass
class Intake:
    """What goes into the intake, and what comes out of it."""

    vhost: Vhost
    folder: Path

    def write_pools(self, **limits: int) -> None:
        """The pools, each with its ``maxWaiting`` if it has one."""
        more = {pool: {"maxWaiting": most} for pool, most in limits.items()}
        pools = [manifest(self.vhost.name, pool, **more.get(pool, {})) for pool in POOLS]
        (self.folder / "pools.yaml").write_text(yaml.safe_dump_all(pools), encoding="utf-8")

    def send(self, *bodies: object, **properties: Any) -> None:  # noqa: ANN401 - properties
        """As a plain producer does."""
        with self.vhost.raw() as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for body in bodies:
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                sent = pika.BasicProperties(delivery_mode=2, **properties)
                channel.basic_publish("", INTAKE, raw, sent)

    def ready(self, queue: str) -> int:
        return self.vhost.ready(queue)

    def until_ready(self, queue: str, count: int, seconds: float = 20) -> None:
        until(lambda: self.ready(queue) >= count, f"{count} messages in {queue}", seconds)

    def take(self, queue: str, most: int = 100_000) -> list[tuple[pika.BasicProperties, bytes]]:
        """Messages, taken off a queue."""
        found = []
        with self.vhost.raw() as connection:
            channel = connection.channel()
            while len(found) < most:
                method, properties, body = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    break
                found.append((properties, body))
        return found

    def photos(self, queue: str) -> list[int]:
        """Numbers of the photos in a queue, taken off it."""
        return [
            int(json.loads(body)["image_url"].rpartition("/")[2].partition(".")[0])
            for _, body in self.take(queue)
        ]


def prepare(process: GatewayProcess, **limits: int) -> Intake:
    """Topology, files and settings; nothing is started."""
    vhost = process.vhost
    vhost.apply(gateway_topology(vhost.version, enabled=True))
    for pool in POOLS:
        options = WorkQueueOptions(queue_of(pool), None, None, 600, janitor=True)
        vhost.apply(pool_topology(options, vhost.version))
    vhost.apply(intake_topology(INTAKE, vhost.version))
    intake = Intake(vhost, process.folder)
    intake.write_pools(**limits)
    configure(process, process.folder / "pools.yaml")
    return intake


def configure(process: GatewayProcess, pools: Path) -> None:
    process.queues = [INTAKE, *map(queue_of, POOLS)]
    (process.folder / names.ADMIN_API_KEY).write_text(process.key.admin_api_key, encoding="ascii")
    process.environment |= {
        "GENPOOL_API_PORT": "0",
        "GENPOOL_POOLS_FILE": str(pools),
        "GENPOOL_DATABASE_URL": f"sqlite:///{process.folder / 'tasks.db'}",
    }


@pytest.fixture
def intake(gateway_process: GatewayProcess, vhost: Vhost) -> Intake:
    assert vhost is gateway_process.vhost
    made = prepare(gateway_process)
    gateway_process.start()
    return made


def _outcomes(process: GatewayProcess) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in process.get("/metrics").text.splitlines():
        if line.startswith("genpool_intake_messages_total{"):
            labels, _, value = line.rpartition(" ")
            found[labels.partition('outcome="')[2].partition('"')[0]] += int(float(value))
    return found


def _run_producer(vhost: Vhost, *arguments: str) -> None:
    server = vhost.server
    login = ["--host", server.host, "--port", str(server.port), "--vhost", vhost.name]
    login += ["--user", server.username, "--password", server.password]
    subprocess.run([sys.executable, str(PRODUCER), *arguments, *login], check=True, capture_output=True)


def test_a_producer_that_knows_of_no_pool_reaches_both(
    intake: Intake, gateway_process: GatewayProcess
) -> None:
    photos = [f"https://photos.example/{number}.jpg" for number in range(3)]
    for workflow in (PEOPLE, BUILDINGS):
        _run_producer(intake.vhost, *photos, "--workflow", workflow)
    for pool, workflow in POOLS.items():
        intake.until_ready(queue_of(pool), 3)
        found = intake.take(queue_of(pool))
        size = 680 if pool == "people" else 1080
        assert [body for _, body in found] == [
            json.dumps(
                {
                    "task_id": "task_12345",
                    "image_url": url,
                    "workflow_type": workflow,
                    "parameters": {"size": size, "model": "ddcolor-imagenet"},
                }
            ).encode()
            for url in photos
        ]
        for properties, _ in found:
            assert (properties.delivery_mode, properties.message_id, properties.headers) == (2, None, None)
            assert names.is_gateway_user(properties.user_id)
    assert intake.ready(INTAKE) == intake.ready(f"{INTAKE}.dead") == 0
    assert _outcomes(gateway_process) == {"routed": 6}


def test_what_its_producer_said_of_a_message_stays(intake: Intake) -> None:
    headers = {"theirs": [1, "a"], "x-genpool-owner": "made-up"}
    body = b' {"image_url":"https://photos.example/1.jpg",  "workflow_type": "%s"}' % PEOPLE.encode()
    intake.send(body, headers=headers, priority=4, expiration="600000", correlation_id="c")
    intake.until_ready("people_tasks", 1)
    ((properties, found),) = intake.take("people_tasks")
    assert found == body
    assert (properties.priority, properties.expiration, properties.correlation_id) == (4, "600000", "c")
    assert properties.headers == {"theirs": [1, "a"]}
    assert properties.message_id, "a task without any id has one from here on"


def test_what_no_worker_could_do_wakes_none(intake: Intake) -> None:
    odd = wire.properties((b"at", wire.timestamp(1_795_000_000_000)), message_id=b"\xfe" * 16)
    with intake.vhost.raw() as connection:
        connection.channel().basic_publish("", INTAKE, b"{}", wire.RawProperties(odd))
    intake.send(
        b"\xff\xfe",
        photo(1, workflow_type="cats"),
        photo(2, parameters={"size": 5000}),
        photo(3, image_url="http://169.254.169.254/latest"),
        photo(4),
    )
    intake.until_ready("people_tasks", 1)
    intake.until_ready(f"{INTAKE}.dead", 5)
    dead = [properties.headers for properties, _ in intake.take(f"{INTAKE}.dead")]
    assert [found["x-genpool-reason"] for found in dead] == [
        "WorkflowUnknown",
        "InvalidMessage",
        "WorkflowUnknown",
        "InvalidTask",
        "RefusedInput",
    ]
    assert dead[2]["x-genpool-message"] == (
        "workflow_type 'cats' is served by no pool behind intake photo_repair_tasks. "
        f"Workflows: {PEOPLE}, {BUILDINGS}."
    )
    assert "size" in dead[3]["x-genpool-message"]
    assert intake.photos("people_tasks") == [4]
    assert intake.ready("buildings_tasks") == 0


def test_order_is_kept(intake: Intake) -> None:
    pools = ["people" if number % 3 else "buildings" for number in range(600)]
    intake.send(*(photo(number, pool) for number, pool in enumerate(pools)))
    intake.until_ready("people_tasks", pools.count("people"))
    intake.until_ready("buildings_tasks", pools.count("buildings"))
    for pool in POOLS:
        assert intake.photos(queue_of(pool)) == [n for n, each in enumerate(pools) if each == pool]


def test_a_killed_gateway_loses_nothing_and_doubles_nothing(
    intake: Intake, gateway_process: GatewayProcess
) -> None:
    """A message may be there twice: it is the same task by its key, whose parts are the same."""
    for begin in (0, 400):
        intake.send(*(photo(number) for number in range(begin, begin + 400)))
        until(lambda: intake.ready("people_tasks") > begin, "some are routed")  # noqa: B023 - at once
        gateway_process.kill()
        gateway_process.start()
    # Behind all that a killed gateway had published and not acknowledged, which the next one has yet to take.
    intake.send(photo(800))
    found: list[tuple[pika.BasicProperties, bytes]] = []
    wanted = {json.dumps(photo(number)).encode() for number in range(801)}
    until(lambda: found.extend(intake.take("people_tasks")) or {body for _, body in found} == wanted, "all")
    assert all(properties.message_id is None for properties, _ in found)
    assert len(found) <= 801 + 2 * WINDOW
    assert intake.ready(INTAKE) == intake.ready(f"{INTAKE}.dead") == 0


def test_two_gateways_share_an_intake(
    intake: Intake, gateway_process: GatewayProcess, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("second")
    second = GatewayProcess(intake.vhost, folder, key_of(intake.vhost))
    configure(second, intake.folder / "pools.yaml")
    try:
        second.start()
        both = (gateway_process, second)
        for each in both:
            until(lambda: "intake_begun" in each.log, "it consumes")  # noqa: B023 - at once
        until(lambda: len(intake.vhost.connections("genpool-gateway-intake-consume")) == 2, "two consumers")
        sent = 0
        while not all(_outcomes(each)["routed"] for each in both):
            intake.send(*(photo(number) for number in range(sent, sent + 300)))
            sent += 300
            assert sent < 10_000, "the broker gives messages to both"
        intake.until_ready("people_tasks", sent)
        assert sorted(intake.photos("people_tasks")) == list(range(sent)), "each once"
        second.kill()
        intake.send(*(photo(number) for number in range(100)))
        intake.until_ready("people_tasks", 100)
    finally:
        second.kill()


def test_a_queue_that_vanishes_holds_up_no_other(intake: Intake, gateway_process: GatewayProcess) -> None:
    intake.vhost.delete_queue("people_tasks")
    intake.send(*(photo(number) for number in range(400)), *(photo(1, "buildings") for _ in range(3)))
    intake.until_ready("buildings_tasks", 3)
    until(lambda: _outcomes(gateway_process)["put_aside"] >= 400, "the others wait")
    intake.vhost.queue("people_tasks")
    intake.until_ready("people_tasks", 400)
    assert set(intake.photos("people_tasks")) == set(range(400))
    intake.vhost.delete_queue(INTAKE)
    intake.vhost.queue(INTAKE)
    intake.send(photo(7))
    intake.until_ready("people_tasks", 1)


def test_a_full_pool_holds_up_no_other(gateway_process: GatewayProcess, vhost: Vhost) -> None:
    intake = prepare(gateway_process, people=5)
    assert vhost is intake.vhost
    gateway_process.start()
    intake.send(*(photo(number) for number in range(300)), *(photo(n, "buildings") for n in range(3)))
    intake.until_ready("buildings_tasks", 3)
    until(lambda: _outcomes(gateway_process)["put_aside"] >= 295, "the others wait")
    assert intake.ready("people_tasks") == 5
    seen = set(intake.photos("people_tasks"))
    until(lambda: seen.update(intake.photos("people_tasks")) or len(seen) > 15, "more come as room is made")
    intake.write_pools()
    until(lambda: seen.update(intake.photos("people_tasks")) or len(seen) == 300, "without limit all come")
    assert intake.ready(f"{INTAKE}.dead") == 0


def test_intakes_come_and_go_with_their_pools(intake: Intake, gateway_process: GatewayProcess) -> None:
    until(lambda: "intake_begun" in gateway_process.log, "it is consumed")
    (intake.folder / "pools.yaml").write_text("[]", encoding="utf-8")
    until(lambda: "intake_ended" in gateway_process.log, "it is not")
    intake.send(photo(1))
    assert intake.ready(INTAKE) == 1
    intake.write_pools()
    intake.until_ready("people_tasks", 1)


def test_a_lost_connection_is_mended(intake: Intake) -> None:
    for which in ("consume", "publish"):
        intake.vhost.cut(f"genpool-gateway-intake-{which}")
        intake.send(photo(1))
        intake.until_ready("people_tasks", 1, 30)
        assert set(intake.photos("people_tasks")) == {1}
