"""The rules of the command line's times, for :mod:`genpool_core.timing_rules`."""

from __future__ import annotations

from collections.abc import Mapping

from genpool_core.timing_rule import Rule

CLI_RULES: Mapping[str, tuple[Rule, ...]] = {
    "The command line": (
        Rule(
            "2 * ACCEPT_CONFIRM_SECONDS <= CLI_READ_SECONDS < WAIT_ANSWER_SECONDS",
            "an answer that the gateway still works for is not given up",
        ),
        Rule(
            "2 * CLI_CONNECT_SECONDS <= CLI_READ_SECONDS <= 5 * CLI_CONNECT_SECONDS",
            "who is not there is told soon",
        ),
        Rule(
            "CLI_WAIT_SECONDS == 2 * STREAM_COMMENT_SECONDS",
            "a proxy that ends silent connections ends neither",
        ),
        Rule(
            "CLI_READ_SECONDS + GATEWAY_START_FAILURES * CHART_START_PERIOD_SECONDS <= CLI_AWAY_SECONDS <= 180",
            "a gateway that is replaced is waited for, and a person is not left without a word",
        ),
        Rule("EVENT_STORE_RETRY_SECONDS < CLI_RETRY_SECONDS <= 2", "many who wait do not hold up who starts"),
    ),
    "GenPool on one machine": (
        Rule(
            "LOCAL_LOOK_SECONDS < LOCAL_RESTART_SECONDS <= CLI_RETRY_SECONDS",
            "a program that died is missed no longer than callers wait",
        ),
        Rule(
            "LOCAL_RESTART_MOST_SECONDS == LOCAL_STEADY_SECONDS / 2 == CALLBACK_RETRY_MOST_SECONDS",
            "one that dies in its first moments again and again costs little, and is found to work within two minutes",
        ),
        Rule(
            "GATEWAY_DRAIN_SECONDS < LOCAL_STOP_SECONDS <= LOCAL_STEADY_SECONDS / 2",
            "a gateway delivers what it has in hand",
        ),
        Rule(
            "LOCAL_UP_SECONDS == CLI_AWAY_SECONDS and LOCAL_LOOK_SECONDS >= ACCEPT_IDLE_SECONDS",
            "a start takes no longer than callers wait for a gateway, and watching costs nothing",
        ),
    ),
}
