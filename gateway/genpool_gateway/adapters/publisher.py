"""Publishing of a few messages at once, confirmed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import CancelledError

from genpool_adapters.amqp import AmqpConnection
from genpool_core import timing
from genpool_core.errors import BrokerError
from genpool_core.messages.amqp import OutgoingMessage


class ConfirmedPublisher:
    """Over one vhost's connection. Not from the connection's own thread."""

    def __init__(self, connection: AmqpConnection) -> None:
        self._connection = connection

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """Publish in order, and wait until the broker has all of them; raises the first BrokerError."""
        deadline = time.monotonic() + timing.PUBLISH_PATIENT_SECONDS
        futures = self._connection.publish_all(messages)
        faults: list[BrokerError] = []
        for future in futures:
            try:
                future.result(max(0.0, deadline - time.monotonic()))
            except BrokerError as error:
                faults.append(error)
            except (TimeoutError, CancelledError):
                future.cancel()
                sentence = "the broker has not confirmed a message in time."
                faults.append(BrokerError(sentence, reason="BrokerUnreachable"))
        if faults:
            raise faults[0]
