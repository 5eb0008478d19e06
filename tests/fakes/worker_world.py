"""A whole world for the pipeline: workers over fakes that share one bucket, one broker and one clock."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fakes.worker_comfyui import FakeComfyUI, FakeMark, Script
from fakes.worker_ports import FakeBroker, FakeFetcher, FakeStore, Queued, SharedBroker, SharedStore
from fakes.worker_steps import FakeClock, SkewedClock, Steps, png
from genpool_adapters.ledger import Ledger
from genpool_core import names
from genpool_core.errors import StorageError
from genpool_core.jsontypes import JsonObject
from genpool_core.ledger.records import Claim
from genpool_core.messages.base import PoolRef
from genpool_core.messages.events import Event
from genpool_core.tasks.check import validate
from genpool_core.tasks.decode import decode
from genpool_core.workerconfig import S3Config, WorkerConfig, WorkflowEntry
from genpool_core.workflow.catalog import Catalog, Workflow
from genpool_core.workflow.spec import parse_workflow_yaml
from genpool_worker.adapters.metrics import WorkerMetrics
from genpool_worker.cancel import Cancellation
from genpool_worker.comfyui.about import AboutComfyUI
from genpool_worker.comfyui.availability import Availability
from genpool_worker.comfyui.wedge import Wedge
from genpool_worker.context import WorkerContext
from genpool_worker.drain import Drain
from genpool_worker.errors import HandBack
from genpool_worker.ledger.lease import HeldClaim
from genpool_worker.messaging.publish import TaskPublisher
from genpool_worker.pipeline.attempt import Attempt
from genpool_worker.pipeline.process import Processor
from genpool_worker.retry import OutageRetry

QUEUE = "tasks"
TEXT = Workflow(
    WorkflowEntry(
        name="text-to-image",
        aliases=["t2i"],
        template_key="t",
        parameters_key="p",
        timeout_seconds=600,
        fallback=True,
    ),
    {
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ""}},
        "17": {"class_type": "KSampler", "inputs": {"seed": 0}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["17", 0], "filename_prefix": "x"}},
    },
    parse_workflow_yaml(
        {
            "description": "d",
            "parameters": {
                "prompt": {
                    "schema": {"type": "string"},
                    "required": True,
                    "targets": [{"node": "6", "input": "text"}],
                },
                "seed": {"schema": {"type": "integer"}, "targets": [{"node": "17", "input": "seed"}]},
            },
        },
        where="text",
    ),
)
PHOTO = Workflow(
    WorkflowEntry(
        name="DDColor人物黑白修复.json",
        template_key="t",
        parameters_key="p",
        timeout_seconds=600,
        fallback=False,
    ),
    {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    },
    parse_workflow_yaml(
        {
            "description": "d",
            "parameters": {
                "image_url": {
                    "schema": {"type": "string"},
                    "required": True,
                    "file": True,
                    "targets": [{"class": "LoadImage", "input": "image"}],
                }
            },
        },
        where="photo",
    ),
)
CONFIG = WorkerConfig(
    pool=PoolRef(namespace="default", name="pool", uid="pool-uid"),
    queue=QUEUE,
    dead_queue=names.dead_queue(QUEUE),
    max_attempts=3,
    workflows=[TEXT.entry, PHOTO.entry],
    s3=S3Config(bucket="results", prefix="p/"),
    max_input_bytes=1 << 20,
    grace_seconds=600,
)


@dataclass
class FakeAnnouncer:
    """Has told of what it was offered at once."""

    events: list[Event] = field(default_factory=list)

    def offer(self, event: Event, _kind: str) -> None:
        self.events.append(event)

    def settle(self) -> None:
        """Nothing waits."""


@dataclass
class Node:
    """One worker and its ComfyUI."""

    context: WorkerContext
    steps: Steps
    comfyui: FakeComfyUI
    fetcher: FakeFetcher
    events: list[Event]
    processor: Processor
    mark: FakeMark


@dataclass
class World:
    """Bucket, broker, clock; workers come and go."""

    scratch: Path
    config: WorkerConfig = CONFIG
    workflows: tuple[Workflow, ...] = (TEXT, PHOTO)
    store: SharedStore = field(default_factory=SharedStore)
    broker: SharedBroker = field(default_factory=lambda: SharedBroker(QUEUE))
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.store.clock = self.clock

    def worker(
        self, name: str, script: Script | None = None, picture: bytes | None = None, *, skew: float = 0.0
    ) -> Node:
        """A worker whose ComfyUI runs prompts as ``script`` says, which workers may share.

        ``skew``: seconds that its node's clock is ahead of the store's.
        """
        own_clock = SkewedClock(self.clock, skew)
        steps = Steps()
        comfyui = FakeComfyUI(steps, script or Script(), self.clock)
        fetcher = FakeFetcher(steps, png(32, 24) if picture is None else picture)
        store = FakeStore(self.store, steps)
        broker = FakeBroker(self.broker, steps, name, self.clock)
        drain = Drain(self.clock, self.config.grace_seconds)
        mark = FakeMark()
        announcer = FakeAnnouncer()
        catalog = Catalog(self.workflows)

        context = WorkerContext(
            worker=name,
            config=self.config,
            catalog=catalog,
            broker=broker,
            store=store,
            comfyui=comfyui,
            wedge=Wedge(mark, self.clock),
            availability=Availability(comfyui, catalog, self.clock, allow_graphs=self.config.allow_graphs),
            about=AboutComfyUI(comfyui, own_clock, self.config.comfyui_image, lambda: None),
            fetcher=fetcher,
            clock=own_clock,
            drain=drain,
            cancellation=Cancellation(),
            retry=OutageRetry(drain, self.clock),
            ledger=Ledger(store, self.config.store.prefix, own_clock),
            publisher=TaskPublisher(broker, store, self.config, name, own_clock, announcer),
            metrics=WorkerMetrics(),
            renewing=_no_renewals,
            scratch=self.scratch,
        )
        return Node(context, steps, comfyui, fetcher, announcer.events, Processor(context), mark)

    def send(self, body: JsonObject | bytes, **properties: str | None) -> None:
        """What a plain producer does."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.broker.ready.append(Queued(raw, message_id=properties.get("message_id")))

    def one(self, node: Node) -> bool:
        """Let a worker take one message. False: there is none."""
        delivery = self.broker.deliver(node.context.worker)
        if delivery is None:
            return False
        try:
            node.processor.process(decode(delivery, self.config.pool.uid))
        except (StorageError, HandBack):
            node.context.broker.requeue(delivery)
        return True

    def drive(self, node: Node) -> None:
        """Let a worker work until nothing is ready or delayed any more, or it drains."""
        for _ in range(500):
            if node.context.drain.active:
                return
            self.broker.release_due(self.clock.time)
            if self.one(node):
                continue
            if not self.broker.delayed:
                return
            self.clock.time = max(self.clock.time, min(at for at, _ in self.broker.delayed))
        raise AssertionError("the queue never gets empty")

    def drive_ready(self, node: Node) -> None:
        """Let a worker work until nothing is ready; what is delayed stays."""
        for _ in range(500):
            if not self.one(node):
                return
        raise AssertionError("the queue never gets empty")


@contextmanager
def _no_renewals(_held: HeldClaim) -> Iterator[None]:
    yield


def new_world(**config: object) -> World:
    """A world with some settings of the pool changed."""
    scratch = Path(tempfile.mkdtemp(prefix="genpool-test-"))
    for name in ("input", "output", "temp"):
        (scratch / name).mkdir()
    return World(scratch, CONFIG.model_copy(update=config))


def first_attempt(node: Node, key: str) -> Attempt:
    """The first attempt of a task with nothing but a prompt, as the processor begins it after the claim."""
    claim = Claim(
        task_key=key,
        run=1,
        attempt=1,
        nonce="0123456789",
        worker="w1",
        claimed_at=node.context.clock.now(),
        timeout_seconds=600,
    )
    return Attempt(node.context, claim, validate({"prompt": "x"}, node.context.config, node.context.catalog))
