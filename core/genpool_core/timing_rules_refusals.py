"""Rules for the section of ``genpool_core.timing`` about what is refused or handed back."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_core.timing_rule import Rule

REFUSAL_RULES: Mapping[str, tuple[Rule, ...]] = {
    "What is refused or handed back": (
        Rule(
            "2 * 3600 / STORE_HOLD_SECONDS + 200 <= DELIVERY_LIMIT",
            "two hours of a store that fails in use, and all drains of a rollout, make no dead letter",
        ),
        Rule(
            "DELIVERY_LIMIT * AMQP_RETRY_SECONDS <= 600",
            "a message that breaks every connection it comes over becomes a dead letter within ten minutes",
        ),
        Rule(
            "STORE_HOLD_SECONDS <= FAULT_SECONDS", "other workers get a task before a fault of ours would end"
        ),
        Rule(
            "2 * TOPOLOGY_SECONDS < REPAIR_SECONDS",
            "the operator has looked at the topology twice before a refusal counts as final",
        ),
        Rule(
            "TOPOLOGY_SECONDS <= REFUSED_SECONDS < REPAIR_SECONDS",
            "a worker that was refused for good tries again after the operator's next look",
        ),
    ),
}
