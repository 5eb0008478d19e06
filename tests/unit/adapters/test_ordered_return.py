"""How a channel's messages go back: the first alone, then a few at a time, each time when the queue counts them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genpool_adapters.amqp.ordered_return import GROUP, OrderedReturn
from genpool_core import timing


class Broker:
    """A queue, its channel, and the connection's loop, of which each turn is one answer of the broker."""

    def __init__(self, *, ready: int = 0, consumed: bool = False) -> None:
        self.ready = ready
        self.consumed = consumed
        self.returned: list[int] = []
        self.groups: list[int] = []
        self.is_open = True
        self.ioloop = self
        self._turns: list[Callable[[], None]] = []

    def queue_declare(self, _queue: str, *, passive: bool, callback: Callable[[Any], None]) -> None:
        assert passive
        frame = SimpleNamespace(method=SimpleNamespace(message_count=self.ready))
        self._turns.append(lambda: callback(frame))

    def basic_nack(self, tag: int, *, multiple: bool, requeue: bool) -> None:
        assert multiple
        assert requeue
        group = list(range(len(self.returned) + 1, tag + 1))
        self.groups.append(len(group))
        self.returned += group
        # It counts them some answers later.
        self._turns.append(lambda: self._count(len(group)))

    def _count(self, messages: int) -> None:
        self.ready += 0 if self.consumed else messages

    def call_later(self, _seconds: float, act: Callable[[], None]) -> None:
        self._turns.append(act)

    def run(self, messages: int) -> OrderedReturn:
        returning = OrderedReturn(cast("Any", self), cast("Any", self), "work", list(range(1, messages + 1)))
        returning.start()
        while self._turns:
            self._turns.pop(0)()
        return returning


@pytest.mark.parametrize(
    ("messages", "groups"),
    [(0, []), (1, [1]), (2, [1, 1]), (1 + GROUP, [1, GROUP]), (40, [1, GROUP, GROUP, 7])],
)
def test_all_go_back_in_their_order(messages: int, groups: list[int]) -> None:
    broker = Broker(ready=5)
    assert broker.run(messages).done.result(0) is True
    assert (broker.groups, broker.ready) == (groups, 5 + messages)


def test_what_is_consumed_at_once_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "QUEUE_RETURN_SECONDS", 0.0)
    broker = Broker(consumed=True)
    assert broker.run(200).done.result(0) is False
    assert broker.groups == [1, GROUP, GROUP, 200 - 1 - 2 * GROUP]


def test_a_channel_that_is_lost_is_asked_nothing() -> None:
    broker = Broker()
    broker.is_open = False
    assert not broker.run(3).done.done()
