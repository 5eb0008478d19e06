"""The producers as programs of their own, as a user runs them; what they say tells which task was sent when.

And tasks through the API.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from genpool_core.ledger.records import EndRecord
from genpool_dev.cluster.model import RabbitMQInfo
from genpool_dev.demo import plan
from genpool_dev.demo.plan import PHOTO_QUEUE, ApiTask, ProducerRun, Size
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.gateway import GatewayApi

_SENT = re.compile(r"^sent (?P<task_id>\S+): (?P<subject>.+)$")
TIMEOUT = 60


@dataclass(frozen=True)
class Published:
    """A task that was sent."""

    pool: str
    key: str
    """What its end record is known by: the task id, or for photos, whose task id is constant, the photo's URL."""
    size: Size
    """Width and height in pixels that the result must have."""
    published_at: datetime
    """When the producer said that it had sent it, or the API that it has it."""
    label: str
    """What it is of: the prompt, or the name of the photo."""


def producer_environment(rabbitmq: RabbitMQInfo, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a producer: where the broker is and who it is there. Nothing secret is on a command line."""
    return {
        **environment,
        "RABBITMQ_HOST": rabbitmq.host,
        "RABBITMQ_PORT": str(rabbitmq.port),
        "RABBITMQ_USER": rabbitmq.username,
        "RABBITMQ_PASSWORD": rabbitmq.password,
    }


def publish_all(root: Path, rabbitmq: RabbitMQInfo, photos: str, receiver: str) -> list[Published]:
    """Run the producers one after the other; ``photos`` and ``receiver`` are the servers' URLs."""
    return [task for run in plan.runs(photos, receiver) for task in publish(run, root, rabbitmq)]


def send_all(tasks: Sequence[ApiTask], api: GatewayApi) -> list[Published]:
    """Send tasks through the API; each is in its queue when this returns. Raises StackError for one that is refused."""
    sent = []
    for number, task in enumerate(tasks):
        answer = api.submit(task.body, idempotency_key=f"demo-{number}")
        sent.append(
            Published(answer["pool"]["name"], answer["task_id"], task.size, datetime.now(UTC), task.label)
        )
    return sent


def publish(run: ProducerRun, root: Path, rabbitmq: RabbitMQInfo) -> list[Published]:
    """Run a producer and return what it sent, in order.

    A task's time is the moment when its line arrives here: the producer runs unbuffered, so that is within
    milliseconds after ``basic_publish`` returned.

    Raises
    ------
    StackError
        The producer failed; with what it said.
    """
    command = [sys.executable, "-u", str(root / run.script), *run.arguments]
    environment = producer_environment(rabbitmq, os.environ)
    sent: list[Published] = []
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True
        ) as producer,
    ):
        assert producer.stdout is not None  # noqa: S101 - it was asked for
        for line in producer.stdout:
            task = read_line(line, run, datetime.now(UTC))
            if task is not None:
                sent.append(task)
        code = producer.wait(TIMEOUT)
        if code:
            said.seek(0)
            raise StackError(f"The producer {run.script} ended with code {code}:\n{said.read()[-1500:]}")
    return sent


def read_line(line: str, run: ProducerRun, now: datetime) -> Published | None:
    """The task that a line of a producer tells of, or None for another line. Pure."""
    found = _SENT.match(line.rstrip("\n"))
    if found is None:
        return None
    subject = found["subject"]
    photo = run.queue == PHOTO_QUEUE
    key = subject if photo else found["task_id"]
    label = "-".join(subject.rpartition(".")[0].split("/")[-2:]) if photo else subject
    return Published(run.pool, key, run.size_of(subject), now, label)


def key_of(end: EndRecord) -> str:
    """What the task of an end record was published under (``Published.key``). Pure."""
    url = end.parameters.get("image_url")
    return url if isinstance(url, str) else end.task_id
