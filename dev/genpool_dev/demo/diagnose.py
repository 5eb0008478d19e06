"""What a person would look at first when the demo does not go as it should."""

from __future__ import annotations

import subprocess

from genpool_dev.stack import layout
from genpool_dev.stack.install import Stack

_LINES = 30


def diagnosis(stack: Stack) -> str:
    """Pools, pods, events and the ends of logs, as kubectl tells them."""
    namespace = f"--namespace={layout.POOL_NAMESPACE}"
    system = f"--namespace={layout.SYSTEM_NAMESPACE}"
    questions = [
        ("get", "generationpools,deployments,pods", namespace, "--output=wide"),
        ("get", "pods", system, "--output=wide"),
        ("get", "events", namespace, "--sort-by=.lastTimestamp"),
        ("get", "events", system, "--sort-by=.lastTimestamp", "--field-selector=type!=Normal"),
        *(_logs(system, part) for part in ("operator", "gateway")),
        ("logs", namespace, "--selector=app.kubernetes.io/name=genpool-worker", "--all-containers", "--prefix",
         f"--tail={_LINES // 2}"),
    ]  # fmt: skip
    return "\n".join(_ask(stack, words) for words in questions)


def _logs(namespace: str, component: str) -> tuple[str, ...]:
    selector = f"--selector=app.kubernetes.io/component={component}"
    return ("logs", namespace, selector, "--prefix", f"--tail={_LINES}")


def _ask(stack: Stack, words: tuple[str, ...]) -> str:
    try:
        done = stack.kubectl.attempt(*words, timeout=20)
    except subprocess.TimeoutExpired:
        return f"$ kubectl {' '.join(words)}\n(no answer)\n"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return "\n".join([f"$ kubectl {' '.join(words)}", *lines[-_LINES:], ""])
