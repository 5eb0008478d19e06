"""Rules of the section "Callbacks"; ``genpool_core.timing_rules`` has the others."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_core.timing_rule import Rule

CALLBACK_RULES: Mapping[str, tuple[Rule, ...]] = {
    "Callbacks": (
        Rule("sum(RETRY_STEPS) < CALLBACK_GIVE_UP_SECONDS", "a callback goes through every delay step"),
        Rule("CALLBACK_GIVE_UP_SECONDS >= 12 * 3600", "what fails at night can be repaired in the morning"),
        Rule(
            "CALLBACK_SLOW_SECONDS < CALLBACK_CONNECT_SECONDS < CALLBACK_TIMEOUT_SECONDS",
            "a receiver that cannot be connected to, or does not answer, counts as slow",
        ),
        Rule(
            "RETRY_STEPS[1] < CALLBACK_SLOW_WINDOW_SECONDS <= RETRY_STEPS[2]",
            "a receiver still counts as slow when the second retry of its callback begins, and has a new chance later",
        ),
        Rule(
            "RECEIVER_PAUSE_SECONDS < CALLBACK_SLOW_SECONDS < RECEIVER_PAUSE_MOST_SECONDS",
            "a receiver that failed for a moment is soon tried again, and one that is away costs little",
        ),
        Rule(
            "CALLBACK_TIMEOUT_SECONDS + RECEIVER_PAUSE_MOST_SECONDS < CALLBACK_HOLD_SECONDS",
            "what waits for a receiver that is away sees at least one attempt before it is set aside",
        ),
        Rule(
            "CALLBACK_HOLD_SECONDS <= 2 * RETRY_STEPS[1]",
            "waiting in the gateway costs a callback no more than two short delay steps",
        ),
        Rule(
            "CALLBACK_RETRY_SECONDS < RETRY_STEPS[0]",
            "a broker that was away for a moment delays a callback by less than the shortest delay step",
        ),
        Rule(
            "CALLBACK_RETRY_SECONDS < CALLBACK_RETRY_MOST_SECONDS <= PUBLISH_PATIENT_SECONDS",
            "while RabbitMQ is away the outcome of an attempt spends no more time waiting than being tried",
        ),
        Rule(
            "CALLBACK_CONNECT_SECONDS + CALLBACK_TIMEOUT_SECONDS + AMQP_HANDOVER_SECONDS <= GATEWAY_DRAIN_SECONDS",
            "an attempt in flight can end and be acknowledged within a drain",
        ),
        Rule(
            "GATEWAY_PRESTOP_SECONDS == GATEWAY_READY_PERIOD_SECONDS",
            "kube-proxy and ingresses have the new endpoints in less than the time in which readiness is looked at",
        ),
        Rule(
            "GATEWAY_PRESTOP_SECONDS + AMQP_HANDOVER_SECONDS + GATEWAY_DRAIN_SECONDS"
            " + 2 * (GATEWAY_CLOSE_SECONDS + BROKER_ABORT_SECONDS) + WEB_STOP_SECONDS < GATEWAY_GRACE_SECONDS",
            "a gateway with a stuck connection has closed everything before Kubernetes kills it",
        ),
    ),
}
