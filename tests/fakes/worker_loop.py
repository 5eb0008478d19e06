"""The worker's main loop over a fake world, turn by turn."""

from __future__ import annotations

from collections.abc import Callable

from fakes.worker_world import Node, World
from genpool_core.messages.amqp import Delivery
from genpool_worker.comfyui.wedge import Wedge
from genpool_worker.consumer import Inbox, TaskConsumer
from genpool_worker.preconditions import Preconditions
from genpool_worker.status import WorkerStatus


def preconditions(world: World, node: Node, wedge: Wedge | None = None) -> Preconditions:
    """What a worker asks between tasks; ``wedge``: of another life of the same worker."""
    context = node.context
    return Preconditions(
        node.comfyui,
        wedge or context.wedge,
        context.availability,
        context.about,
        context.store,
        "p/",
        world.clock,
        world.scratch,
    )


class FakeConsumption:
    """Records what it is told, in the order of the worker's other steps."""

    def __init__(self, node: Node) -> None:
        self._names = node.steps.names
        self.sentence: str | None = None
        self.open = False

    def trouble(self) -> str | None:
        return self.sentence

    def pause(self) -> None:
        self._names.append("consumption.pause")
        self.open = False

    def resume(self) -> None:
        if not self.open:
            self._names.append("consumption.resume")
        self.open = True


class Loop:
    """A consumer over a fake world. The drain begins after so many turns of its loop."""

    def __init__(self, world: World, node: Node, turns: int = 3) -> None:
        self.world = world
        self.node = node
        self.consumption = FakeConsumption(node)
        self.status = WorkerStatus(world.clock, node.context.metrics)
        self.inbox = _TurningInbox(self, turns)
        self.preconditions = preconditions(world, node)
        self.states: list[str] = []
        self.at_turn: dict[int, Callable[[], None]] = {}
        self.consumer = TaskConsumer(
            inbox=self.inbox,
            consumption=self.consumption,
            broker=node.context.broker,
            processor=node.processor,
            preconditions=self.preconditions,
            status=self.status,
            drain=node.context.drain,
            metrics=node.context.metrics,
            clock=world.clock,
            pool_uid=world.config.pool.uid,
        )

    def run(self) -> list[str]:
        self.consumer.run()
        return self.node.steps.names

    def deliver(self) -> Delivery | None:
        return self.world.broker.deliver(self.node.context.worker) if self.consumption.open else None


class _TurningInbox(Inbox):
    """Has a delivery as soon as the broker may deliver; waits by turning the clock."""

    def __init__(self, loop: Loop, turns: int) -> None:
        super().__init__()
        self._loop = loop
        self._turns = turns

    def take(self, seconds: float) -> Delivery | None:
        self._loop.states.append(self._loop.status.snapshot.state)
        waiting = super().take(0)
        if waiting is not None or self._loop.node.context.drain.active:
            return waiting
        self._turns -= 1
        self._loop.at_turn.pop(self._turns, lambda: None)()
        if self._turns < 0:
            self._loop.node.context.drain.begin()
            return None
        found = self._loop.deliver()
        if found is None:
            self._loop.world.clock.sleep(seconds)
        return found
