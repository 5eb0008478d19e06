"""Gives messages that a channel holds back to their queue, in their order.

A classic queue puts a message back to the place that it had. A quorum queue puts what is given back before what waits,
in the order in which that arrives, and there a channel keeps no order: with 32 commands under way it gathers the
others, and passes them on in any order. Closing the channel gives all back in any order too. So a few messages are
given back at a time, and the next ones when the queue counts those. The first group is one message: acknowledgements
that are under way are commands too, and once the one message is counted, they have been applied.

One order is not kept: where a pass takes fewer messages than the one before, those go behind the others that were given
back before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future

import pika

from genpool_adapters.amqp.failures import complete
from genpool_core import timing

#: Messages of one answer. Half of what a quorum queue's client takes before it gathers.
GROUP = 16
#: Groups that may not be counted in time, before the order is given up: somebody consumes the queue.
_LATE_GROUPS = 3


class OrderedReturn:
    """Lives in the thread that owns the connection."""

    def __init__(
        self,
        connection: pika.SelectConnection,
        channel: pika.channel.Channel,
        queue: str,
        tags: Sequence[int],
    ) -> None:
        """``tags``: of all that the channel has not answered, in their order."""
        self._connection = connection
        self._channel = channel
        self._queue = queue
        self._left = list(tags)
        self._group = 1
        self._expected: int | None = None
        self._deadline = 0.0
        self._late = 0
        self.done: Future[bool] = Future()
        """Ends with whether the order was kept; not at all where the channel is lost."""

    def start(self) -> None:
        """Begin; returns at once."""
        if self._left:
            self._ask()
        else:
            complete(self.done, True)

    def _ask(self) -> None:
        if self._channel.is_open:
            self._channel.queue_declare(self._queue, passive=True, callback=self._counted)

    def _counted(self, frame: pika.frame.Method[pika.spec.Queue.DeclareOk]) -> None:
        ready = frame.method.message_count
        if self._expected is not None and ready < self._expected:
            if time.monotonic() < self._deadline:
                self._connection.ioloop.call_later(timing.QUEUE_RETURN_LOOK_SECONDS, self._ask)
                return
            self._late += 1
        if not self._left:
            complete(self.done, self._late == 0)
        elif self._late >= _LATE_GROUPS:
            self._channel.basic_nack(self._left[-1], multiple=True, requeue=True)
            complete(self.done, False)
        else:
            self._return_group(ready)

    def _return_group(self, ready: int) -> None:
        group, self._left = self._left[: self._group], self._left[self._group :]
        self._group = GROUP
        self._expected = ready + len(group)
        self._deadline = time.monotonic() + timing.QUEUE_RETURN_SECONDS
        self._channel.basic_nack(group[-1], multiple=True, requeue=True)
        self._ask()
