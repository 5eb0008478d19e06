"""Rights of our users on a vhost, as the regular expressions that RabbitMQ compares names with."""

from __future__ import annotations

import re
from collections.abc import Iterable

from genpool_core import names

#: RabbitMQ refuses a longer expression (``pattern_too_long``, seen with 4.3.6); earlier ones took 30 times as much.
PATTERN_BYTES = 1024
#: All that the gateway reads but the queues of pools. A binding reads its exchange.
_GATEWAY_READS = r"genpool\.(callbacks(\.dead)?|events|gateway\.events|janitor|watch\..*)"
#: Whatever is neither RabbitMQ's nor GenPool's own.
_OTHERS = r"(?!amq\.|genpool\.).+"


def worker_permissions(queue: str, pool_uid: str) -> dict[str, str]:
    """Permissions of a pool's workers: read their queue, publish through the default exchange and GenPool's own.

    Each worker declares, binds and reads a queue for its commands, below the pool's own name.
    """
    commands = f"{re.escape(names.COMMANDS_PREFIX + pool_uid)}\\..*"
    return {
        "configure": f"^{commands}$",
        "write": rf"^(amq\.default|genpool\.(events|callbacks|retry\..*)|{commands})$",
        "read": f"^({re.escape(queue)}|{re.escape(names.CONTROL_EXCHANGE)}|{commands})$",
    }


def gateway_permissions(queues: Iterable[str] = ()) -> dict[str, str]:
    """Permissions of the gateway: declare queues to watch by, publish, and read its own queues and those of pools.

    ``queues``: work queues and intakes; their dead-letter queues come with them. Where they are too many to be named,
    the gateway may read all queues of the vhost but RabbitMQ's and GenPool's own: it may publish to them anyway.
    """
    return {
        "configure": rf"^{re.escape(names.WATCH_PREFIX)}.*$",
        "write": r"^(amq\.default|genpool\.(events|control|callbacks|retry\..*|watch\..*))$",
        "read": named_reads(queues) or rf"^({_GATEWAY_READS}|{_OTHERS})$",
    }


def named_reads(queues: Iterable[str]) -> str | None:
    """The gateway's right to read, with the name of each queue; None where it would be longer than RabbitMQ takes."""
    alternatives = sorted({name for queue in queues for name in _alternatives(queue)})
    of_pools = "|".join(re.escape(name) for name in alternatives)
    pattern = rf"^({_GATEWAY_READS}|({of_pools})(\.dead)?)$" if of_pools else f"^{_GATEWAY_READS}$"
    return pattern if len(pattern.encode()) <= PATTERN_BYTES else None


def _alternatives(queue: str) -> tuple[str, ...]:
    """What stands for a queue and its dead-letter queue, where the suffix ``.dead`` may follow."""
    dead = names.dead_queue(queue)
    return (queue,) if dead == f"{queue}.dead" else (queue, dead)
