"""Retries of a failed attempt, quantities, conditions, brokers of the platform, keys in the bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpool_core import timing
from genpool_core.brokers import BrokersFile
from genpool_core.conditions import Finding, merge
from genpool_core.errors import AttemptFailed, InvalidManifest, InvalidTask, RefusedInput, TaskFailure
from genpool_core.ledger import keys
from genpool_core.quantity import to_bytes
from genpool_core.retry_policy import GiveUp, Retry, decide_retry

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MEMORY = AttemptFailed("ComfyUI ran out of memory.", reason="OutOfMemory", retryable=True)
NODE = AttemptFailed("node 3 failed.", reason="NodeFailed", retryable=False)


@pytest.mark.parametrize(
    ("failure", "counted", "max_attempts", "expected"),
    [
        (MEMORY, 1, 3, Retry(5)),
        (MEMORY, 2, 3, Retry(30)),
        (MEMORY, 3, 3, GiveUp("OutOfMemory", "ComfyUI ran out of memory. (given up after 3 attempts)")),
        (MEMORY, 4, 3, GiveUp("OutOfMemory", "ComfyUI ran out of memory. (given up after 4 attempts)")),
        (MEMORY, 1, 1, GiveUp("OutOfMemory", "ComfyUI ran out of memory. (given up after 1 attempt)")),
        (MEMORY, 3, 20, Retry(120)),
        (MEMORY, 4, 20, Retry(600)),
        (MEMORY, 5, 20, Retry(3600)),
        (MEMORY, 19, 20, Retry(3600)),
        (NODE, 1, 3, GiveUp("NodeFailed", "node 3 failed.")),
        (InvalidTask("no prompt."), 1, 3, GiveUp("InvalidTask", "no prompt.")),
        (RefusedInput("too large."), 1, 3, GiveUp("RefusedInput", "too large.")),
    ],
)
def test_retry_or_give_up(
    failure: TaskFailure, counted: int, max_attempts: int, expected: Retry | GiveUp
) -> None:
    assert decide_retry(failure, counted=counted, max_attempts=max_attempts) == expected


@given(counted=st.integers(0, 100), max_attempts=st.integers(1, 20))
def test_a_retry_waits_in_a_step_that_exists(counted: int, max_attempts: int) -> None:
    decision = decide_retry(MEMORY, counted=counted, max_attempts=max_attempts)
    assert isinstance(decision, GiveUp) == (counted >= max_attempts)
    if isinstance(decision, Retry):
        assert decision.delay_seconds in timing.RETRY_STEPS


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("50Mi", 50 * 2**20),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1.5Gi", 3 * 2**29),
        ("0.1G", 10**8),
        ("2T", 2 * 10**12),
        ("9007199254740993", 9_007_199_254_740_993),
        ("0.3Ki", 307),
    ],
)
def test_quantity(text: str, size: int) -> None:
    assert to_bytes(text) == size


@pytest.mark.parametrize("text", ["", "Mi", "-1", "1 Mi", "1mi", "1e3", "50Mi\n", "1,5Gi", "５０Mi", "1.Mi"])
def test_no_quantity(text: str) -> None:
    with pytest.raises(InvalidManifest, match="write for example 50Mi"):
        to_bytes(text)


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    later = NOW + timedelta(minutes=1)
    waiting = Finding("Ready", "False", "BrokerUnreachable", "The broker does not answer.")
    first = merge([], [waiting], generation=1, in_force=None, now=NOW)
    missing = Finding("Ready", "False", "QueueMissing", "…")
    same = merge(first, [missing], generation=2, in_force=1, now=later)
    good = merge(same, [Finding("Ready", "True", "Ready", "…")], generation=2, in_force=1, now=later)
    assert [(item.last_transition_time, item.observed_generation) for item in first] == [(NOW, 1)]
    assert [(item.reason, item.last_transition_time) for item in same] == [("QueueMissing", NOW)]
    assert same[0].observed_generation == 2
    assert [(item.status, item.last_transition_time) for item in good] == [("True", later)]
    assert good[0].observed_generation == 1, "what is True is so of the generation in force"


def test_a_condition_holds_no_more_than_its_schema_allows() -> None:
    long = Finding("Accepted", "False", "KubernetesRefused", "x" * 40_000)
    assert len(merge([], [long], generation=1, in_force=1, now=NOW)[0].message) == 32_768


def test_merging_twice_is_merging_once() -> None:
    findings = [Finding("Ready", "True", "Ready", "m"), Finding("ScalingActive", "Unknown", "Stale", "m")]
    once = merge([], findings, generation=1, in_force=1, now=NOW)
    assert merge(once, findings, generation=1, in_force=1, now=NOW + timedelta(hours=1)) == once


def test_a_condition_that_is_no_longer_found_goes() -> None:
    old = merge([], [Finding("Old", "True", "R", "m")], generation=1, in_force=1, now=NOW)
    new = merge(old, [Finding("New", "True", "R", "m")], generation=1, in_force=1, now=NOW)
    assert [item.type for item in new] == ["New"]


BROKERS = BrokersFile.model_validate(
    {
        "brokers": [
            {
                "name": "default",
                "host": "rabbitmq",
                "managementUrl": "http://rabbitmq:15672",
                "credentialsPath": "/etc/a",
            },
            {
                "name": "research",
                "host": "rabbitmq-2",
                "managementUrl": "https://rabbitmq-2:15671",
                "credentialsPath": "/etc/b",
                "vhosts": ["/", "lab"],
                "namespaces": ["lab-1", "lab-2"],
            },
        ]
    }
)


@pytest.mark.parametrize(
    ("name", "vhost", "namespace", "host"),
    [
        ("default", "/", "anywhere", "rabbitmq"),
        ("research", "lab", "lab-2", "rabbitmq-2"),
        ("research", "/", "lab-1", "rabbitmq-2"),
    ],
)
def test_the_broker_of_a_pool(name: str, vhost: str, namespace: str, host: str) -> None:
    assert BROKERS.for_pool(name, vhost, namespace).host == host


@pytest.mark.parametrize(
    ("name", "vhost", "namespace", "reason", "part"),
    [
        ("other", "/", "lab-1", "BrokerUnknown", "not one of the operator's brokers: default, research"),
        ("research", "/", "demo", "BrokerNotAllowed", "namespace demo may not use broker research"),
        ("default", "lab", "demo", "VhostNotAllowed", "Allowed: /."),
        ("research", "prod", "lab-1", "VhostNotAllowed", "Allowed: /, lab."),
    ],
)
def test_a_broker_that_a_pool_may_not_use(
    name: str, vhost: str, namespace: str, reason: str, part: str
) -> None:
    with pytest.raises(InvalidManifest) as caught:
        BROKERS.for_pool(name, vhost, namespace)
    assert caught.value.reason == reason
    assert part in caught.value.message


@pytest.mark.parametrize("prefix", ["", "photo/", "a/b/"])
def test_keys_in_the_bucket(prefix: str) -> None:
    assert keys.claim_key(prefix, "k", 1, 2) == f"{prefix}tasks/k/runs/1/attempts/2.json"
    assert keys.end_key(prefix, "k", 1) == f"{prefix}tasks/k/runs/1/end.json"
    assert keys.output_prefix(prefix, "k", 1, 2, "n") == f"{prefix}tasks/k/runs/1/a2-n/"
    assert keys.probe_key(prefix, "n") == f"{prefix}probes/n.json"
    assert keys.claim_key(prefix, "k", 1, 2).startswith(keys.claims_prefix(prefix, "k", 1))
    assert not keys.claims_prefix(prefix, "k", 11).startswith(keys.run_prefix(prefix, "k", 1))


@pytest.mark.parametrize(
    ("key", "attempt"),
    [
        (keys.claim_key("p/", "k", 1, 12), 12),
        (keys.end_key("p/", "k", 1), None),
        (keys.output_prefix("p/", "k", 1, 3, "n") + "0.png", None),
        ("p/tasks/k/runs/1/attempts/x.json", None),
        ("p/tasks/k/runs/1/attempts/1.json.tmp", None),
    ],
)
def test_attempt_of_a_key(key: str, attempt: int | None) -> None:
    assert keys.attempt_of(key) == attempt
