"""Commands that the worker is sent over its own queue."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from pydantic import ValidationError

from genpool_core import names
from genpool_core.messages.amqp import Delivery
from genpool_core.messages.commands import COMMAND, AnyCommand, CancelTask, Who
from genpool_worker.cancel import Cancellation

_log = structlog.get_logger(__name__)
_MOST_BYTES = 16 << 10


def read_command(delivery: Delivery) -> AnyCommand | None:
    """The command in a message; None where nobody who may command has sent it, or where it is none that we know.

    Whoever may publish through the default exchange can put a message into the worker's queue: the sender decides.
    """
    if not names.is_gateway_user(delivery.properties.user_id):
        _log.info("command_not_believed", user=delivery.properties.user_id)
        return None
    if len(delivery.body) > _MOST_BYTES:
        _log.info("command_unknown", bytes=len(delivery.body))
        return None
    try:
        return COMMAND.validate_json(delivery.body)
    except ValidationError:
        _log.info("command_unknown", bytes=len(delivery.body))
        return None


class CommandListener:
    """Does what a command says. ``beat`` has a heartbeat published, and returns at once."""

    def __init__(self, cancellation: Cancellation, beat: Callable[[], None]) -> None:
        self._cancellation = cancellation
        self._beat = beat

    def receive(self, delivery: Delivery) -> None:
        """Take a message; called by the connection's thread. Returns at once."""
        match read_command(delivery):
            case CancelTask() as command:
                verdict = self._cancellation.cancel(command)
                _log.info(
                    "cancel_received", task_key=command.task_key, run=command.run, verdict=verdict.value
                )
            case Who():
                self._beat()
            case None:
                pass
