"""The plan of a pass, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genpool_core.api.status import GenerationPoolStatus
from genpool_core.jsontypes import JsonObject
from genpool_core.topology.plan import Step
from genpool_operator.decide.events import PoolEvent
from genpool_operator.decide.replacement import Replacement
from genpool_operator.reconcile.observed import Memory


@dataclass(frozen=True)
class Apply:
    """Apply an object. ``initial`` comes first, by its own field manager, when the object does not exist yet."""

    manifest: JsonObject
    initial: JsonObject | None = None

    @property
    def kind(self) -> str:
        """Kind of the object."""
        return str(self.manifest["kind"])


@dataclass(frozen=True)
class Scale:
    """Write another number of replicas; before a scale-in, the deletion cost of each pod."""

    deployment: str
    was: int
    replicas: int
    why: str
    costs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Acts in their order, then the status and Events to write, and what to remember."""

    memory: Memory
    status: GenerationPoolStatus
    events: tuple[PoolEvent, ...] = ()
    steps: tuple[Step, ...] = ()
    secrets: tuple[JsonObject, ...] = field(default=(), repr=False)
    """The pool's keys in shared Secrets that are to be applied."""
    applies: tuple[Apply, ...] = ()
    scale: Scale | None = None
    replacement: Replacement | None = None
    image_digests: Mapping[str, str] = field(default_factory=dict)
    """Annotations to write, by pod. They are no acts: nothing waits for them, and no pass follows from them."""
    write_status: bool = False
    requeue_after: float | None = None
    """Seconds until the next full pass, because something is in the way; None: at the next resync."""

    @property
    def acts(self) -> bool:
        """Whether anything but the status is to be written."""
        return bool(self.steps or self.secrets or self.applies or self.scale or self.replacement)
