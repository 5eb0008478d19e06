"""Fakes of the dispatcher's ports: they record what was done, and fail on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genpool_core.errors import BrokerError
from genpool_core.messages.headers import HeaderValue
from genpool_gateway.decide import Answered, Outcome
from genpool_gateway.ports import Delivery, Post


@dataclass
class FakeQueue:
    """Records publishes and acknowledgements, in order."""

    own_user: str = "admin"
    done: list[str] = field(default_factory=list)
    published: list[tuple[str, str, bytes, dict[str, HeaderValue], str | None]] = field(default_factory=list)
    refusals: int = 0
    held: bool = True

    def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        headers: Mapping[str, HeaderValue],
        message_id: str | None,
    ) -> None:
        if self.refusals:
            self.refusals -= 1
            self.done.append("refused")
            raise BrokerError("no", reason="Unroutable")
        self.done.append("publish")
        self.published.append((exchange, routing_key, body, dict(headers), message_id))

    def holds(self, _delivery: Delivery) -> bool:
        return self.held

    def ack(self, _delivery: Delivery) -> bool:
        self.done.append("ack")
        return True


@dataclass
class FakeReceiver:
    """Answers what it was told to."""

    outcome: Outcome | Exception = field(default_factory=lambda: Answered(204))
    posts: list[Post] = field(default_factory=list)

    def send(self, post: Post) -> Outcome:
        self.posts.append(post)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@dataclass
class FakeMeter:
    """Counts by name."""

    counts: dict[str, int] = field(default_factory=dict)

    def _add(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def delivered(self, _seconds: float) -> None:
        self._add("delivered")

    def retried(self, _seconds: float) -> None:
        self._add("retried")

    def dead(self, reason: str) -> None:
        self._add(reason)

    def crowded(self) -> None:
        self._add("crowded")
