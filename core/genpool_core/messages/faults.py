"""How often a message has tripped this program: the net where the broker counts nothing (classic queues)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from genpool_core.messages.amqp import Delivery

#: A message that tripped a program so often becomes a dead letter.
LIMIT = 3
_REMEMBERED = 1000


class FaultCounter:
    """Faults by message, in memory, of the messages that tripped the program last. Used by one thread."""

    def __init__(self) -> None:
        self._counts: OrderedDict[bytes, int] = OrderedDict()

    def add(self, delivery: Delivery) -> bool:
        """Count a fault. Whether the message has tripped us often enough."""
        message_id = (delivery.properties.message_id or "").encode(errors="surrogatepass")
        key = hashlib.sha256(message_id + b"\n" + delivery.body).digest()
        count = self._counts.pop(key, 0) + 1
        self._counts[key] = count
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)
        return count >= LIMIT
